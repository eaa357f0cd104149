"""Stage one of erasing a person, beside the bare DELETE, VACUUM and checkpoint of a copy of the same file."""

from __future__ import annotations

import shutil
from itertools import islice
from pathlib import Path

from tracker.access import Access
from tracker.cli.benchmarks.figure import Figure, alternate, cost, seconds
from tracker.cli.benchmarks.scene import NOW, observations, scene
from tracker.cli.output import progress
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.settings import Settings
from tracker.store import compacting
from tracker.store.bare import bulk_erase, bulk_insert
from tracker.store.database import Database
from tracker.workflows import consenting, enrolment, erasure

BATCH = 5000
ROUNDS = 5


def measure(settings: Settings, folder: Path, rows: int) -> list[Figure]:
    """Fill a file with a person and with somebody of a third as many rows who stays; erase, ours and bare in turn."""
    access, person = scene(settings, folder)
    stays = enrolment.enrol(access, "stays", "Europe/Berlin", NOW).person
    consenting.grant(access, stays, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    with progress("Filling a file") as report:
        _fill(access, person, rows, 0)
        report(0.75)
        _fill(access, stays, rows // 3, rows // BATCH + 1)
    compacting.checkpoint(access.database)
    access.database.close()
    full = access.database.path
    assert full is not None
    copy = full.with_name("copy.db")

    def ours(_: int) -> float:
        shutil.copy(full, copy)
        mine = Access(Database(f"sqlite:///{copy}"), access.vault, access.keys)
        keys = access.keys.path.with_suffix(".kept")
        shutil.copy(access.keys.path, keys)
        took = seconds(lambda: erasure.erase_person(mine, person, NOW))
        mine.close()
        shutil.move(keys, access.keys.path)
        return took

    def bare(_: int) -> float:
        shutil.copy(full, copy)
        return seconds(lambda: bulk_erase(copy, person.subject, person.id))

    found, limit = alternate(ROUNDS, ours, bare)
    what = f"erase a person with {rows:,} observations, stage one: data gone"
    return [cost(what, found, "bare DELETE, VACUUM, checkpoint", limit, 2.0)]


def _fill(access: Access, person: Person, rows: int, first: int) -> None:
    source = observations(rows, "e" * 64)
    number = first
    while batch := list(islice(source, BATCH)):
        bulk_insert(access.database, person.subject, person.zone, batch, NOW, number)
        number += 1
