"""Scopes, uses and permits: the words in which consent is given, asked for and proved.

Nothing here decides. `tracker.privacy.consent.decide` is the only maker of a `Permit`, and every
function that writes or shows personal data demands one.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType


class Scope(StrEnum):
    """One thing a participant can allow. None implies another."""

    AFFECT_SERIES = "affect_series"
    CONTEXT = "context"
    FACE_CROPS = "face_crops"
    RAW_VIDEO = "raw_video"
    NOTES = "notes"
    PROMPTS = "prompts"
    PERSONAL_LEARNING = "personal_learning"
    POOLED_LEARNING = "pooled_learning"
    SHARE_WITH_RATERS = "share_with_raters"
    SHARE_WITH_RESEARCHERS = "share_with_researchers"
    EXPORT_PSEUDONYMOUS = "export_pseudonymous"
    EXPORT_PUBLIC = "export_public"


class State(StrEnum):
    """What an event says about a scope (ISO/IEC TS 27560 event states, in our spelling)."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    RENEWED = "renewed"

    @property
    def permits(self) -> bool:
        """Whether processing may rest on this state; only given and renewed do."""
        return self in (State.GIVEN, State.RENEWED)


class Recorder(StrEnum):
    """Who recorded an event: the participant, their guardian, or an operator who holds evidence."""

    PARTICIPANT = "participant"
    GUARDIAN = "guardian"
    OPERATOR = "operator"


class Use(StrEnum):
    """Something the software does with a person's data."""

    STORE_SERIES = "store_series"
    CORRECT = "correct"
    KEEP_CONTEXT = "keep_context"
    KEEP_CROPS = "keep_crops"
    KEEP_VIDEO = "keep_video"
    KEEP_NOTES = "keep_notes"
    PROMPT = "prompt"
    LEARN = "learn"
    POOL = "pool"
    RATE_CROPS = "rate_crops"
    RATE_VIDEO = "rate_video"
    LOOK = "look"
    EXPORT = "export"
    EXPORT_PUBLIC = "export_public"
    AGGREGATE = "aggregate"


SCOPES_OF: dict[Use, frozenset[Scope]] = {
    Use.STORE_SERIES: frozenset({Scope.AFFECT_SERIES}),
    # Putting one's own record right (GDPR Art. 16) needs no scope beyond the record itself.
    Use.CORRECT: frozenset({Scope.AFFECT_SERIES}),
    Use.KEEP_CONTEXT: frozenset({Scope.AFFECT_SERIES, Scope.CONTEXT}),
    Use.KEEP_CROPS: frozenset({Scope.AFFECT_SERIES, Scope.FACE_CROPS}),
    Use.KEEP_VIDEO: frozenset({Scope.AFFECT_SERIES, Scope.RAW_VIDEO}),
    Use.KEEP_NOTES: frozenset({Scope.AFFECT_SERIES, Scope.NOTES}),
    Use.PROMPT: frozenset({Scope.PROMPTS}),
    Use.LEARN: frozenset({Scope.AFFECT_SERIES, Scope.PERSONAL_LEARNING}),
    Use.POOL: frozenset({Scope.AFFECT_SERIES, Scope.PERSONAL_LEARNING, Scope.POOLED_LEARNING}),
    Use.RATE_CROPS: frozenset({Scope.FACE_CROPS, Scope.SHARE_WITH_RATERS}),
    Use.RATE_VIDEO: frozenset({Scope.RAW_VIDEO, Scope.SHARE_WITH_RATERS}),
    Use.LOOK: frozenset({Scope.SHARE_WITH_RESEARCHERS}),
    Use.EXPORT: frozenset({Scope.EXPORT_PSEUDONYMOUS}),
    Use.EXPORT_PUBLIC: frozenset({Scope.EXPORT_PUBLIC}),
    Use.AGGREGATE: frozenset({Scope.AFFECT_SERIES}),
}
"""All scopes that must be in force together for a use."""

RATE: tuple[Use, ...] = (Use.RATE_CROPS, Use.RATE_VIDEO)
"""Each lets raters see somebody: by the cut-out face, or by the frame in which all but them is covered."""

EXPORT_USES: dict[str, tuple[Use, ...]] = {
    "series": (Use.EXPORT, Use.STORE_SERIES, Use.CORRECT),
    "learner": (Use.EXPORT, Use.LEARN),
    "contexts": (Use.EXPORT, Use.KEEP_CONTEXT),
    "prompts": (Use.EXPORT, Use.PROMPT),
    "ratings": (Use.EXPORT, Use.STORE_SERIES, Use.RATE_CROPS),
}
"""The uses that each kind of an export's rows rests on."""

EXPORT_SCOPES: frozenset[Scope] = frozenset(
    scope for uses in EXPORT_USES.values() for use in uses for scope in SCOPES_OF[use]
)
"""Every scope that any row of an export rests on."""

RATED_SCOPES: frozenset[Scope] = EXPORT_SCOPES - frozenset(
    scope
    for kind, uses in EXPORT_USES.items()
    if kind != "ratings"
    for use in uses
    for scope in SCOPES_OF[use]
)
"""Those that only what raters said rests on: without them the rest of an export stands."""

NEEDS_CONFIRMATION: frozenset[Use] = frozenset(
    {Use.RATE_CROPS, Use.RATE_VIDEO, Use.LOOK, Use.EXPORT, Use.EXPORT_PUBLIC}
)
"""Uses that show data to others: an operator's record opens none of them until the participant confirms."""


@dataclass(frozen=True, slots=True)
class Notice:
    """The exact text that was consented to."""

    version: str
    language: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One entry of a participant's consent history.

    Parameters
    ----------
    seq
        Position in the log; the order that counts, whatever the clocks said.
    scope, state
        What is said about what.
    notice
        The text it refers to.
    recorded_at
        When the server recorded it (UTC); never backdated.
    covers_from
        From which instant on data are covered (UTC); earlier than `recorded_at` for recordings made before.
    recorder, evidence
        Who recorded it; an operator says on what evidence.
    expires_at
        From which instant on it permits nothing any more, without any job having to run; None: never by itself.
    grant
        Random id of the grant that a permitting event makes; the rows that rest on it carry this number.
    study
        Which version of the study governed: its number and its SHA-256 (``2:4f1c…``), empty where none was applied;
        None in events from before it was committed to.
    """

    seq: int
    scope: Scope
    state: State
    notice: Notice
    recorded_at: datetime
    covers_from: datetime
    recorder: Recorder
    evidence: str = ""
    expires_at: datetime | None = None
    grant: int | None = None
    study: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a study demands of a grant beside its being given.

    Parameters
    ----------
    notices
        SHA-256 of the notices that stand: a grant of any other text is asked for again. None: any text will do.
    guardians
        Whether a guardian's consent is needed beside the participant's own.
    lasts_days
        For how long a grant holds; None: until it is withdrawn.
    """

    notices: frozenset[str] | None = None
    guardians: bool = False
    lasts_days: int | None = None


@dataclass(frozen=True, slots=True)
class Permit:
    """Proof that a use was allowed when it was decided.

    Made by `tracker.privacy.consent.decide` alone, inside the transaction that it guards; it is worth
    nothing once that transaction has ended.

    Parameters
    ----------
    participant, use
        Who allows what.
    covers_from
        The earliest instant that it covers (UTC).
    decided_at
        When it was decided (UTC).
    grants
        Ids of the grants in force, by scope; empty where nothing may be written.
    kept_from
        The earliest instant of which the study keeps such rows (UTC), which no grant moves; None: it keeps all.
    """

    participant: str
    use: Use
    covers_from: datetime
    decided_at: datetime
    grants: Mapping[Scope, int] = field(default_factory=lambda: MappingProxyType({}))
    kept_from: datetime | None = None

    def demand(self, *uses: Use) -> None:
        """Raise `ConsentError` when this permit was made for none of these uses."""
        if self.use not in uses:
            named = " or ".join(use.value for use in uses)
            raise ConsentError(f"a permit for {self.use.value} does not allow {named}")

    def grant(self, scope: Scope) -> int:
        """Return the id of the grant on which a row of a scope rests; raise `ConsentError` when there is none."""
        if scope not in SCOPES_OF[self.use] or scope not in self.grants:
            raise ConsentError(
                f"a permit for {self.use.value} holds no grant of {scope.value} to write under"
            )
        return self.grants[scope]

    def demand_covers(self, at: datetime) -> None:
        """Raise `NotCoveredError` when an instant lies before what the grant covers."""
        if self.kept_from is not None and at < self.kept_from:
            raise NotCoveredError(at, self.kept_from)
        if at < self.covers_from:
            raise NotCoveredError(at, self.covers_from, sorted(SCOPES_OF[self.use], key=list(Scope).index))


class Why(StrEnum):
    """Why a scope is in force or not."""

    IN_FORCE = "in force"
    NEVER = "never asked or answered"
    ENDED = "refused, withdrawn or ended"
    EXPIRED = "its time is over"
    NOTICE_CHANGED = "given under a notice that does not stand any more"
    GUARDIAN = "no guardian has agreed, or their agreement ended"


_REASONS: Mapping[Why, tuple[str, str]] = MappingProxyType(
    {
        Why.NEVER: ("{name} has not granted {scopes}", "Grant it in the web app, or record it"),
        Why.ENDED: (
            "{scopes} was refused or withdrawn, or has ended, for {name}",
            "If they allow it again, they grant it in the web app, or you record it",
        ),
        Why.EXPIRED: (
            "the time for which {name} granted {scopes} is over",
            "If they allow it again, they grant it in the web app, or you record it",
        ),
        Why.NOTICE_CHANGED: (
            "the notice has changed since {name} granted {scopes}",
            "They must see the new notice first; if they agree to it, they grant it in the web app, or you record it",
        ),
        Why.GUARDIAN: (
            "{scopes} of {name} waits for a guardian: none has agreed, or their agreement ended",
            "If a guardian agrees, record it",
        ),
    }
)
"""What is said of scopes that are not in force, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a use is not allowed: the scopes that are missing, or that wait for the participant.

    Parameters
    ----------
    participant, use
        Who does not allow what.
    missing, unconfirmed
        Scopes that are not in force, and those that wait for the participant's own word.
    why
        Why each missing scope is not in force; what is not in it was never granted.
    """

    participant: str
    use: Use
    missing: tuple[Scope, ...]
    unconfirmed: tuple[Scope, ...] = ()
    why: Mapping[Scope, Why] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def sentence(self, name: str) -> str:
        """One line for a person: what is missing, why, and how to get it.

        Examples
        --------
        >>> series = Scope.AFFECT_SERIES
        >>> print(Refusal("p", Use.STORE_SERIES, (series,), why={series: Why.EXPIRED}).sentence("ada"))
        the time for which ada granted affect_series is over; nothing was stored. If they allow it again, they grant \
it in the web app, or you record it: affect-tracker consent grant ada affect_series --evidence TEXT
        """
        reasons: dict[Why, list[str]] = {}
        for scope in self.missing:
            reasons.setdefault(self.why.get(scope, Why.NEVER), []).append(scope.value)
        parts, called = [], shlex.quote(name)
        for why, scopes in reasons.items():
            reason, remedy = _REASONS.get(why, _REASONS[Why.NEVER])
            guardian = " --guardian" if why is Why.GUARDIAN else ""
            parts.append(
                f"{reason.format(name=name, scopes=', '.join(scopes))}; nothing was stored. {remedy}: "
                f"affect-tracker consent grant {called} {' '.join(scopes)}{guardian} --evidence TEXT"
            )
        if self.unconfirmed:
            unsaid = ", ".join(s.value for s in self.unconfirmed)
            parts.append(
                f"{name} has not confirmed what an operator recorded ({unsaid}): "
                f"affect-tracker consent confirm {called} --code CODE"
            )
        return ". ".join(parts)


class ConsentError(Exception):
    """Something was about to happen that consent does not allow."""


class ConsentMissingError(ConsentError):
    """A use was refused.

    Parameters
    ----------
    refusal
        What is missing.
    name
        The participant's name as the caller knows it, for the message.
    """

    def __init__(self, refusal: Refusal, name: str) -> None:
        super().__init__(refusal.sentence(name))
        self.refusal = refusal


class NotCoveredError(ConsentError):
    """An instant lies before what may be stored or read: before the grant's `covers_from`, or what the study keeps.

    Parameters
    ----------
    at
        The instant (UTC).
    start
        From when on it would be covered.
    scopes
        Those whose grant begins too late; none where it is the study that takes in nothing so old.
    """

    def __init__(self, at: datetime, start: datetime, scopes: Sequence[Scope] = ()) -> None:
        early, since = _told(at, "minutes"), _told(start, "minutes")
        if early == since:
            early, since = _told(at, "auto"), _told(start, "auto")
        if not scopes:
            super().__init__(
                f"{early} lies before {since}, from when on the study takes in such data; nothing was stored. "
                "No grant changes that"
            )
            return
        names = [scope.value for scope in scopes]
        super().__init__(
            f"{early} lies before {since}, when the grant of {', '.join(names)} begins; nothing was stored. If they "
            f"allow earlier recordings, record it: affect-tracker consent grant P {' '.join(names)} "
            f"--covers-from {_told(at, 'minutes')} --evidence TEXT"
        )


def _told(at: datetime, to: str) -> str:
    return at.astimezone(UTC).isoformat(timespec=to).replace("+00:00", "Z")


class ClockBehindError(ConsentError):
    """A grant would be recorded before what the same person said last: no event is backdated."""

    def __init__(self, now: datetime, last: datetime) -> None:
        super().__init__(
            f"this machine's clock says {now.isoformat(timespec='seconds')}, but the person's last choice is of "
            f"{last.isoformat(timespec='seconds')}; nothing was recorded. Set the clock right, then grant again "
            "(withdrawing works all the same)"
        )


class PausedError(ConsentError):
    """The participant has paused capture."""

    def __init__(self, name: str, since: datetime) -> None:
        super().__init__(
            f"{name} paused capture at {since.isoformat()}; nothing was stored. They resume it in the web app"
        )
