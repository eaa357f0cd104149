"""A person's rows are streamed: of what may hold a picture only a few are in memory at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.builders import NOW, installation, observed, person, store
from tests.processes import close
from tracker.access import Access
from tracker.store import belongings
from tracker.store.tables import frames
from tracker.vision.covering import CoveredFrame
from tracker.workflows.ingest.filming import keep_frames


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    close(opened)


def test_pictures_come_a_few_at_a_time_in_order_and_whole(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(belongings, "FEW", 2)
    who, other = person(access, "ada"), person(access, "bob")
    for one in (who, other):
        seen = [observed(NOW, source=one.id[0] * 64, pts_us=n) for n in range(5)]
        store(access, one, seen, NOW)
        with access.write(one.id, NOW) as unit:
            new = {row.observation: CoveredFrame(b"\xff\xd8" + bytes([n])) for n, row in enumerate(seen)}
            assert keep_frames(access, unit, new).kept == 5
    with access.database.read() as connection:
        query = select(frames.c.id, frames.c.sealed).where(frames.c.subject == who.subject)
        expected = sorted(tuple(row) for row in connection.execute(query))
        columns = [frames.c.id, frames.c.sealed]
        rows = belongings.rows(connection, frames, columns, who.id, who.subject)
        first = next(rows)
        asked: list[int] = []
        few = connection.execute

        def counted(*args: object, **kwargs: object) -> object:
            asked.append(1)
            return few(*args, **kwargs)  # type: ignore[call-overload]

        monkeypatch.setattr(connection, "execute", counted)
        found = [tuple(first), *(tuple(row) for row in rows)]
    assert found == expected
    assert len(asked) == 2, "the others came in two pieces, as they were asked for"
