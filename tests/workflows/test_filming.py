"""Video: kept where it is allowed and asked for, with everybody else covered, sealed, within its limits, and erased."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import select, update

from tests.builders import ALL, NOW, installation, person
from tests.processes import close
from tracker import shipped
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope, Use
from tracker.domain.people import Person
from tracker.domain.stretches import Stretch
from tracker.domain.video import A_DAY, SIDE, Room
from tracker.fer.engine import Engine
from tracker.fer.zoo import Zoo
from tracker.privacy.keys import KeyUnavailableError
from tracker.store import frames, tables
from tracker.store.database import StatementError
from tracker.study import DEFAULT
from tracker.study.parts import Retention
from tracker.vision.covering import GREY
from tracker.vision.faces import Face
from tracker.vision.media import open_source
from tracker.vision.recording import Pixels
from tracker.workflows import consenting, erasure, ingest, retention, showing, studies
from tracker.workflows.ingest import filming

START = NOW - timedelta(days=1)
WIDE, HIGH = 640, 360
ME, BYSTANDER = (120.0, 100.0, 80.0, 100.0), (230.0, 100.0, 80.0, 100.0)
NO_VIDEO = [scope for scope in ALL if scope is not Scope.RAW_VIDEO]
RED = (255, 0, 0)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Zoo(shipped.models(), Path("/nonexistent")).load("default"), "cpu")


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    close(opened)


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    yield opened
    close(opened)


def recording(folder: Path, n: int = 6, seed: int = 0) -> Path:
    """Pictures of noise, in which a bystander is red."""
    folder.mkdir()
    for i in range(n):
        noise = np.random.default_rng(seed + i).integers(0, 256, (HIGH // 4, WIDE // 4, 3), np.uint8)
        page = noise.repeat(4, 0).repeat(4, 1)
        page[:, :, 0] //= 2  # nothing but the bystander is red
        x, y, w, h = map(int, BYSTANDER)
        page[y : y + h, x : x + w] = RED
        assert cv2.imwrite(str(folder / f"{i:03}.png"), page[:, :, ::-1])
    return folder


class Detects:
    """Sees the participant, and from the third picture on a bystander beside them where there is one."""

    name = "given"

    def __init__(
        self, *others: tuple[float, float, float, float], gone: frozenset[int] = frozenset()
    ) -> None:
        self._others, self._gone, self._n = others, gone, count()

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        n = next(self._n)
        mine = () if n in self._gone else (Face(ME, 1.0, None, "given"),)
        others = self._others if n >= 1 else ()
        return (*mine, *(Face(box, 0.9, None, "given") for box in others))


def track(
    access: Access,
    who: Person,
    source: Path,
    engine: Engine,
    detector: Detects | None = None,
    *,
    every: float = 1.0,
    start: datetime = START,
    keep_video: bool = True,
) -> ingest.Tracked:
    return ingest.track(
        access,
        who,
        open_source(str(source)),
        ingest.Plan(every, start, confirm_first_face=True, keep_video=keep_video),
        engine,
        detector or Detects(BYSTANDER),
        clock=lambda: NOW,
        monotonic=lambda: 0.0,
    )


def kept(access: Access, who: Person) -> dict[int, np.ndarray]:
    """A person's kept frames by their time, opened as the participant sees them (RGB)."""
    query = (
        select(tables.frames.c.observation, tables.observations.c.pts_us)
        .join(tables.observations)
        .where(tables.frames.c.subject == who.subject)
        .order_by(tables.observations.c.pts_us)
    )
    with access.database.read() as connection:
        rows = connection.execute(query).all()
    found = {}
    for observation, pts_us in rows:
        jpeg = showing.own_frame(access, who, observation, NOW)
        assert jpeg is not None
        read = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert read is not None
        found[pts_us] = np.asarray(read[:, :, ::-1])
    return found


def reds(picture: np.ndarray) -> int:
    """How many pixels are as red as the bystander."""
    r, g, b = (picture[:, :, i].astype(int) for i in range(3))
    return int(((r > 200) & (g < 60) & (b < 60)).sum())


def test_frames_are_kept_small_and_of_a_bystander_nothing(
    access: Access, tmp_path: Path, engine: Engine
) -> None:
    ada = person(access, "ada")
    done = track(access, ada, recording(tmp_path / "in"), engine)
    found = kept(access, ada)
    assert (done.frames, done.frames_over) == (len(found), 0)
    assert len(found) == done.with_face == 6
    for pts_us, picture in found.items():
        assert picture.shape == (SIDE * HIGH // WIDE, SIDE, 3)
        grey = (np.abs(picture.astype(int) - GREY) <= 3).all(axis=2).mean()
        assert grey > 0.7, "what is not the participant's is covered"
        assert reds(picture) == 0, f"at {pts_us}, also just before somebody saw a face there"
        assert grey < 0.99, "and the participant is not"


def test_without_its_grant_or_where_nobody_asks_for_it_nothing_is_kept(
    access: Access, tmp_path: Path, engine: Engine
) -> None:
    source = recording(tmp_path / "in")
    bob, eve = person(access, "bob", NO_VIDEO), person(access, "eve")
    assert track(access, bob, source, engine).frames == 0
    assert track(access, eve, source, engine, keep_video=False).frames == 0
    asks_less = DEFAULT.model_copy(update={"scopes": tuple(NO_VIDEO)})
    with access.read(eve.id, NOW) as unit:
        assert filming.permit_of(unit) is not None
        assert filming.permit_of(replace(unit, study=asks_less)) is None
    assert kept(access, bob) == kept(access, eve) == {}


def test_a_frame_without_the_participants_face_leaves_none(
    lite: Access, tmp_path: Path, engine: Engine
) -> None:
    ada = person(lite, "ada")
    done = track(lite, ada, recording(tmp_path / "in"), engine, Detects(BYSTANDER, gone=frozenset({2, 3})))
    assert done.frames == done.with_face == 4
    assert set(kept(lite, ada)) == {n * 1_000_000 for n in (0, 1, 4, 5)}


def test_no_more_than_two_a_second_are_kept(lite: Access, tmp_path: Path, engine: Engine) -> None:
    ada = person(lite, "ada")
    done = track(lite, ada, recording(tmp_path / "in", 10), engine, Detects(), every=0.2)
    assert done.with_face == 10
    assert list(kept(lite, ada)) == [0, 600_000, 1_000_000, 1_600_000]


def test_tracking_again_adds_no_frame(lite: Access, tmp_path: Path, engine: Engine) -> None:
    source = recording(tmp_path / "in")
    ada = person(lite, "ada", NO_VIDEO)
    track(lite, ada, source, engine)
    consenting.grant(
        lite,
        ada,
        [Scope.RAW_VIDEO],
        NOW,
        recorder=Recorder.PARTICIPANT,
        covers_from=START - timedelta(days=1),
    )
    again = track(lite, ada, source, engine)
    assert (again.added, again.frames) == (0, 0)
    assert kept(lite, ada) == {}


def test_a_full_day_takes_no_more_and_says_how_many_it_dropped(
    access: Access, tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = person(access, "ada")
    track(access, ada, recording(tmp_path / "one", 3), engine)
    with access.database.read() as connection:
        day = frames.held_on(connection, ada.subject, START)
        assert frames.held_on(connection, ada.subject, START + timedelta(days=1)) == 0
    assert 3 * SIDE < day < A_DAY
    monkeypatch.setattr(
        "tracker.workflows.ingest.run.keep_frames", partial(filming.keep_frames, most=day + day // 3)
    )
    more = track(
        access, ada, recording(tmp_path / "two", 3, seed=9), engine, start=START + timedelta(minutes=5)
    )
    assert (more.frames, more.frames_over) == (1, 2)
    next_day = track(
        access, ada, recording(tmp_path / "three", 3, seed=20), engine, start=NOW - timedelta(minutes=5)
    )
    assert (next_day.frames, next_day.frames_over) == (3, 0)


def test_withdrawing_in_the_middle_ends_it(access: Access, tmp_path: Path, engine: Engine) -> None:
    ada = person(access, "ada")

    class Withdraws(Detects):
        def find(self, pixels: Pixels) -> tuple[Face, ...]:
            found = super().find(pixels)
            if next(self.calls) == 3:
                consenting.withdraw(access, ada, [Scope.RAW_VIDEO], NOW, recorder=Recorder.PARTICIPANT)
            return found

        calls = count()

    done = track(access, ada, recording(tmp_path / "in"), engine, Withdraws())
    assert done.added == 6, "the series goes on"
    assert done.frames == 0, "nothing is stored under a grant that was withdrawn before"


def test_it_is_sealed_and_opens_only_in_its_place(access: Access, tmp_path: Path, engine: Engine) -> None:
    ada, bob = person(access, "ada"), person(access, "bob")
    track(access, ada, recording(tmp_path / "in", 2), engine)
    f = tables.frames.c
    with access.database.read() as connection:
        (one, first), (two, second) = connection.execute(select(f.id, f.sealed)).all()
    assert b"\xff\xd8\xff" not in first[:64]
    opened = access.vault.open(ada.id, Scope.RAW_VIDEO.value, first, frames.place(one))
    assert opened.startswith(b"\xff\xd8")
    for owner, scope, sealed, place in (
        (bob.id, Scope.RAW_VIDEO, first, frames.place(one)),
        (ada.id, Scope.FACE_CROPS, first, frames.place(one)),
        (ada.id, Scope.RAW_VIDEO, second, frames.place(one)),
        (ada.id, Scope.RAW_VIDEO, first, frames.place(two)),
    ):
        with pytest.raises(KeyUnavailableError):
            access.vault.open(owner, scope.value, sealed, place)
    assert showing.own_frame(access, bob, 1, NOW) is None


def test_no_row_without_a_standing_grant_and_none_moves(
    access: Access, tmp_path: Path, engine: Engine
) -> None:
    ada = person(access, "ada")
    track(access, ada, recording(tmp_path / "in", 2), engine)
    with access.database.read() as connection:
        row = dict(connection.execute(select(tables.frames)).mappings().first() or {})
    with access.write(ada.id, NOW) as unit:
        crops_grant = unit.grants_held[Scope.FACE_CROPS]
    for change in ({"grant_id": crops_grant}, {"grant_id": 0}):
        with pytest.raises(StatementError, match="no grant"), access.database.write() as connection:
            connection.execute(tables.frames.insert().values({**row, **change, "id": "f" * 32}))
    moves: tuple[dict[str, Any], ...] = (
        {"grant_id": crops_grant},
        {"observation": row["observation"] + 1},
        {"id": "e" * 32},
    )
    for move in moves:
        with pytest.raises(StatementError, match="stays"), access.database.write() as connection:
            connection.execute(update(tables.frames).where(tables.frames.c.id == row["id"]).values(**move))
    with access.read(ada.id, NOW) as unit:
        permit = unit.permit(Use.KEEP_CROPS)
    with pytest.raises(Exception, match="keep_crops"), access.database.write() as connection:
        frames.append(connection, permit, ada.subject, [], NOW)


def test_erasing_the_scope_or_a_stretch_leaves_none(access: Access, tmp_path: Path, engine: Engine) -> None:
    ada = person(access, "ada")
    track(access, ada, recording(tmp_path / "in"), engine)
    with access.database.read() as connection:
        sealed = [bytes(s)[:24] for s in connection.execute(select(tables.frames.c.sealed)).scalars()]
    erasure.erase_stretch(access, ada, Stretch(START, START + timedelta(seconds=2)), NOW)
    assert set(kept(access, ada)) == {n * 1_000_000 for n in (2, 3, 4, 5)}
    erasure.erase_scope(access, ada, Scope.RAW_VIDEO, NOW)
    assert kept(access, ada) == {}
    with access.database.read() as connection:
        assert len(connection.execute(select(tables.observations.c.id)).all()) == 4, "the series stays"
    if access.database.path is not None:
        assert not any(piece in access.database.path.read_bytes() for piece in sealed)
    assert Scope.RAW_VIDEO.value not in access.keys.purposes(ada.id)


def test_it_is_kept_for_as_long_as_the_study_says(access: Access, tmp_path: Path, engine: Engine) -> None:
    ada = person(access, "ada")
    track(access, ada, recording(tmp_path / "in", 3), engine)
    week = DEFAULT.model_copy(update={"retention": Retention(raw_video=7), "version": "7"})
    studies.apply(access, week, "test", NOW)
    later = NOW + timedelta(days=7)
    with access.database.read() as connection:
        observation = connection.execute(select(tables.frames.c.observation)).scalars().first()
    assert observation is not None
    assert showing.own_frame(access, ada, observation, NOW) is not None
    assert showing.own_frame(access, ada, observation, later) is None, "unreadable at once"
    retention.run(access, later)
    with access.database.read() as connection:
        assert connection.execute(select(tables.frames.c.id)).first() is None
        assert connection.execute(select(tables.observations.c.id)).first() is not None


def test_moments_before_what_the_grant_covers_leave_none(
    lite: Access, tmp_path: Path, engine: Engine
) -> None:
    ada = person(lite, "ada", NO_VIDEO)
    consenting.grant(
        lite,
        ada,
        [Scope.RAW_VIDEO],
        NOW,
        recorder=Recorder.PARTICIPANT,
        covers_from=START + timedelta(seconds=3),
    )
    track(lite, ada, recording(tmp_path / "in"), engine)
    assert set(kept(lite, ada)) == {n * 1_000_000 for n in (3, 4, 5)}


def test_the_room_of_a_day_counts_each_day_by_itself() -> None:
    room = Room(lambda at: 90 if at.day == NOW.day else 0, most=100)
    assert not room.take(NOW, 11)
    assert room.take(NOW, 10)
    assert not room.take(NOW, 1)
    assert room.take(NOW - timedelta(days=1), 100)
