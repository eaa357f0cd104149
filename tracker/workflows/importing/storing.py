"""Store the rows of an archive in one unit: numbers are given anew, and what grants do not cover is left out."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from tracker.access import Access, Unit
from tracker.domain import notes as words
from tracker.domain.consent import Permit, Scope, Use
from tracker.domain.series import MACHINE, Estimate
from tracker.domain.video import Room
from tracker.privacy.keys import IDENTITY
from tracker.store import arriving, crops, feedback, former, frames, hiding, notes, summaries
from tracker.workflows.importing import rows
from tracker.workflows.importing.contents import Contents
from tracker.workflows.importing.reading import Archive
from tracker.workflows.importing.shape import Fate, tables_of

BLOCK = 2_000
"""Rows that are held in memory and stored at once."""

FORMER = "former_records"

RESTS_ON = {
    Use.STORE_SERIES: Scope.AFFECT_SERIES,
    Use.CORRECT: Scope.AFFECT_SERIES,
    Use.LEARN: Scope.PERSONAL_LEARNING,
    Use.KEEP_CONTEXT: Scope.CONTEXT,
    Use.PROMPT: Scope.PROMPTS,
    Use.KEEP_NOTES: Scope.NOTES,
    Use.KEEP_CROPS: Scope.FACE_CROPS,
    Use.KEEP_VIDEO: Scope.RAW_VIDEO,
}
"""The scope of the rows that each use stores, whose retention is theirs."""

_T = TypeVar("_T")


class Storing:
    """Stores one archive in one writing unit, table by table in the order of what they point to.

    Parameters
    ----------
    access, unit
        The keys, and a writing unit on the person who takes it in.
    archive, contents
        The archive, and what a survey found in it.

    Attributes
    ----------
    stored, left
        Rows by table: what was stored, and what no grant covers or the study keeps no longer.
    """

    def __init__(self, access: Access, unit: Unit, archive: Archive, contents: Contents) -> None:
        self._access, self._unit, self._archive = access, unit, archive
        self._permits = {use: _kept(unit, use) for use in contents.earliest}
        self._snapshots = _renumbered(contents.snapshots)
        self._observations: dict[int, tuple[int, datetime]] = {}
        self._prompts: dict[int, int] = {}
        self._corrections: dict[int, tuple[int, datetime]] = {}
        self.stored: Counter[str] = Counter()
        self.left: Counter[str] = Counter()

    def run(self, report: Callable[[float], None]) -> None:
        """Store everything; the caller's transaction decides whether it stays."""
        steps = (
            (self._add_hidden, 0.0),  # first: nothing of it is learned from in between
            (self._add_observations, 0.35),
            (self._add_estimates, 0.75),
            (self._add_contexts, 0.77),
            (self._add_prompts, 0.79),
            (self._add_corrections, 0.83),
            (self._add_notes, 0.84),
            (self._add_crops, 0.9),
            (self._add_frames, 0.95),
            (self._add_history, 0.96),
        )
        for step, done in steps:
            step()
            report(done)
        summaries.summarise_again(self._unit.connection, self._unit.person.subject)
        report(1.0)

    def _add_observations(self) -> None:
        permit = self._permits.get(Use.STORE_SERIES)
        for block in _blocks(self._each("observations", rows.observation)):
            kept = [seen for seen in block if _covers(permit, seen.what.at)]
            self.left["observations"] += len(block) - len(kept)
            if permit is None or not kept:
                continue
            unit = self._unit
            new = arriving.add_observations(
                unit.connection,
                permit,
                unit.person.subject,
                [(s.zone, s.what, s.samples) for s in kept],
                unit.now,
            )
            self._observations |= {s.id: (n, s.what.at) for s, n in zip(kept, new, strict=True)}
            self.stored["observations"] += len(kept)

    def _add_estimates(self) -> None:
        series, learn = self._permits.get(Use.STORE_SERIES), self._permits.get(Use.LEARN)
        for block in _blocks(self._each("estimates", rows.estimate)):
            kept = []
            for said in block:
                there = self._observations.get(said.observation)
                permit = series if said.what.snapshot == MACHINE else learn
                if there is not None and _covers(permit, there[1]):
                    number = self._snapshots[said.what.snapshot]
                    what = Estimate(said.what.network, said.what.distribution, number)
                    kept.append((*there, what, said.samples))
            self.left["estimates"] += len(block) - len(kept)
            self.stored["estimates"] += len(kept)
            if series is not None:
                arriving.add_estimates(self._unit.connection, series, learn, kept, self._unit.now)

    def _add_contexts(self) -> None:
        permit, unit = self._permits.get(Use.KEEP_CONTEXT), self._unit
        for around in self._each("contexts", rows.context):
            if self._counted("contexts", _covers(permit, around.what.at)) and permit is not None:
                feedback.add_context(
                    unit.connection, permit, unit.person.subject, around.zone, around.what, unit.now
                )

    def _add_prompts(self) -> None:
        permit, unit = self._permits.get(Use.PROMPT), self._unit
        for asked in self._each("prompts", rows.prompt):
            if self._counted("prompts", _covers(permit, asked.what.scheduled_at)) and permit is not None:
                number = feedback.put_prompt(
                    unit.connection, permit, unit.person.subject, asked.zone, asked.what, unit.now
                )
                assert number is not None, "the survey found no slot twice, and the person had none"
                self._prompts[asked.id] = number

    def _add_corrections(self) -> None:
        unit = self._unit
        for word in self._each("corrections", rows.correction):
            permit = self._permits.get(Use.CORRECT if word.prompt is None else Use.PROMPT)
            # What raters said rests on what was agreed to there; an answer whose question is left out would look like
            # a word of the person's own accord.
            whole = (word.prompt is None or word.prompt in self._prompts) and not word.rated
            if not self._counted("corrections", whole and _covers(permit, word.what.at)) or permit is None:
                continue
            seen = self._observations.get(word.observation) if word.observation is not None else None
            old = self._corrections.get(word.supersedes) if word.supersedes is not None else None
            number = feedback.add_correction(
                unit.connection,
                permit,
                unit.person.subject,
                word.zone,
                word.what,
                unit.now,
                observation=seen[0] if seen is not None else None,
                prompt=self._prompts[word.prompt] if word.prompt is not None else None,
                supersedes=old[0] if old is not None else None,
            )
            self._corrections[word.id] = (number, word.what.at)

    def _add_notes(self) -> None:
        permit, unit = self._permits.get(Use.KEEP_NOTES), self._unit
        for note in self._each("notes", rows.note):
            there = self._corrections.get(note.correction)
            if not self._counted("notes", there is not None and _covers(permit, there[1])):
                continue
            assert there is not None
            assert permit is not None
            name = secrets.token_hex(16)
            sealed = self._seal(Scope.NOTES.value, words.to_bytes(note.text), notes.place(name))
            notes.add(unit.connection, permit, unit.person.subject, name, *there, sealed, unit.now)

    def _add_crops(self) -> None:
        permit, unit = self._permits.get(Use.KEEP_CROPS), self._unit
        for crop in self._each("crops", rows.crop):
            there = self._observations.get(crop.observation)
            if not self._counted("crops", there is not None and _covers(permit, there[1])):
                continue
            assert there is not None
            assert permit is not None
            name = secrets.token_hex(16)
            picture = self._archive.picture(crop.file)
            sealed = self._seal(Scope.FACE_CROPS.value, picture, crops.place(name))
            new = crops.NewCrop(name, *there, sealed)
            crops.append(unit.connection, permit, unit.person.subject, [new], unit.now)

    def _add_frames(self) -> None:
        permit, unit = self._permits.get(Use.KEEP_VIDEO), self._unit
        subject = unit.person.subject
        room = Room(lambda at: frames.held_on(unit.connection, subject, at))
        for frame in self._each("frames", rows.crop):
            there = self._observations.get(frame.observation)
            if there is None or permit is None or not _covers(permit, there[1]):
                self._counted("frames", kept=False)
                continue
            name = secrets.token_hex(16)
            picture = self._archive.picture(frame.file)
            sealed = self._seal(Scope.RAW_VIDEO.value, picture, frames.place(name))
            if self._counted("frames", room.take(there[1], len(sealed))):
                new = frames.NewFrame(name, *there, sealed)
                frames.append(unit.connection, permit, subject, [new], unit.now)

    def _add_hidden(self) -> None:
        unit = self._unit
        for row in self._each("hidden", rows.hidden):
            if row.still:
                self.stored["hidden"] += 1
                hiding.hide(unit.connection, unit.person.subject, row.stretch, unit.now)

    def _add_history(self) -> None:
        unit = self._unit
        kept = []
        for record in _history(self._archive):
            name = secrets.token_hex(16)
            plain = json.dumps(record, sort_keys=True, ensure_ascii=False).encode()
            kept.append((name, self._seal(IDENTITY, plain, former.place(name))))
        former.add(unit.connection, unit.person.id, kept, unit.now)
        self.stored[FORMER] += len(kept)

    def _seal(self, purpose: str, plain: bytes, place: str) -> bytes:
        return self._access.vault.seal(self._unit.person.id, purpose, plain, place)

    def _each(self, table: str, read: Callable[[rows.Fields], _T]) -> Iterator[_T]:
        return rows.each(self._archive.rows(table), table, read, self._unit.now)

    def _counted(self, table: str, kept: bool) -> bool:
        (self.stored if kept else self.left)[table] += 1
        return kept


def _history(archive: Archive) -> Iterator[dict[str, Any]]:
    [me] = archive.rows("participants")
    for table in tables_of(Fate.HISTORY):
        for n, row in enumerate(archive.rows(table)):
            if table == FORMER:
                yield {name: row.get(name) for name in ("installation", "table", "position", "row")}
            else:
                yield {"installation": me.get("id"), "table": table, "position": n, "row": row}


def _kept(unit: Unit, use: Use) -> Permit | None:
    """A permit about moments that are not past what the study keeps: those would be unreadable at once."""
    permit = unit.allowed(use)
    start = unit.readable_from(RESTS_ON[use])
    if permit is None or start is None:
        return permit
    return replace(permit, covers_from=max(permit.covers_from, start))


def _covers(permit: Permit | None, at: datetime) -> bool:
    return permit is not None and at >= permit.covers_from


def _renumbered(snapshots: set[int]) -> dict[int, int]:
    """Learner states of elsewhere count up to -1: no state that is made here is ever numbered so, and each is newer.

    Examples
    --------
    >>> _renumbered({7, 3, -2})
    {0: 0, -2: -3, 3: -2, 7: -1}
    """
    old = sorted(snapshots)
    return {MACHINE: MACHINE} | {number: i - len(old) for i, number in enumerate(old)}


def _blocks(each: Iterator[_T]) -> Iterator[list[_T]]:
    while block := list(islice(each, BLOCK)):
        yield block
