"""Scopes, uses and permits: the words in which consent is given, asked for and proved.

Nothing here decides. `tracker.privacy.consent.decide` is the only maker of a `Permit`, and every
function that writes or shows personal data demands one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
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

EXPORT_USES: dict[str, tuple[Use, ...]] = {
    "series": (Use.EXPORT, Use.STORE_SERIES, Use.CORRECT),
    "learner": (Use.EXPORT, Use.LEARN),
    "contexts": (Use.EXPORT, Use.KEEP_CONTEXT),
    "prompts": (Use.EXPORT, Use.PROMPT),
}
"""The uses that each kind of an export's rows rests on."""

EXPORT_SCOPES: frozenset[Scope] = frozenset(
    scope for uses in EXPORT_USES.values() for use in uses for scope in SCOPES_OF[use]
)
"""Every scope that any row of an export rests on."""

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
    """

    participant: str
    use: Use
    covers_from: datetime
    decided_at: datetime
    grants: Mapping[Scope, int] = field(default_factory=lambda: MappingProxyType({}))

    def demand(self, use: Use) -> None:
        """Raise `ConsentError` when this permit was made for another use."""
        if self.use is not use:
            raise ConsentError(f"a permit for {self.use.value} does not allow {use.value}")

    def grant(self, scope: Scope) -> int:
        """Return the id of the grant on which a row of a scope rests; raise `ConsentError` when there is none."""
        if scope not in SCOPES_OF[self.use] or scope not in self.grants:
            raise ConsentError(
                f"a permit for {self.use.value} holds no grant of {scope.value} to write under"
            )
        return self.grants[scope]

    def demand_covers(self, at: datetime) -> None:
        """Raise `NotCoveredError` when an instant lies before what the grant covers."""
        if at < self.covers_from:
            raise NotCoveredError(at, self.covers_from)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a use is not allowed: the scopes that are missing, or that wait for the participant."""

    participant: str
    use: Use
    missing: tuple[Scope, ...]
    unconfirmed: tuple[Scope, ...] = ()

    def sentence(self, name: str) -> str:
        """One line for a person: what is missing, and how to get it."""
        parts = []
        if self.missing:
            scopes = " ".join(s.value for s in self.missing)
            parts.append(
                f"{name} has not granted {scopes.replace(' ', ', ')}; nothing was stored. "
                f"Grant it in the web app, or record it: affect-tracker consent grant {name} {scopes} --evidence TEXT"
            )
        if self.unconfirmed:
            scopes = ", ".join(s.value for s in self.unconfirmed)
            parts.append(
                f"{name} has not confirmed what an operator recorded ({scopes}): "
                f"affect-tracker consent confirm {name} --code CODE"
            )
        return " ".join(parts)


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
    """An instant lies before the consent's `covers_from`."""

    def __init__(self, at: datetime, covers_from: datetime) -> None:
        super().__init__(
            f"{at.isoformat()} lies before {covers_from.isoformat()}, from when on consent and the study's retention "
            "cover; nothing was stored. Earlier recordings need a grant with --covers-from"
        )


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
