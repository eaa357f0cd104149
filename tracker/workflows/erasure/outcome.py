"""What an erasure did, in its two stages: data gone, learners clean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tracker.access import stones
from tracker.domain.consent import Scope
from tracker.domain.stretches import Stretch
from tracker.store.tombstones import Tombstone

OUT_OF_REACH = (
    "exports that were handed out",
    "copies and backups of the database made before: what they hold cannot be linked to anybody without the key, "
    "and restoring one erases it again",
    "copies of the key store made before, wherever this program did not make them",
)
# The keys stay, for what is left is sealed under them too.
OUT_OF_REACH_STRETCH = (
    "exports that were handed out",
    "copies and backups of the database made before: with the keys they can still be read; restoring one erases the "
    "stretch again",
)
OUT_OF_REACH_POSTGRESQL = ("write-ahead log, archives, replicas and logs of the PostgreSQL server",)


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did: counts and instants, and nothing about the person.

    Attributes
    ----------
    tombstone
        Id of the tombstone that stays.
    scope
        The scope, or None for the whole person, or a stretch.
    stretch
        The stretch of time, or None.
    counts
        Rows deleted (for copies inside other rows: changed) by table.
    keys, exports, priors
        How many keys were destroyed, how many exports are flagged as outdated, how many priors are retired.
    gone_at
        When the data were gone, and looked for.
    looked_at, unseen
        Where it looked, and where it could not.
    out_of_reach
        What no program on this machine can erase.
    clean_at
        When the learners of other people were clean; None while they are not.
    learners_left
        How many still start from a prior that held something of it; they answer from the network.
    """

    tombstone: str
    scope: Scope | None
    counts: Mapping[str, int]
    keys: int
    exports: int
    priors: int
    gone_at: datetime
    looked_at: tuple[str, ...]
    unseen: tuple[str, ...]
    out_of_reach: tuple[str, ...]
    clean_at: datetime | None
    learners_left: int
    stretch: Stretch | None = None

    @property
    def rows(self) -> int:
        """How many rows went."""
        return sum(self.counts.values())

    @property
    def learners_clean(self) -> bool:
        """Whether nobody's learner holds anything of it any more."""
        return self.clean_at is not None

    @property
    def learners(self) -> str:
        """What other people's learners hold of it."""
        if not self.priors:
            return "no prior held anything of it, so no learner of another person does"
        if self.clean_at is not None:
            return (
                f"{_many(self.priors, 'prior')} that held something of it {_is(self.priors)} deleted, and no learner "
                "starts from one any more"
            )
        retired = f"{_many(self.priors, 'prior')} that held something of it {_is(self.priors)} retired; "
        if not self.learners_left:
            return retired + "no learner of another person starts from one; they go within the hour"
        return (
            f"{retired}{_many(self.learners_left, 'learner')} of other people that started from one "
            f"{'answers' if self.learners_left == 1 else 'answer'} from the network until rebased, within the hour"
        )

    def as_dict(self) -> dict[str, Any]:
        """For ``--json`` and the certificate."""
        part = self.scope.value if self.scope is not None else None
        return {
            "scope": part if self.stretch is None else "a stretch of time",
            **({} if self.stretch is None else {"stretch": _edges(self.stretch)}),
            "tombstone": self.tombstone,
            "data_gone": True,
            "data_gone_at": self.gone_at.isoformat(),
            "rows": dict(self.counts),
            "keys": self.keys,
            "exports_outdated": self.exports,
            "looked_at": list(self.looked_at),
            "not_looked_at": list(self.unseen),
            "out_of_reach": list(self.out_of_reach),
            "learners_clean": self.learners_clean,
            "learners_clean_at": self.clean_at.isoformat() if self.clean_at is not None else None,
            "learners_left": self.learners_left,
            "learners": self.learners,
            "priors_retired": self.priors,
        }

    def sentences(self) -> list[str]:
        """The two stages, and what is out of reach, for a person to read."""
        gone = f"{_many(self.rows, 'row')} and {_many(self.keys, 'key')}; looked, and found none left"
        clean = f"clean, {_told(self.clean_at)}" if self.clean_at is not None else "not yet clean"
        lines = [
            f"1. Data gone, {_told(self.gone_at)}: {gone}.",
            f"2. Learners {clean}: {self.learners}.",
            f"Looked at: {'; '.join(self.looked_at)}.",
        ]
        if self.unseen:
            lines.append(f"Not looked at: {'; '.join(self.unseen)}.")
        lines.append(f"{_many(self.exports, 'earlier export')} {_is(self.exports)} marked as outdated.")
        lines.append(f"Out of reach from here: {'; '.join(self.out_of_reach)}.")
        return lines


def outcome(tombstone: Tombstone, learners_left: int, *, is_sqlite: bool) -> Erased:
    """What an erasure that is done did, as its tombstone says."""
    what = stones.read(tombstone.scope)
    stretch = what if isinstance(what, Stretch) else None
    return Erased(
        tombstone=tombstone.id,
        scope=what if isinstance(what, Scope) else None,
        counts=tombstone.rows,
        keys=tombstone.keys,
        exports=tombstone.exports,
        priors=tombstone.priors,
        gone_at=tombstone.erased_at,
        looked_at=tombstone.looked,
        unseen=tombstone.unseen,
        out_of_reach=(OUT_OF_REACH if stretch is None else OUT_OF_REACH_STRETCH)
        + (() if is_sqlite else OUT_OF_REACH_POSTGRESQL)
        + tombstone.copies,
        clean_at=tombstone.clean_at,
        learners_left=learners_left,
        stretch=stretch,
    )


def _edges(stretch: Stretch) -> dict[str, str]:
    return {"from": stretch.start.isoformat(), "to": stretch.end.isoformat()}


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
