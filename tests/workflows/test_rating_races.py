"""A withdrawal in one process against raters in others: after its commit nothing is opened, and nothing is stored."""

import random
import time
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.builders import NOW
from tests.processes import CONTEXT, close, finish, opened, start
from tests.workflows.rated import given, rater, said, shown
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.store import tables
from tracker.workflows import consenting, members, rating

LATER = NOW + timedelta(minutes=1)


def rate_on(url: str, folder: Path, name: str, ready: Event, withdrawn: Event, told: Path) -> None:
    """Take items, open and rate them until everything is closed; say what succeeded after the withdrawal was known."""
    access = opened(url, folder)
    who, chance, late = members.find(access, name), random.Random(name), 0
    for turn in range(10_000):
        # Whatever begins after the withdrawal has committed must fail.
        known = withdrawn.is_set()
        try:
            items = rating.next_items(access, who, NOW, 2, chance=chance)
            late += known * len(items)
            for item in items:
                rating.open_crop(access, who, item.id, NOW)
                late += known
                rating.vote(access, who, item.id, said(), NOW)
                late += known
                if turn % 3 == 0:
                    rating.undo(access, who, item.id, f"undo-{name}-{turn}-{item.id[:8]}", NOW)
        except rating.ItemClosedError:
            pass
        if turn == 2:
            ready.set()
        if known:
            break
    told.write_text(str(late), "utf-8")
    close(access)


def votes(access: Access) -> int:
    with access.database.read() as connection:
        return len(connection.execute(select(tables.rating_votes.c.id)).all())


def test_a_withdrawal_beats_raters_in_other_processes(
    access: Access, database_url: str, tmp_path: Path
) -> None:
    ada = shown(access, faces=40)
    names = ["kim", "lee"]
    for name in names:
        rater(access, name)
    ready, withdrawn = [CONTEXT.Event() for _ in names], CONTEXT.Event()
    files = [tmp_path / f"{name}.txt" for name in names]
    running = [
        start(rate_on, database_url, tmp_path, name, event, withdrawn, file)
        for name, event, file in zip(names, ready, files, strict=True)
    ]
    for event in ready:
        assert event.wait(120)
    consenting.withdraw(access, ada, [Scope.SHARE_WITH_RATERS], LATER, recorder=Recorder.PARTICIPANT)
    withdrawn.set()
    at_withdrawal = votes(access)
    assert at_withdrawal > 0
    time.sleep(0.2)
    assert finish(*running) == [0, 0]
    assert [file.read_text("utf-8") for file in files] == ["0", "0"]
    assert votes(access) == at_withdrawal


def test_between_listing_opening_and_voting_each_step_asks_again(access: Access) -> None:
    ada, kim = shown(access), rater(access)
    listed, opened_, voted = given(access, kim, 3)
    rating.open_crop(access, kim, opened_, NOW)
    rating.vote(access, kim, voted, said(), NOW)
    before = votes(access)
    consenting.withdraw(access, ada, [Scope.FACE_CROPS], LATER, recorder=Recorder.PARTICIPANT)
    for act in (
        lambda: rating.open_crop(access, kim, listed, LATER),
        lambda: rating.vote(access, kim, opened_, said(), LATER),
        lambda: rating.reopen(access, kim, voted, LATER),
        lambda: rating.vote(access, kim, voted, said(), LATER),
        lambda: rating.undo(access, kim, voted, "undo-it-once", LATER),
    ):
        with pytest.raises(rating.ItemClosedError):
            act()
    assert votes(access) == before
    # What was refused was no look.
    with access.read(ada.id, LATER) as unit:
        assert len(access.looks(unit)) == 1


def test_a_removed_rater_leaves_nothing_and_can_do_nothing(access: Access) -> None:
    shown(access)
    kim = rater(access)
    done, open_ = given(access, kim, 2)
    rating.vote(access, kim, done, said(), NOW)
    members.remove(access, kim)
    assert votes(access) == 0
    with access.database.read() as connection:
        for table in tables.metadata.sorted_tables:
            assert kim.id not in repr(connection.execute(select(table)).all()), table.name
    with pytest.raises(rating.UnknownItemError):
        rating.vote(access, kim, open_, said(), NOW)
