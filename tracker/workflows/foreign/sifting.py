"""What of some rows is new, what is there, and what may not be stored: reading alone, for dry runs too."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tracker.access.erased import ErasedStretch, refusing
from tracker.domain.series import Context, Correction, Estimate, Observation, Observed, Reason, TimeSource
from tracker.store import imported
from tracker.store.database import Connection
from tracker.workflows.foreign.mapping import MappingFile
from tracker.workflows.foreign.rows import Row, Seen

NOT_COVERED = "before what the grant or the document covers"
NOT_KEPT = "earlier than the study takes rows in"
ERASED = "in a stretch that the participant deleted for good"
OTHERWISE = "something else is stored of the same instant"

_STATED = TimeSource.STATED


@dataclass(frozen=True, slots=True)
class Bounds:
    """From which instant on each kind of row is stored, and why not earlier; what was deleted for good.

    Attributes
    ----------
    series, words, contexts
        Instants; None: as far back as anything goes.
    kept
        The same, for what the study takes in at all.
    gone
        Stretches that were deleted.
    """

    covers: Mapping[str, datetime]
    kept: Mapping[str, datetime]
    gone: Sequence[ErasedStretch] = ()

    def refusal(self, kind: str, at: datetime) -> str | None:
        """Why nothing of a kind is stored of an instant; None: it is."""
        if kind in self.covers and at < self.covers[kind]:
            return NOT_COVERED
        if kind in self.kept and at < self.kept[kind]:
            return NOT_KEPT
        return ERASED if refusing(self.gone, at, given_at=at) is not None else None


@dataclass(slots=True)
class Sifted:
    """What is to be stored of some moments, in order of time."""

    observed: list[tuple[str, Observed]] = field(default_factory=list)
    words: list[tuple[str, Correction]] = field(default_factory=list)
    contexts: list[tuple[str, Context]] = field(default_factory=list)
    there: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, int]] = field(default_factory=list)

    def refuse(self, reason: str, line: int) -> None:
        """Count a row that is not stored, or not whole: once, however much of it is refused for a reason."""
        if (reason, line) not in self.refused[-2:]:
            self.refused.append((reason, line))

    def new(self) -> Counter[str]:
        """How many rows by table."""
        return Counter(
            observations=len(self.observed),
            estimates=sum(len(seen.estimates) for _, seen in self.observed),
            corrections=len(self.words),
            contexts=len(self.contexts),
        )


class Sieve:
    """Sifts the rows of one file.

    Parameters
    ----------
    mapping
        What they are.
    sha256
        The file's hash: the source of its rows.
    """

    def __init__(self, mapping: MappingFile, sha256: str) -> None:
        self._mapping, self._sha256 = mapping, sha256

    def sift(
        self,
        moments: Sequence[Sequence[Row]],
        bounds: Bounds,
        connection: Connection | None = None,
        subject: str = "",
    ) -> Sifted:
        """Tell what of some moments of one person is new.

        Parameters
        ----------
        moments
            Rows by moment, in order of time.
        bounds
            What may be stored.
        connection, subject
            Where the person's rows are; None for somebody who is not enrolled yet.
        """
        found = Sifted()
        if self._mapping.face is not None:
            self._observations(moments, bounds, connection, subject, found)
            return found
        rows = [row for moment in moments for row in moment]
        ends = (rows[0].at, rows[-1].at)
        words = imported.words_between(connection, subject, *ends) if connection is not None else {}
        around = imported.contexts_between(connection, subject, *ends) if connection is not None else {}
        for row in rows:
            self._words(row, bounds, words, found)
            self._context(row, bounds, around, found)
        return found

    def _words(
        self,
        row: Row,
        bounds: Bounds,
        there: Mapping[tuple[datetime, str], list[imported.Said]],
        found: Sifted,
    ) -> None:
        if not row.words:
            return
        if (why := bounds.refusal("words", row.at)) is not None:
            found.refuse(why, row.line)
            return
        key = self._key(row)
        for word in row.words:
            stored = there.get((row.at, word.target))
            said: imported.Said = word.value if word.distribution is None else word.distribution
            if stored is None:
                correction = Correction(
                    row.at, word.target, word.distribution, word.value, key=key, imported_from=self._sha256
                )
                found.words.append((row.zone, correction))
            elif any(imported.same(one, said) for one in stored):
                found.there["corrections"] += 1
            else:
                found.refuse(OTHERWISE, row.line)

    def _context(
        self,
        row: Row,
        bounds: Bounds,
        there: Mapping[datetime, set[tuple[str | None, str | None, str | None]]],
        found: Sifted,
    ) -> None:
        if row.around is None:
            return
        stored = there.get(row.at)
        if (why := bounds.refusal("contexts", row.at)) is not None:
            found.refuse(why, row.line)
        elif stored is None:
            context = Context(row.at, *row.around, key=self._key(row), imported_from=self._sha256)
            found.contexts.append((row.zone, context))
        elif row.around in stored:
            found.there["contexts"] += 1
        else:
            found.refuse(OTHERWISE, row.line)

    def _observations(
        self,
        moments: Sequence[Sequence[Row]],
        bounds: Bounds,
        connection: Connection | None,
        subject: str,
        found: Sifted,
    ) -> None:
        ends = (moments[0][0].pts_us, moments[-1][0].pts_us)
        there = (
            imported.observations_between(connection, subject, self._sha256, *ends)
            if connection is not None
            else {}
        )
        for moment in moments:
            row = moment[0]
            if (why := bounds.refusal("series", row.at)) is not None:
                found.refuse(why, row.line)
            elif row.pts_us not in there:
                found.observed.append((row.zone, self._observed(moment)))
            elif there[row.pts_us] != row.at:
                found.refuse(OTHERWISE, row.line)
            else:
                observed = self._observed(moment)
                found.there["observations"] += 1
                found.there["estimates"] += len(observed.estimates)

    def _observed(self, moment: Sequence[Row]) -> Observed:
        face = self._mapping.face
        assert face is not None
        row, faces = moment[0], list(_faces(moment))
        ours = [seen for seen in faces if seen.ours]
        reason, seen = None, ours[0] if len(ours) == 1 else None
        if not faces:
            reason = Reason.NO_FACE
        elif seen is None:
            # Nobody says which of them is the participant's, or theirs is not among them.
            reason = Reason.AMBIGUOUS if ours else Reason.NO_FACE
        else:
            reason = seen.reason
        observation = Observation(
            source=self._sha256,
            pts_us=row.pts_us,
            at=row.at,
            time_source=_STATED,
            reason=reason,
            faces=len(faces),
            box=seen.box if seen is not None else None,
            detector=face.detector if faces else None,
            score=seen.score if seen is not None else None,
            imported_from=self._sha256,
        )
        read = seen.read if seen is not None and reason is None else None
        estimate = self._mapping.estimate
        said = () if read is None or estimate is None else (Estimate(estimate.network, read),)
        return Observed(observation, said)

    def _key(self, row: Row) -> str:
        """The same for the same row of the same file, and for no other: what is stored once under it is there."""
        told = f"{self._sha256}|{row.who}|{row.at.isoformat()}".encode()
        return str(uuid.UUID(bytes=hashlib.sha256(told).digest()[:16]))


def _faces(moment: Sequence[Row]) -> Iterator[Seen]:
    for row in moment:
        if row.seen is not None and row.seen.reason is not Reason.NO_FACE:
            yield row.seen
