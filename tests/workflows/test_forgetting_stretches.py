"""A stretch that is erased for good: its rows, what was sealed of it, and what learners made of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, delete, select

from tests.builders import NOW, observed, person, store
from tests.invariants import held
from tests.invariants.canaries import search
from tests.lives import FACE, NOTE, PLACE, lived
from tests.personal.saying import PLACE as LEARNED_PLACE
from tests.personal.saying import newest, replayed, talkative
from tests.workflows.exported import stored_instants
from tests.workflows.rated import rater, said, shown
from tests.workflows.test_backup import backed_up, restored
from tracker.access import Access
from tracker.domain.people import Person
from tracker.domain.rating import Dimension, Sample, Trace
from tracker.domain.stretches import Stretch
from tracker.store import compacting, fingerprints, stretches, tables
from tracker.store.types import Instant, to_microseconds
from tracker.vision.faces import Face
from tracker.workflows import erasure, rating
from tracker.workflows.erasure import ErasureIncompleteError, certify
from tracker.workflows.ingest.capture import Capture, Shot
from tracker.workflows.ingest.running import Running

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LATER = NOW + MINUTE
SPEAKS_OF = {
    "observations": "at",
    "corrections": "at",
    "contexts": "at",
    "prompts": "scheduled_at",
    "drifts": "at",
}
"""The tables whose rows speak of an instant, and the column that says which."""


def instants(access: Access, who: Person) -> dict[str, list[datetime]]:
    return {table: stored_instants(access, table, who, column) for table, column in SPEAKS_OF.items()}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(-30, 130), minutes=st.integers(1, 90))
def test_what_lay_in_it_is_gone_and_everything_else_stays(access: Access, start: int, minutes: int) -> None:
    other = lived(access, f"other{len(access.everyone())}")
    who = lived(access, f"who{len(access.everyone())}")
    begin = NOW - 2 * HOUR + start * MINUTE
    gone = Stretch(begin, begin + minutes * MINUTE)
    before, theirs = instants(access, who), instants(access, other)
    erasure.erase_stretch(access, who, gone, LATER)
    after = instants(access, who)
    for table, found in before.items():
        kept = [at for at in found if not gone.holds(at)]
        # An answer goes with its question, and stays only where both may.
        assert set(after[table]) <= set(kept), table
        if table != "corrections":
            assert after[table] == kept, table
    assert instants(access, other) == theirs
    replayed(access, who)
    assert access.audit() is None
    with access.database.read() as connection:
        assert stretches.counts(connection, who.subject, who.id, gone) == {}


def test_no_byte_of_it_is_left(access: Access) -> None:
    who = lived(access)
    done = erasure.erase_stretch(access, who, Stretch(NOW - 3 * HOUR, NOW), LATER)
    assert done.counts["observations"] == 31
    assert done.counts["crops"] == 1
    assert done.counts["notes"] == 1
    files = held.database_bytes(access) | held.key_store_bytes(access)
    canaries = {"place": PLACE.encode(), "note": NOTE.encode(), "face": FACE}
    assert [hit for name, some in files.items() for hit in search(name, some, canaries)] == []
    assert not held.naming(held.rows(access), PLACE)
    told = certify(access, done, LATER)
    assert told["scope"] == "a stretch of time"
    assert told["stretch"]["from"] == (NOW - 3 * HOUR).isoformat()
    assert who.name not in repr(told)
    assert [d.stretch for d in erasure.of_stretches(access, who)] == [Stretch(NOW - 3 * HOUR, NOW)]
    assert erasure.of_scopes(access, who) == []


def test_learners_keep_nothing_of_it_and_what_is_left_can_be_replayed(access: Access) -> None:
    who = talkative(access)
    held_before = replayed(access, who)
    assert any(LEARNED_PLACE in repr(newest(access, who, t).parameters) for t in held_before)
    said = stored_instants(access, "contexts", who)
    for at in said:
        erasure.erase_stretch(access, who, Stretch(at, at + MINUTE), LATER)
    assert replayed(access, who).keys() == held_before.keys()
    with access.database.read() as connection:
        for table in (tables.learning_events, tables.snapshots):
            assert LEARNED_PLACE not in repr(connection.execute(select(table)).all()), table.name


def test_a_moment_that_rested_on_it_is_forgotten_too(access: Access) -> None:
    who = talkative(access)
    before = replayed(access, who)
    moment = stored_instants(access, "corrections", who)[6]
    # Two minutes before what was said: the face of then is in the features of the answers.
    erasure.erase_stretch(access, who, Stretch(moment - 2 * MINUTE, moment - MINUTE), LATER)
    after = replayed(access, who)
    assert all(after[target] == before[target] - 1 for target in before if target != "emotion")
    assert after["emotion"] == before["emotion"]


def test_a_restored_backup_does_not_bring_it_back(access: Access, tmp_path: Path) -> None:
    who = lived(access)
    file = backed_up(access, tmp_path, LATER)
    gone = Stretch(NOW - HOUR, NOW)
    erasure.erase_stretch(access, who, gone, LATER + MINUTE)
    after = instants(access, who)
    told = restored(access, file, LATER + 2 * MINUTE)
    assert told.problem is None
    assert told.erased > 0
    assert instants(access, who) == after
    assert access.audit() is None


def test_an_erasure_that_was_interrupted_is_finished_by_the_jobs(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = lived(access)
    with monkeypatch.context() as patched:
        patched.setattr(compacting, "compact", lambda *_: False)
        with pytest.raises(ErasureIncompleteError):
            erasure.erase_stretch(access, who, Stretch(NOW - 3 * HOUR, NOW), LATER)
    assert erasure.of_stretches(access, who) == []
    [done] = erasure.resume(access, LATER + MINUTE)
    assert done.stretch == Stretch(NOW - 3 * HOUR, NOW)
    assert done.looked_at
    assert erasure.of_stretches(access, who) == [done]
    assert erasure.resume(access, LATER + MINUTE) == []


def test_erasing_it_again_erases_what_has_come_since(access: Access) -> None:
    who = lived(access)
    gone = Stretch(NOW - 3 * HOUR, NOW)
    first = erasure.erase_stretch(access, who, gone, LATER)
    store(access, who, [observed(NOW - HOUR)], LATER)
    second = erasure.erase_stretch(access, who, gone, LATER)
    assert second.counts["observations"] == 1
    assert second.gone_at > first.gone_at
    assert erasure.erase_stretch(access, who, gone, LATER).rows == 0


def test_every_table_that_speaks_of_an_instant_is_asked(access: Access) -> None:
    """A new table with a moment of a person's in it must be added to `stretches.conditions`."""
    moments = {"at", "scheduled_at", "starts_at", "bucket"}
    speaking: set[Table] = {
        t
        for t in tables.metadata.sorted_tables
        if "subject" in t.c and any(isinstance(t.c[n].type, Instant) for n in moments if n in t.c)
    }
    with access.database.read() as connection:
        covered = set(stretches.conditions(connection, "s", "p", Stretch(NOW, LATER)))
    assert speaking - covered == {tables.summaries}, "sums are made anew"


def test_what_a_capture_still_holds_does_not_come_back(access: Access) -> None:
    who = person(access)
    capture = Capture(
        who, "c", Shot((240, 320), (Face((80.0, 48.0, 160.0, 144.0), 1.0, None, "centre"),), 0, NOW), 0, 0
    )
    running = Running(capture, 0.0)
    seconds = (4, 3, 2, 1, 0)
    capture.rows = [observed(NOW - timedelta(seconds=n), source=capture.source) for n in seconds]
    capture.crops = {r.observation: np.zeros((48, 48, 3), np.uint8) for r in capture.rows}
    end = NOW - timedelta(seconds=1)
    erasure.erase_stretch(access, who, Stretch(NOW - HOUR, end), NOW)
    assert running.flush(access, LATER) is None
    assert stored_instants(access, "observations", who) == [end, NOW]
    assert held.count(access, "crops") == 2


@pytest.mark.parametrize("forgotten", [False, True], ids=["kept", "pictures forgotten"])
def test_what_raters_said_of_a_clip_goes_with_any_of_its_pictures(access: Access, forgotten: bool) -> None:
    who = shown(access, faces=8, every=timedelta(seconds=5))
    kim = rater(access)
    [clip] = rating.stretches(access, kim, NOW)
    frames = rating.open_series(access, kim, clip.item, NOW).frames
    samples = tuple(Sample(f.at, 0.25, f.observation) for f in frames)
    if not forgotten:
        rating.vote(access, kim, clip.item, said(), NOW)
    else:
        rating.keep_trace(access, kim, clip.item, Trace(Dimension.VALENCE, samples, 2.0, "a-trace-once"), NOW)
        with access.database.write() as connection:  # all but the first, as retention might leave them
            gone = [f.observation for f in frames[1:]]
            for table, column in (
                (tables.crops, tables.crops.c.observation),
                (tables.estimates, tables.estimates.c.observation),
                (tables.observations, tables.observations.c.id),
            ):
                connection.execute(delete(table).where(column.in_(gone)))
    beside = Stretch(frames[-1].at + timedelta(seconds=1), frames[-1].at + MINUTE)
    erasure.erase_stretch(access, who, beside, NOW + MINUTE)
    assert counted(access) == (1, 0 if forgotten else 1, 1 if forgotten else 0)
    last = Stretch(frames[-1].at, frames[-1].at + timedelta(seconds=1))
    erasure.erase_stretch(access, who, last, NOW + MINUTE)
    assert counted(access) == (0, 0, 0)
    stored = b"".join(held.database_bytes(access).values())
    assert str(to_microseconds(frames[-1].at)).encode() not in stored


def test_the_search_asks_for_what_traces_say(access: Access) -> None:
    who = shown(access, faces=8, every=timedelta(seconds=5))
    kim = rater(access)
    [clip] = rating.stretches(access, kim, NOW)
    frames = rating.open_series(access, kim, clip.item, NOW).frames
    samples = tuple(Sample(f.at, 0.25, f.observation) for f in frames)
    rating.keep_trace(access, kim, clip.item, Trace(Dimension.VALENCE, samples, 2.0, "a-trace-once"), NOW)
    inside = Stretch(frames[2].at, frames[5].at)
    with access.database.read() as connection:
        found = stretches.sampled_in(connection, who.subject, inside)
        assert found == [str(to_microseconds(frames[i].at)) for i in (2, 4)]
        assert all(fingerprints.said_elsewhere(connection, word) for word in found)


def counted(access: Access) -> tuple[int, int, int]:
    counts = held.counts(access)
    return counts["rating_tasks"], counts["rating_votes"], counts["rating_traces"]
