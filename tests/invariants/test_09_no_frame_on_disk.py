"""No pixel of a frame reaches a disk: not in a temporary file, a log or a journal; kept crops only sealed."""

from __future__ import annotations

from sqlalchemy import text

from tests.invariants import living
from tests.invariants.conftest import Tell
from tests.invariants.lives_watched import Life
from tests.invariants.watching import Watched, may_strace


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
    access.close()
    assert kept[0] > 0, "no crop was kept, so nothing was shown"
    assert life.hits(canaries, "crops") == []
    assert life.pictures("crops") == []
    figure(f"{kept[0]} crops kept, sealed, {kept[1] / 1e3:.0f} kB")
    assert done.how == ("strace" if may_strace() else "audit hook")
