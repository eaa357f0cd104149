"""Two apply a study at once: what somebody said yes to is what happens, and a version says one thing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW, person
from tracker.access import Access
from tracker.study import DEFAULT, Study, StudyError
from tracker.study.parts import Retention
from tracker.workflows import studies
from tracker.workflows.studies import applying

MONTH = DEFAULT.model_copy(update={"id": "month", "version": "1"})


def test_what_was_told_beforehand_holds_or_nothing_is_changed(access: Access) -> None:
    studies.apply(access, MONTH, "ops", NOW - timedelta(days=1))
    person(access)
    mine = MONTH.model_copy(update={"version": "2", "controller": MONTH.controller})
    told = studies.preview(access, mine, NOW)
    assert not told.takes_away
    other = MONTH.model_copy(update={"version": "3", "title": "Another"})
    assert studies.apply(access, other, "somebody else", NOW)
    with pytest.raises(StudyError, match="month, version 3, came to govern"):
        studies.apply(access, mine, "ops", NOW, over=told.over)
    assert studies.in_force(access) == other
    assert studies.apply(access, mine, "ops", NOW, over=studies.preview(access, mine, NOW).over)


def test_closing_closes_what_governs(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    studies.apply(access, MONTH, "ops", NOW - timedelta(days=1))
    other = MONTH.model_copy(update={"version": "2", "retention": Retention(notes=3)})

    def overtaken(access: Access) -> Study:
        before = studies.in_force(access)
        studies.apply(access, other, "somebody else", NOW)
        return before

    monkeypatch.setattr(applying, "in_force", overtaken)
    with pytest.raises(StudyError, match="version 2, came to govern"):
        studies.close(access, "ops", NOW)
    assert not studies.in_force(access).closed
    assert studies.in_force(access).retention.notes == 3


def test_a_version_says_one_thing_also_where_two_say_it_at_once(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is enrolled yet, so no lock on a person stands between them."""
    met, real = threading.Barrier(2), applying._demand_new_version

    def both(*given: Any) -> None:
        with suppress(threading.BrokenBarrierError):
            met.wait(1)
        real(*given)

    monkeypatch.setattr(applying, "_demand_new_version", both)

    def applied(title: str) -> bool:
        try:
            return studies.apply(access, MONTH.model_copy(update={"title": title}), "ops", NOW)
        except StudyError:
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(applied, ("One", "Two"))) == [False, True]
    assert len(studies.history(access)) == 1
