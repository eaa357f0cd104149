"""A network that does not know contempt: its zero is stored as exactly zero, and whoever tracks is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.builders import NOW, installation, person
from tests.fer.making import EIGHT, tiny_network, tiny_spec
from tracker.access import Access
from tracker.cli.tracking import _print
from tracker.domain.affect import Emotion
from tracker.fer.engine import Engine
from tracker.lab.portrait import write_clip
from tracker.vision.faces import Face
from tracker.vision.media import open_source
from tracker.vision.recording import Pixels
from tracker.workflows import ingest


class _Centre:
    name = "centre"

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        height, width = pixels.shape[:2]
        return (Face((width * 0.25, height * 0.2, width * 0.5, height * 0.6), 1.0, None, self.name),)


@pytest.fixture
def access(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(("classes", "unread"), [(EIGHT, []), (EIGHT[:7], ["contempt"])])
def test_what_a_network_does_not_know_is_named_and_exactly_zero(
    access: Access,
    tmp_path: Path,
    classes: tuple[str, ...],
    unread: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = tmp_path / "portrait.mp4"
    write_clip(clip, 2.0)
    ticks = count()
    # The usual network's name: a study that names none reads with any of it.
    network = tiny_network(tiny_spec(classes))
    network = replace(network, entry=replace(network.entry, name="default"))
    result = ingest.track(
        access,
        person(access),
        open_source(str(clip)),
        ingest.Plan(0.2, NOW - timedelta(days=1)),
        Engine(network, "cpu"),
        _Centre(),
        clock=lambda: NOW,
        monotonic=lambda: next(ticks) * 0.01,
    )
    assert result.estimates > 5
    assert ingest.summary(result)["unread"] == unread
    with access.database.read() as connection:
        values = (
            connection.execute(text("SELECT p_contempt FROM estimates WHERE snapshot = 0")).scalars().all()
        )
    assert [value == 0 for value in values] == [bool(unread)] * result.estimates
    assert result.unread == tuple(map(Emotion, unread))
    _print(result, "ada", as_json=False)
    assert ("contempt: not read" in capsys.readouterr().out) == bool(unread)
