"""From the rows of an archive to the domain's values: each is checked, because an archive may say anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from tracker.domain import notes
from tracker.domain.affect import EMOTIONS, Distribution
from tracker.domain.instants import parse_instant, require_past, require_zone
from tracker.domain.series import Context, Correction, Estimate, Observation, Prompt, Reason, TimeSource
from tracker.domain.stretches import Stretch
from tracker.learning.kinds import label_of
from tracker.workflows.importing.errors import ArchiveError

_T = TypeVar("_T")
_LARGEST = 2**63 - 1
_PROBABILITIES = tuple(f"p_{e.value}" for e in EMOTIONS)


@dataclass(frozen=True, slots=True)
class Seen:
    """An observation with its number in the archive, the zone kept beside it, and how many it stands for."""

    id: int
    zone: str
    what: Observation
    samples: int


@dataclass(frozen=True, slots=True)
class Said:
    """An estimate, the number of its observation, and of how many readings it is the mean."""

    observation: int
    what: Estimate
    samples: int


@dataclass(frozen=True, slots=True)
class Around:
    """A context with its zone."""

    zone: str
    what: Context


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt with its number and zone."""

    id: int
    zone: str
    what: Prompt


@dataclass(frozen=True, slots=True)
class Word:
    """A correction with its number and zone, and the numbers of what it speaks of, answers and supersedes.

    Where raters said it, `rated`: who may see a face was agreed to where it comes from, and not here.
    """

    id: int
    zone: str
    what: Correction
    observation: int | None
    prompt: int | None
    supersedes: int | None
    rated: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A note, and the number of its correction."""

    correction: int
    text: str


@dataclass(frozen=True, slots=True)
class Crop:
    """The file of a picture, and the number of its observation."""

    observation: int
    file: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """A stretch that is hidden, or was."""

    stretch: Stretch
    still: bool


class Fields:
    """One row, whose fields are asked for by name and kind."""

    def __init__(self, row: Mapping[str, Any], now: datetime) -> None:
        self._row = row
        self._now = now

    def value(self, name: str) -> Any:
        """Whatever stands there; raise `ValueError` where nothing does."""
        if name not in self._row:
            raise ValueError(f"{name} is missing")
        return self._row[name]

    def has(self, name: str) -> bool:
        """Whether the archive was made when there was such a field."""
        return name in self._row

    def integer(self, name: str, *, least: int = 0) -> int:
        """A whole number that a database can hold."""
        found = self.value(name)
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= _LARGEST:
            raise ValueError(f"{name} is {found!r}, which is no whole number from {least} on")
        return found

    def number(self, name: str) -> float:
        """A finite number."""
        found = self.value(name)
        if not isinstance(found, int | float) or isinstance(found, bool) or not math.isfinite(found):
            raise ValueError(f"{name} is {found!r}, which is no number")
        return float(found)

    def share(self, name: str) -> float:
        """A number from 0 to 1."""
        found = self.number(name)
        if not 0.0 <= found <= 1.0:
            raise ValueError(f"{name} is {found!r}, which does not lie between 0 and 1")
        return found

    def yes(self, name: str) -> bool:
        """True or false."""
        found = self.value(name)
        if not isinstance(found, bool):
            raise ValueError(f"{name} is {found!r}, which is neither true nor false")
        return found

    def text(self, name: str, longest: int) -> str:
        """A text of at least one character."""
        found = self.value(name)
        if not isinstance(found, str) or not 0 < len(found) <= longest or "\0" in found:
            raise ValueError(f"{name} is no text of at most {longest} characters")
        return found

    def instant(self, name: str, *, past: bool = False) -> datetime:
        """An instant in UTC; where it must have been, one that lies in the future is refused."""
        found = self.value(name)
        if not isinstance(found, str):
            raise ValueError(f"{name} is {found!r}, which is no time")
        at = parse_instant(found)
        return require_past(at, self._now) if past else at

    def zone(self) -> str:
        """An IANA zone."""
        name = self.text("zone", 64)
        require_zone(name)
        return name

    def maybe(self, read: Callable[..., _T], name: str, *more: Any, **named: Any) -> _T | None:
        """What stands there, or None where null does."""
        return None if self.value(name) is None else read(name, *more, **named)

    def emotions(self) -> Distribution:
        """The eight probabilities."""
        return Distribution(tuple(self.number(name) for name in _PROBABILITIES))


def each(
    rows: Iterator[dict[str, Any]], table: str, read: Callable[[Fields], _T], now: datetime
) -> Iterator[_T]:
    """Stream the rows of a table as values; raise `ArchiveError` naming the row that is none."""
    for n, row in enumerate(rows, start=1):
        try:
            yield read(Fields(row, now))
        except ValueError as error:
            raise ArchiveError(f"row {n:,} of {table} cannot be taken in: {error}") from None


def observation(f: Fields) -> Seen:
    """Read a row of observations."""
    box = tuple(f.maybe(f.number, name) for name in ("box_x", "box_y", "box_w", "box_h"))
    x, y, w, h = box
    reason = f.maybe(f.text, "reason", 16)
    return Seen(
        f.integer("id"),
        f.zone(),
        Observation(
            source=f.text("source", 64),
            pts_us=f.integer("pts_us", least=-_LARGEST),
            at=f.instant("at", past=True),
            time_source=TimeSource(f.text("time_source", 16)),
            reason=Reason(reason) if reason is not None else None,
            faces=f.integer("faces"),
            box=None if x is None or y is None or w is None or h is None else (x, y, w, h),
            detector=f.maybe(f.text, "detector", 32),
            score=f.maybe(f.number, "score"),
            sharpness=f.maybe(f.number, "sharpness"),
            aligned=f.maybe(f.yes, "aligned"),
            imported_from=_imported_from(f),
        ),
        f.integer("samples", least=1),
    )


def estimate(f: Fields) -> Said:
    """Read a row of estimates."""
    said = Estimate(f.text("network", 64), f.emotions(), f.integer("snapshot", least=-_LARGEST))
    return Said(f.integer("observation"), said, f.integer("samples", least=1))


def context(f: Fields) -> Around:
    """Read a row of contexts."""
    place, activity, company = (f.maybe(f.text, name, 64) for name in ("place", "activity", "company"))
    key = f.maybe(f.text, "key", 36) if f.has("key") else None
    at = f.instant("at", past=True)
    return Around(f.zone(), Context(at, place, activity, company, key, _imported_from(f)))


def prompt(f: Fields) -> Asked:
    """Read a row of prompts."""
    return Asked(
        f.integer("id"),
        f.zone(),
        Prompt(
            slot=f.text("slot", 64),
            scheduled_at=f.instant("scheduled_at"),
            notified_at=f.maybe(f.instant, "notified_at"),
            started_at=f.maybe(f.instant, "started_at"),
            completed_at=f.maybe(f.instant, "completed_at"),
            state=f.text("state", 16),
            reason=f.maybe(f.text, "reason", 16),
            random=f.yes("random"),
            **_of_schedules(f),
        ),
    )


def _of_schedules(f: Fields) -> dict[str, Any]:
    """What prompts have had since there are schedules; archives of before say nothing of it."""
    if not f.has("reminders"):
        return {}
    names = ["expires_at", "reminded_at", "ended_at", *(["pushed_at"] if f.has("pushed_at") else [])]
    return {"reminders": f.integer("reminders"), **{name: f.maybe(f.instant, name) for name in names}}


def correction(f: Fields) -> Word:
    """Read a row of corrections."""
    target = f.text("target", 32)
    said = None if f.value(_PROBABILITIES[0]) is None else f.emotions()
    value = f.maybe(f.number, "value")
    label_of(target, said, value)  # a target that is none, or an answer that is none to it, is refused here
    number, supersedes = f.integer("id"), f.maybe(f.integer, "supersedes")
    if supersedes is not None and supersedes >= number:
        raise ValueError(f"it supersedes {supersedes}, which was not said before it")
    return Word(
        number,
        f.zone(),
        Correction(
            f.instant("at", past=True),
            target,
            said,
            value,
            f.text("rater", 32),
            suggestion_shown=f.yes("suggestion_shown"),
            imported_from=_imported_from(f),
            **_of_answers(f),
        ),
        f.maybe(f.integer, "observation"),
        f.maybe(f.integer, "prompt"),
        supersedes,
        f.has("rated_grant") and f.value("rated_grant") is not None,
    )


def _imported_from(f: Fields) -> str | None:
    """What came from elsewhere once stays so; archives of before say nothing of it."""
    return f.maybe(f.text, "imported_from", 64) if f.has("imported_from") else None


def _of_answers(f: Fields) -> dict[str, Any]:
    """What corrections have had since there are answers in seconds."""
    if not f.has("key"):
        return {}
    return {
        "intensity": f.maybe(f.share, "intensity"),
        "response_ms": f.maybe(f.integer, "response_ms"),
        "key": f.maybe(f.text, "key", 36),
    }


def note(f: Fields) -> Note:
    """Read a row of notes."""
    return Note(f.integer("correction"), notes.checked(f.text("text", notes.LONGEST)))


def crop(f: Fields) -> Crop:
    """Read a row of crops."""
    return Crop(f.integer("observation"), f.text("file", 128))


def hidden(f: Fields) -> Hidden:
    """Read a row of hidden."""
    stretch = Stretch(f.instant("starts_at"), f.instant("ends_at"))
    return Hidden(stretch, f.maybe(f.instant, "shown_at") is None)
