"""Figures about everybody, those who share with nobody too: differentially private, as they were given out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response, render_template

from tracker.store.releases import values_of
from tracker.workflows import budgets
from webui.monitor import room
from webui.monitor.room import pages
from webui.services import services

COLUMNS = (
    "told_at",
    "study",
    "first",
    "last",
    "epsilon",
    "figure",
    "of",
    "cell",
    "value",
    "margin_95",
    "people_about",
    "simulated",
)


@pages.get("/study/everybody")
def everybody() -> str:
    """What was told about everybody together, newest first, and what may be spent still."""
    access = services().access
    study, allowed = budgets.governing(access)
    ledger = budgets.ledger(access, allowed)
    return render_template(
        "monitor_everybody.html",
        study=study,
        allowed=allowed,
        left=ledger.left,
        releases=[(release, list(values_of(release.result["figures"]))) for release in _told(ledger)],
        refused=sum(bool(release.result["refused"]) for release in ledger.releases),
    )


@pages.get("/study/everybody.csv")
def everybody_csv() -> Response:
    """The same as a table."""
    access = services().access
    _, allowed = budgets.governing(access)
    return room.table("everybody", COLUMNS, _cells(budgets.ledger(access, allowed)))


def _told(ledger: budgets.Ledger) -> list[Any]:
    return [release for release in ledger.releases[::-1] if not release.result["refused"]]


def _cells(ledger: budgets.Ledger) -> Iterator[list[Any]]:
    for release in _told(ledger):
        query = release.query
        about = (release.at.isoformat(), release.study, query["first"], query["last"], release.epsilon)
        for value in values_of(release.result["figures"]):
            yield [*about, *("" if v is None else v for v in value), query["simulated"]]
