"""A withdrawal that has committed beats every later write, in any process: eight writers race it, 200 times."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

from tests.builders import NOW, observed, person, store
from tests.invariants import held
from tests.invariants.conftest import Tell
from tests.processes import CONTEXT, finish, opened, start
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, Recorder, Scope
from tracker.domain.series import Context, Correction
from tracker.workflows import consenting, feedback

ROUNDS = 200
WRITERS = 8
SERIES = [Scope.AFFECT_SERIES]
TABLES = ("observations", "estimates", "contexts", "corrections")
PATIENCE_S = 600.0
"""Against waiting for ever: eight processes that start on a busy machine take their time."""


def writer(url: str, folder: Path, number: int, gate: Barrier, withdrawn: Event, ended: Event) -> None:
    """Write round after round until refused. All claim the same instant: only the database says what came first."""
    access = opened(url, folder)
    ada = access.person("ada")
    chance, n = random.Random(number), 0
    while True:
        gate.wait(PATIENCE_S)
        if ended.is_set():
            return
        late = 0
        while late < 3:
            n += 1
            # Asked before the write begins: what is written from here on was begun after the withdrawal.
            late += withdrawn.is_set()
            at = NOW - timedelta(hours=number, seconds=n % 3000)
            try:
                if number == 0:
                    feedback.correct(access, ada, Correction(at, "valence", None, 0.5), NOW)
                elif number == 1:
                    feedback.add_context(access, ada, Context(at, place="home"), NOW)
                else:
                    store(access, ada, [observed(at, source=f"{number}" * 64, pts_us=n)], NOW)
            except ConsentMissingError:
                break
            # SQLite lets whoever waits longest wait longer: without pauses the withdrawal itself would not get in.
            time.sleep(chance.uniform(0, 0.03))
        gate.wait(PATIENCE_S)


def test_eight_writers_race_a_withdrawal(
    access: Access, tmp_path: Path, figure: Tell, rounds: Callable[[int], int]
) -> None:
    ada = person(access, "ada", [Scope.AFFECT_SERIES, Scope.CONTEXT])
    url = access.database.url.render_as_string(hide_password=False)
    gate, withdrawn, ended = CONTEXT.Barrier(WRITERS + 1), CONTEXT.Event(), CONTEXT.Event()
    processes = [start(writer, url, tmp_path, n, gate, withdrawn, ended) for n in range(WRITERS)]
    chance, races, before, late, busy = random.Random(8), rounds(ROUNDS), _rows(access), 0, 0
    first = before
    try:
        for n in range(races):
            gate.wait(PATIENCE_S)
            time.sleep(chance.uniform(0.0, 0.02))
            consenting.withdraw(access, ada, SERIES, NOW, recorder=Recorder.PARTICIPANT)
            committed = _rows(access)
            withdrawn.set()
            gate.wait(PATIENCE_S)
            late += _rows(access) - committed
            busy += committed > before
            withdrawn.clear()
            start_of = NOW - timedelta(days=60)
            consenting.grant(access, ada, SERIES, NOW, recorder=Recorder.PARTICIPANT, covers_from=start_of)
            before = _rows(access)
            assert late == 0, f"{late} rows were written after the withdrawal of race {n}"
        ended.set()
        gate.wait(PATIENCE_S)
    except BaseException:
        ended.set()
        gate.abort()
        finish(*processes, within_s=20)
        raise
    codes = finish(*processes, within_s=60)
    assert codes == [0] * WRITERS
    assert busy >= races // 2, "hardly any race was one: the writers were asleep"
    assert access.audit() is None
    figure(f"{races} races, {WRITERS} processes, {before - first:,} rows before, {late} after")


def _rows(access: Access) -> int:
    return sum(held.count(access, table) for table in TABLES)
