"""Raters are people too: what they agreed to, what is stored about them, taking it along, and erasing it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tracker.access import Access, exported, membership
from tracker.domain.affect import Distribution
from tracker.domain.keymap import KeyMap
from tracker.domain.members import Member, Role
from tracker.domain.raters import NEEDED, RaterNotice, RaterScope, rater_notice
from tracker.domain.rating import RatingError
from tracker.store import raters, rating_decisions, rating_tasks, rating_votes, repeats
from tracker.store.factors import Owner
from tracker.store.raters import RaterConsent
from tracker.store.rating_tasks import TaskRow
from tracker.store.rating_votes import VoteRow
from tracker.store.types import from_microseconds
from tracker.workflows.rating import doors, leaving


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a rater agreed to.

    Attributes
    ----------
    scopes
        What they allow now, under the notice that stands.
    at
        When they last said something about it; None where they never did.
    """

    scopes: frozenset[RaterScope]
    at: datetime | None

    @property
    def enough(self) -> bool:
        """Whether they may rate."""
        return self.scopes >= NEEDED


def notice(access: Access) -> RaterNotice:
    """The notice that raters of the study read before their first item."""
    return rater_notice(doors.study_in_force(access).help_contact)


def agreed(access: Access, member: Member) -> Agreed:
    """What a rater agreed to, and when."""
    with access.database.read() as connection:
        scopes = doors.agreed(connection, member, doors.study_in_force(access))
        said = raters.consents(connection, member.id)
    return Agreed(scopes, said[-1].recorded_at if said else None)


def agree(
    access: Access,
    member: Member,
    sha256: str,
    now: datetime,
    scopes: Collection[RaterScope] = frozenset(RaterScope),
) -> Agreed:
    """Record what a rater allows about themselves under the notice that they read; what is not named is refused.

    Parameters
    ----------
    sha256
        Of the notice that was shown.
    scopes
        What they allow; without `RaterScope.VOTES` nothing can be rated, which is a choice as good as any.

    Raises
    ------
    RatingError
        When the notice is not the one that stands: it has to be read anew.
    NoRaterError
        When they are no rater of this study.
    """
    study = doors.study_in_force(access)
    stands = rater_notice(study.help_contact).sha256
    if sha256 != stands:
        raise RatingError("the notice has changed since it was shown; read it anew")
    with membership.writing(access, member.id, now) as unit:
        doors.demand_role(unit.connection, member, study, Role.RATER)
        for scope in RaterScope:
            state = "given" if scope in scopes else "refused"
            raters.record(unit.connection, member.id, RaterConsent(scope.value, state, stands, now))
        if RaterScope.SPEED not in scopes:
            rating_votes.forget_times(unit.connection, member.id)
            exported.outdate_rated(access, unit.connection, member.id, now, timed=True)
        if not {RaterScope.RESEARCH, *NEEDED} <= set(scopes):
            exported.outdate_rated(access, unit.connection, member.id, now)
    return agreed(access, member)


def key_map(access: Access, member: Member) -> KeyMap:
    """The keys that a rater uses."""
    with access.database.read() as connection:
        return KeyMap.of_json(raters.keys(connection, member.id))


def set_key_map(access: Access, member: Member, chosen: KeyMap, now: datetime) -> None:
    """Keep the keys that a rater uses."""
    with membership.writing(access, member.id, now) as unit:
        raters.set_keys(unit.connection, member.id, chosen.as_json(), now)


def stored(access: Access, member: Member) -> dict[str, int]:
    """How many rows each table holds about a rater's work."""
    with access.database.read() as connection:
        counts = raters.held_of(connection, member.id)
        said = len(raters.consents(connection, member.id))
    return counts | ({"rater_consents": said} if said else {})


def own_data(access: Access, member: Member) -> dict[str, Any]:
    """Everything stored about a rater's work, as values that JSON knows; whose faces they saw is not theirs to take.

    Nor is which items have a known answer: who knew it would be measured no more.

    Examples
    --------
    >>> sorted(_consent(RaterConsent("votes", "given", "00" * 32, datetime(2026, 3, 1))))
    ['at', 'notice', 'scope', 'state']
    """
    with access.database.read() as connection:
        votes = rating_votes.of_member(connection, member.id, standing_only=False)
        traces = rating_votes.traces_of(connection, member.id)
        consents = raters.consents(connection, member.id)
        keys = KeyMap.of_json(raters.keys(connection, member.id)).as_json()
        tasks = rating_tasks.of_member(connection, member.id)
        known, decided = rating_decisions.made_by(connection, member.id)
    return {
        "member": {"id": member.id, "name": member.name, "since": member.created_at.isoformat()},
        "consents": [_consent(c) for c in consents],
        "keys": keys,
        "tasks": [_task(t) for t in tasks],
        "votes": [_vote(v) for v in votes],
        "traces": [_trace(t) for t in traces],
        "known_answers": [_made(row) for row in known],
        "decisions": [_made(row) for row in decided],
    }


def erase(access: Access, member: Member, now: datetime) -> dict[str, int]:
    """Delete what a rater said and what was measured of it; they stay a member, and are asked anew before an item.

    Votes, traces and tasks are deleted, and so are the words that rest on their answers alone, which learners forget.
    What was put together of several raters' words stays as it is, names nobody and counts as it counted; decisions and
    known answers stay without who made them.

    Returns
    -------
    dict
        How many rows went, or lost a name, by table.
    """
    leaving.forget_words(access, member, now)
    with membership.writing(access, member.id, now) as unit:
        exported.outdate_rated(access, unit.connection, member.id, now)
        # What programs were answered can hold copies of what was said.
        repeats.forget_of(unit.connection, Owner(None, member.id))
        gone = raters.forget(unit.connection, member.id)
        gone |= raters.forget_choices(unit.connection, member.id)
    return gone


def _consent(row: RaterConsent) -> dict[str, Any]:
    return {"scope": row.scope, "state": row.state, "notice": row.notice, "at": row.recorded_at.isoformat()}


def _task(row: TaskRow) -> dict[str, Any]:
    return {
        "item": row.id,
        "kind": row.kind,
        "turn": row.turn,
        "because": row.because.value,
        "random": row.random,
        "offered_at": row.offered_at.isoformat(),
        "kept_until": row.leased_until.isoformat(),
        "put_off_at": row.put_off_at.isoformat() if row.put_off_at is not None else None,
        "done_at": row.done_at.isoformat() if row.done_at is not None else None,
    }


def _made(row: Mapping[str, Any]) -> dict[str, Any]:
    said: Distribution | None = row["distribution"]
    told = {"verdict": row["verdict"]} if "verdict" in row else {}
    return told | {
        "emotions": dict(said.as_dict()) if said is not None else None,
        "at": row["recorded_at"].isoformat(),
    }


def _vote(row: VoteRow) -> dict[str, Any]:
    said: Mapping[str, float] | None = row.distribution.as_dict() if row.distribution is not None else None
    return {
        "item": row.task,
        "kind": row.kind,
        "at": row.recorded_at.isoformat(),
        "shown_at": row.shown_at.isoformat(),
        "verdict": row.verdict.value,
        "emotions": said,
        "valence": row.valence,
        "arousal": row.arousal,
        "suggestion_shown": row.suggestion_shown,
        "response_ms": row.response_ms,
        "visible_ms": row.visible_ms,
        "random": row.random,
    }


def _trace(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "item": row["task"],
        "dimension": row["dimension"],
        "lag_s": row["lag_s"],
        "at": row["recorded_at"].isoformat(),
        "samples": [[from_microseconds(us).isoformat(), value] for us, value, _ in row["samples"]],
    }
