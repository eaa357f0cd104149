"""No pixel of a frame reaches a disk: not in a temporary file, a log or a journal; kept crops and video only sealed.

Of whoever is not the participant no pixel is kept, sealed or not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sqlalchemy import text

from tests.builders import person
from tests.invariants import living
from tests.invariants.conftest import Tell
from tests.invariants.lives_watched import Life
from tests.invariants.watching import Watched, may_strace
from tests.workflows import test_filming as filming
from tracker import shipped
from tracker.access import Access
from tracker.fer.engine import Engine
from tracker.fer.zoo import Zoo
from tracker.vision.covering import GREY


def _told(done: Watched, canaries: int) -> str:
    size = sum(map(len, done.written.values()))
    return f"{canaries} runs of pixels searched in {size / 1e6:.1f} MB written to {len(done.files)} files ({done.how})"


def test_without_a_grant_no_pixel_is_written(life: Life, figure: Tell) -> None:
    done = life.run("series")
    canaries = living.pixels(life.frames)
    assert len({*canaries.values()}) == len(canaries)
    assert "observations" in done.out or "moments" in done.out
    assert sum(map(len, done.written.values())) > 50_000, "the watch saw hardly anything being written"
    assert any(name.endswith((".db", "-wal")) for name in done.written)
    assert life.hits(canaries, "series") == []
    assert life.pictures("series") == []
    figure(_told(done, len(canaries)))


def test_with_one_only_sealed_pictures_are(life: Life, figure: Tell) -> None:
    life.run("series")
    done = life.run("crops")
    canaries = living.pixels(life.frames)
    access = life.opened()
    with access.database.read() as connection:
        kept = connection.execute(text("SELECT count(*), sum(length(sealed)) FROM crops")).one()
        filmed = connection.execute(text("SELECT count(*), sum(length(sealed)) FROM frames")).one()
    access.close()
    assert kept[0] > 0, "no crop was kept, so nothing was shown"
    assert filmed[0] > 0, "no frame was kept, so nothing was shown"
    assert life.hits(canaries, "crops") == []
    assert life.pictures("crops") == []
    figure(
        f"{kept[0]} crops and {filmed[0]} frames kept, sealed, {kept[1] / 1e3:.0f} and {filmed[1] / 1e3:.0f} kB"
    )
    assert done.how == ("strace" if may_strace() else "audit hook")


def test_of_a_bystander_and_of_the_room_no_pixel_is_kept(
    access: Access, tmp_path: Path, figure: Tell
) -> None:
    """Opened with the participant's own key, a kept frame shows the participant and one grey."""
    engine = Engine(Zoo(shipped.models(), Path("/nonexistent")).load("default"), "cpu")
    ada = person(access, "ada")
    done = filming.track(access, ada, filming.recording(tmp_path / "in"), engine)
    frames = filming.kept(access, ada)
    assert len(frames) == done.frames > 0
    seen = list(frames.values())
    assert sum(map(filming.reds, seen)) == 0, "a bystander who was found is in a kept frame"
    shares = [float((np.abs(p.astype(int) - GREY) <= 3).all(axis=2).mean()) for p in frames.values()]
    assert min(shares) > 0.7, "the room is in a kept frame"
    figure(
        f"{len(frames)} frames with a bystander opened, none of them seen, {min(shares):.0%} and more covered"
    )
