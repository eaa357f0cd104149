"""Read a whole archive once before anything is stored: is all of it sound, and what grants does it need?"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from tracker.domain.consent import SCOPES_OF, Scope, Use
from tracker.domain.series import MACHINE
from tracker.domain.video import SIDE
from tracker.vision.errors import MediaError
from tracker.vision.received import demand_readable
from tracker.workflows.importing import rows
from tracker.workflows.importing.errors import ArchiveError
from tracker.workflows.importing.reading import Archive
from tracker.workflows.importing.shape import Fate, tables_of

_T = TypeVar("_T")
_PNG = b"\x89PNG\r\n\x1a\n"

LARGEST_FRAME = 512 * 1024
"""Bytes of a frame of video: noise of `SIDE` pixels each way fills a good third of it."""

_END = b"\xff\xd9"
# APP1 to APP15 of ITU-T T.81: EXIF with its small second picture, and whatever else programs add. In what is coded
# after the header 0xff is followed by none of them.
_APPENDED = tuple(bytes((0xFF, marker)) for marker in range(0xE1, 0xF0))


@dataclass
class Contents:
    """What an archive holds.

    Attributes
    ----------
    earliest
        From which instant on each use must be allowed for all of it.
    snapshots
        The learner's states that estimates name.
    """

    earliest: dict[Use, datetime] = field(default_factory=dict)
    snapshots: set[int] = field(default_factory=set)

    def needed(self) -> dict[Scope, datetime]:
        """From which instant on each scope must cover, in the scopes' order."""
        found: dict[Scope, datetime] = {}
        for use, at in self.earliest.items():
            for scope in SCOPES_OF[use]:
                found[scope] = min(at, found.get(scope, at))
        return {scope: found[scope] for scope in Scope if scope in found}

    def need(self, use: Use, at: datetime) -> None:
        """Note that a use must be allowed for an instant."""
        self.earliest[use] = min(at, self.earliest.get(use, at))


def survey(archive: Archive, now: datetime, report: Callable[[float], None] = lambda _: None) -> Contents:
    """Read every row and every picture that an import stores.

    Parameters
    ----------
    archive
        The archive.
    now
        What lies after it cannot have happened (UTC).
    report
        Called with the share done, 0 to 1.

    Raises
    ------
    ArchiveError
        When anything in it is damaged, altered, or not what an archive holds.
    """
    look = _Survey(archive, now)
    steps = (
        (look.observations, 0.3),
        (look.estimates, 0.7),
        (look.contexts, 0.72),
        (look.prompts, 0.74),
        (look.corrections, 0.8),
        (look.notes, 0.81),
        (look.crops, 0.9),
        (look.frames, 0.98),
        (look.hidden, 0.99),
        (look.history, 1.0),
    )
    for step, done in steps:
        step()
        report(done)
    return look.contents


class _Survey:
    """One reading of an archive: what was met so far, by its number in the archive."""

    def __init__(self, archive: Archive, now: datetime) -> None:
        self._archive, self._now = archive, now
        self._observations: dict[int, datetime] = {}
        self._prompts: set[int] = set()
        self._corrections: dict[int, datetime] = {}
        self.contents = Contents()

    def observations(self) -> None:
        """Each frame once."""
        frames: dict[str, set[int]] = {}
        for seen in self._each("observations", rows.observation):
            of_source = frames.setdefault(seen.what.source, set())
            _new(seen.id, self._observations, "observations")
            _new(seen.what.pts_us, of_source, "observations")
            of_source.add(seen.what.pts_us)
            self._observations[seen.id] = seen.what.at
            self.contents.need(Use.STORE_SERIES, seen.what.at)

    def estimates(self) -> None:
        """Each of an observation; that none is there twice is left to the database, for there are many."""
        for said in self._each("estimates", rows.estimate):
            at = _known(self._observations, said.observation, "estimates")
            if said.what.snapshot != MACHINE:
                self.contents.snapshots.add(said.what.snapshot)
                self.contents.need(Use.LEARN, at)

    def contexts(self) -> None:
        """They stand by themselves, one for an answer."""
        answers: set[str] = set()
        for around in self._each("contexts", rows.context):
            if around.what.key is not None:
                _new(around.what.key, answers, "contexts")
                answers.add(around.what.key)
            self.contents.need(Use.KEEP_CONTEXT, around.what.at)

    def prompts(self) -> None:
        """One for a slot."""
        slots: set[str] = set()
        for asked in self._each("prompts", rows.prompt):
            _new(asked.id, self._prompts, "prompts")
            _new(asked.what.slot, slots, "prompts")
            slots.add(asked.what.slot)
            self._prompts.add(asked.id)
            self.contents.need(Use.PROMPT, asked.what.scheduled_at)

    def corrections(self) -> None:
        """Each about an observation, to a prompt and instead of a correction that are there."""
        superseded: set[int] = set()
        answers: set[tuple[str, str]] = set()
        for word in self._each("corrections", rows.correction):
            _new(word.id, self._corrections, "corrections")
            if word.what.key is not None:
                _new((word.what.key, word.what.target), answers, "corrections")
                answers.add((word.what.key, word.what.target))
            for number, there in (
                (word.observation, self._observations),
                (word.supersedes, self._corrections),
            ):
                if number is not None:
                    _known(there, number, "corrections")
            if word.prompt is not None and word.prompt not in self._prompts:
                raise ArchiveError(_LACKS.format(table="corrections", number=word.prompt))
            if word.supersedes is not None:
                _new(word.supersedes, superseded, "corrections")
                superseded.add(word.supersedes)
            self._corrections[word.id] = word.what.at
            if not word.rated:  # it is left out
                self.contents.need(Use.CORRECT if word.prompt is None else Use.PROMPT, word.what.at)

    def notes(self) -> None:
        """One for a correction."""
        noted: set[int] = set()
        for note in self._each("notes", rows.note):
            self.contents.need(Use.KEEP_NOTES, _known(self._corrections, note.correction, "notes"))
            _new(note.correction, noted, "notes")
            noted.add(note.correction)

    def crops(self) -> None:
        """One for an observation, and a picture."""
        pictured: set[int] = set()
        for crop in self._each("crops", rows.crop):
            self.contents.need(Use.KEEP_CROPS, _known(self._observations, crop.observation, "crops"))
            _new(crop.observation, pictured, "crops")
            pictured.add(crop.observation)
            if not self._archive.picture(crop.file).startswith(_PNG):
                raise ArchiveError(f"{crop.file} is no PNG picture; it was not made by this program")

    def frames(self) -> None:
        """One for an observation, and a JPEG no larger than those that are kept here."""
        filmed: set[int] = set()
        for frame in self._each("frames", rows.crop):
            self.contents.need(Use.KEEP_VIDEO, _known(self._observations, frame.observation, "frames"))
            _new(frame.observation, filmed, "frames")
            filmed.add(frame.observation)
            _demand_frame(frame.file, self._archive.picture(frame.file))

    def hidden(self) -> None:
        """They stand by themselves, and need no grant."""
        deque(self._each("hidden", rows.hidden), maxlen=0)

    def history(self) -> None:
        """Any rows: they are kept as they are, and nothing rests on them."""
        for table in tables_of(Fate.HISTORY):
            deque(self._archive.rows(table), maxlen=0)
        if len(list(self._archive.rows("participants"))) != 1:
            raise ArchiveError("the archive is not of one person; it was not made by this program")

    def _each(self, table: str, read: Callable[[rows.Fields], _T]) -> Iterator[_T]:
        return rows.each(self._archive.rows(table), table, read, self._now)


_LACKS = "{table} name the number {number}, which the archive lacks: it is not whole; make it anew"


def _demand_frame(name: str, data: bytes) -> None:
    """Only what a frame that is kept here looks like: others may be shown it, so nothing rides along in it."""
    try:
        header = demand_readable(data)
    except MediaError:
        header = None
    if header is None or header.format != "jpeg" or max(header.width, header.height) > SIDE:
        raise ArchiveError(
            f"{name} is no JPEG picture of at most {SIDE} pixels; it was not made by this program"
        )
    if len(data) > LARGEST_FRAME or not data.endswith(_END) or any(marker in data for marker in _APPENDED):
        raise ArchiveError(f"{name} holds more than a picture; it was not made by this program")


def _known(there: Mapping[int, datetime], number: int, table: str) -> datetime:
    if number not in there:
        raise ArchiveError(_LACKS.format(table=table, number=number))
    return there[number]


def _new(what: object, there: Container[object], table: str) -> None:
    if what in there:
        raise ArchiveError(
            f"{table} say something about {what} twice; the archive was not made by this program"
        )
