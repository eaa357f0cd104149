"""What tests of captures and uploads share: a detector that is told what it sees, and an app that reads faces."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.webui.site import Site, Visitor
from tracker.domain.people import Person
from tracker.domain.series import Reason
from tracker.vision.faces import Face
from tracker.vision.recording import Pixels
from tracker.workflows import timeline
from tracker.workflows.ingest import Reader

if TYPE_CHECKING:  # torch, for the tests that ask for an engine
    from tracker.fer.engine import Engine

Box = tuple[float, float, float, float]
MIDDLE: Box = (80.0, 20.0, 120.0, 150.0)


class Seen:
    """A detector that sees what a test says, and can be held up."""

    name = "stated"

    def __init__(self) -> None:
        self.boxes: tuple[Box, ...] = (MIDDLE,)
        self.calls = 0
        self.open = threading.Event()
        self.open.set()

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        assert self.open.wait(120)
        self.calls += 1
        return tuple(Face(box, 0.9, None, self.name) for box in self.boxes)


def opened(url: str, folder: Path, engine: Engine, seen: Seen) -> Iterator[Site]:
    """An app with what reads faces, for a fixture to yield from; detection alone is stated by the test."""
    made = Site(url, folder, reader=lambda: Reader(engine, lambda: seen))
    yield made
    seen.open.set()
    made.app.extensions["affect-tracker"].close()
    made.access.close()


def raw(visitor: Visitor, path: str, data: bytes, headers: dict[str, str]) -> TestResponse:
    if not visitor._token:
        visitor.get("/consent")
    token = {"X-CSRF-Token": visitor._token}
    return visitor.client.post(path, data=data, headers=token | headers, content_type="image/jpeg")


def until(true: Callable[[], bool]) -> None:
    for _ in range(12000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it never came true")


def reasons(site: Site, who: Person) -> list[Reason | None]:
    with timeline.moments(site.access, who, site.now) as moments:
        return [moment.reason for moment in moments]


def counted(site: Site, table: str) -> int:
    with site.access.database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
