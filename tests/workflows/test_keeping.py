"""Face crops: kept where both grants are in force, with their observations, sealed, and in no file in plain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from tests.builders import ALL, NOW, installation, person
from tests.processes import close
from tracker import shipped
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, Recorder, Scope, Use
from tracker.domain.people import Person
from tracker.fer.engine import Engine
from tracker.fer.zoo import Network, Zoo
from tracker.privacy.keys import KeyUnavailableError
from tracker.store import crops, tables
from tracker.store.database import StatementError
from tracker.vision.crops import crop
from tracker.vision.faces import Face
from tracker.vision.media import open_source
from tracker.vision.recording import Pixels
from tracker.workflows import consenting, erasure, ingest, showing

START = NOW - timedelta(days=1)
SIDE = 160
SERIES_ONLY = [scope for scope in ALL if scope is not Scope.FACE_CROPS]


@pytest.fixture(scope="module")
def network() -> Network:
    return Zoo(shipped.models(), Path("/nonexistent")).load("default")


@pytest.fixture(scope="module")
def engine(network: Network) -> Engine:
    return Engine(network, "cpu")


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    close(opened)


def texture(seed: int) -> Pixels:
    """A frame whose bytes nobody else would write by chance."""
    coarse = np.random.default_rng(seed).integers(0, 256, (SIDE // 4, SIDE // 4, 3), np.uint8)
    return np.asarray(coarse.repeat(4, 0).repeat(4, 1))


def recording(folder: Path, frames: int = 6, seed: int = 0) -> Path:
    """A folder of pictures without loss, in each another texture."""
    folder.mkdir()
    for i in range(frames):
        assert cv2.imwrite(str(folder / f"{i:03}.png"), texture(seed + i)[:, :, ::-1])
    return folder


class Centre:
    """A detector that always sees one face in the middle."""

    name = "centre"

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        return (face_in(pixels),)


def face_in(pixels: Pixels) -> Face:
    height, width = pixels.shape[:2]
    return Face((width * 0.25, height * 0.2, width * 0.5, height * 0.6), 1.0, None, "centre")


def track(
    access: Access,
    who: Person,
    source: Path,
    engine: Engine,
    detector: Centre | None = None,
    *,
    keep_crops: bool = True,
    before_each: Callable[[int], None] | None = None,
) -> ingest.Tracked:
    """Track a recording; `before_each` is called before each observation is stored, and then each is stored alone.

    Faces are found ahead of what is stored, so a detector cannot tell how far that has come; the clock, which is
    asked for each time something is stored, can. Before that it is asked twice.
    """
    ticks, asked = count(), count(-2)
    step = ingest.run.FLUSH_AFTER_S if before_each is not None else 0.01

    def clock() -> datetime:
        number = next(asked)
        if before_each is not None and number >= 0:
            before_each(number)
        return NOW

    return ingest.track(
        access,
        who,
        open_source(str(source)),
        ingest.Plan(0.2, START, keep_crops=keep_crops),
        engine,
        detector or Centre(),
        clock=clock,
        monotonic=lambda: next(ticks) * step,
    )


def kept(access: Access, who: Person) -> dict[int, np.ndarray]:
    """A person's kept crops by their frame's time, opened."""
    query = (
        select(tables.crops.c.observation, tables.observations.c.pts_us)
        .join(tables.observations)
        .where(tables.crops.c.subject == who.subject)
        .order_by(tables.observations.c.pts_us)
    )
    with access.database.read() as connection:
        rows = connection.execute(query).all()
    found = {}
    for observation, pts_us in rows:
        png = showing.own_crop(access, who, observation, NOW)
        assert png is not None
        read = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
        assert read is not None
        found[pts_us] = read[:, :, ::-1]
    return found


def test_every_crop_that_was_read_is_kept_as_the_network_read_it(
    access: Access, tmp_path: Path, engine: Engine
) -> None:
    ada = person(access)
    done = track(access, ada, recording(tmp_path / "frames"), engine)
    assert (done.added, done.crops) == (6, 6)
    assert ingest.summary(done)["crops"] == 6
    found = kept(access, ada)
    assert list(found) == [200_000 * i for i in range(6)]
    for i, pixels in enumerate(found.values()):
        frame = texture(i)
        assert np.array_equal(pixels, crop(frame, face_in(frame), engine.crop).pixels)
    with access.database.read() as connection:
        rows = connection.execute(select(tables.crops)).all()
    with access.write(ada.id, NOW) as unit:
        grant = unit.capture_permit().grant(Scope.AFFECT_SERIES)
        faces = unit.grants()[Scope.FACE_CROPS].grant
    assert {row.grant_id for row in rows} == {faces} != {grant}
    assert len({row.id for row in rows}) == len({len(row.sealed) for row in rows}) * 6 == 6


@pytest.mark.parametrize("scopes", [SERIES_ONLY, [Scope.AFFECT_SERIES]])
def test_without_the_grant_the_series_is_stored_and_no_crop(
    access: Access, tmp_path: Path, engine: Engine, scopes: list[Scope]
) -> None:
    ada = person(access, scopes=scopes)
    done = track(access, ada, recording(tmp_path / "frames"), engine)
    assert (done.added, done.crops) == (6, 0)
    assert kept(access, ada) == {}


def test_crops_alone_are_no_ground_for_either(access: Access, tmp_path: Path, engine: Engine) -> None:
    ada = person(access, scopes=[Scope.FACE_CROPS])
    with pytest.raises(ConsentMissingError, match="affect_series"):
        track(access, ada, recording(tmp_path / "frames"), engine)
    assert kept(access, ada) == {}


def test_who_asks_for_none_gets_none(access: Access, tmp_path: Path, engine: Engine) -> None:
    ada = person(access)
    source = recording(tmp_path / "frames")
    assert track(access, ada, source, engine, keep_crops=False).crops == 0
    assert kept(access, ada) == {}
    # What was stored without its picture stays without.
    assert track(access, ada, source, engine).crops == 0
    assert kept(access, ada) == {}


def test_tracking_again_adds_no_crop_nor_does_another_network(
    access: Access, tmp_path: Path, engine: Engine, network: Network
) -> None:
    ada = person(access)
    source = recording(tmp_path / "frames")
    track(access, ada, source, engine)
    with access.database.read() as connection:
        before = connection.execute(select(tables.crops).order_by(tables.crops.c.id)).all()
    assert track(access, ada, source, engine).crops == 0
    other = Engine(Network(replace(network.entry, name="other"), network.module), "cpu")
    again = track(access, ada, source, other)
    assert (again.estimates, again.crops) == (6, 0)
    with access.database.read() as connection:
        assert connection.execute(select(tables.crops).order_by(tables.crops.c.id)).all() == before


def test_of_two_runs_side_by_side_one_keeps_each_crop(access: Access, tmp_path: Path, engine: Engine) -> None:
    ada = person(access)
    source = recording(tmp_path / "frames")
    beside: list[ingest.Tracked] = []

    def track_too(call: int) -> None:
        if call == 3:  # the first run knows by now what was stored when it began: nothing
            beside.append(track(access, ada, source, engine))

    first = track(access, ada, source, engine, before_each=track_too)
    assert (first.crops, beside[0].crops) == (3, 3)
    assert len(kept(access, ada)) == 6


def test_a_crop_of_a_moment_before_the_grant_of_crops_is_not_kept(
    access: Access, tmp_path: Path, engine: Engine
) -> None:
    ada = person(access, scopes=SERIES_ONLY)
    since = START + timedelta(seconds=0.5)
    consenting.grant(access, ada, [Scope.FACE_CROPS], NOW, recorder=Recorder.PARTICIPANT, covers_from=since)
    done = track(access, ada, recording(tmp_path / "frames"), engine)
    assert (done.added, done.crops) == (6, 3)
    assert list(kept(access, ada)) == [600_000, 800_000, 1_000_000]


def test_a_withdrawal_of_crops_in_mid_run_ends_them_and_not_the_series(
    access: Access, tmp_path: Path, engine: Engine
) -> None:
    ada = person(access)

    def withdraw(call: int) -> None:
        if call == 3:
            consenting.withdraw(access, ada, [Scope.FACE_CROPS], NOW, recorder=Recorder.PARTICIPANT)

    done = track(access, ada, recording(tmp_path / "frames"), engine, before_each=withdraw)
    assert (done.added, done.crops) == (6, 3)
    assert list(kept(access, ada)) == [0, 200_000, 400_000]


def test_a_withdrawal_of_the_series_in_mid_run_ends_both(
    access: Access, tmp_path: Path, engine: Engine
) -> None:
    ada = person(access)

    def withdraw(call: int) -> None:
        if call == 3:
            consenting.withdraw(access, ada, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)

    with pytest.raises(ConsentMissingError, match="affect_series"):
        track(access, ada, recording(tmp_path / "frames"), engine, before_each=withdraw)
    assert list(kept(access, ada)) == [0, 200_000, 400_000]


def test_a_grant_in_mid_run_begins_them(access: Access, tmp_path: Path, engine: Engine) -> None:
    ada = person(access, scopes=SERIES_ONLY)

    def grant(call: int) -> None:
        if call == 3:
            consenting.grant(
                access, ada, [Scope.FACE_CROPS], NOW, recorder=Recorder.PARTICIPANT, covers_from=START
            )

    done = track(access, ada, recording(tmp_path / "frames"), engine, before_each=grant)
    assert (done.added, done.crops) == (6, 3)
    assert list(kept(access, ada)) == [600_000, 800_000, 1_000_000]


def test_a_face_that_was_not_read_leaves_no_picture(access: Access, tmp_path: Path, engine: Engine) -> None:
    ada = person(access)
    folder = tmp_path / "frames"
    folder.mkdir()
    for i in range(3):  # without any texture, so too blurred to read
        assert cv2.imwrite(str(folder / f"{i}.png"), np.full((SIDE, SIDE, 3), 90, np.uint8))
    done = track(access, ada, folder, engine)
    assert (done.added, done.with_face, done.crops) == (3, 0, 0)
    assert kept(access, ada) == {}


def test_a_crop_opens_for_its_own_row_and_person_alone(
    access: Access, tmp_path: Path, engine: Engine
) -> None:
    ada, bob = person(access, "ada"), person(access, "bob")
    track(access, ada, recording(tmp_path / "a", 2), engine)
    track(access, bob, recording(tmp_path / "b", 2, seed=50), engine)
    with access.database.read() as connection:
        rows = connection.execute(select(tables.crops)).all()
    of_ada = [row for row in rows if row.subject == ada.subject]
    (of_bob, *_) = [row for row in rows if row.subject == bob.subject]
    assert showing.own_crop(access, bob, of_ada[0].observation, NOW) is None
    assert showing.own_crop(access, ada, 10**9, NOW) is None
    with access.database.write() as connection:
        connection.execute(
            tables.crops.update().where(tables.crops.c.id == of_ada[0].id).values(sealed=of_ada[1].sealed)
        )
        connection.execute(
            tables.crops.update().where(tables.crops.c.id == of_bob.id).values(sealed=of_ada[1].sealed)
        )
    for who, row in ((ada, of_ada[0]), (bob, of_bob)):
        with pytest.raises(KeyUnavailableError):
            showing.own_crop(access, who, row.observation, NOW)


def test_the_gate_refuses_a_crop_that_no_grant_covers(access: Access, tmp_path: Path, engine: Engine) -> None:
    ada = person(access)
    track(access, ada, recording(tmp_path / "frames", 1), engine, keep_crops=False)
    with access.database.read() as connection:
        observation = connection.execute(select(tables.observations.c.id)).scalar_one()
    new = [crops.NewCrop("0" * 32, observation, START, b"sealed")]
    with access.write(ada.id, NOW) as unit:
        permit = unit.permit(Use.KEEP_CROPS)
    consenting.withdraw(access, ada, [Scope.FACE_CROPS], NOW, recorder=Recorder.PARTICIPANT)
    # A permit is worth nothing once its transaction has ended: the database itself looks at the grant.
    refused = pytest.raises(StatementError, match="no grant that stands covers a new row of crops")
    with refused, access.database.write() as connection:
        crops.append(connection, permit, ada.subject, new, NOW)
    assert kept(access, ada) == {}


@pytest.mark.parametrize("scope", [Scope.FACE_CROPS, Scope.AFFECT_SERIES, None])
def test_erasing_takes_the_pictures_and_their_key(
    access: Access, tmp_path: Path, engine: Engine, scope: Scope | None
) -> None:
    ada, bob = person(access, "ada"), person(access, "bob")
    for who in (ada, bob):
        track(access, who, recording(tmp_path / who.name), engine)
    if scope is not None:
        consenting.withdraw(access, ada, [scope], NOW, recorder=Recorder.PARTICIPANT)
        erasure.erase_scope(access, ada, scope, NOW)
    else:
        erasure.erase_person(access, ada, NOW)
    assert kept(access, ada) == {}
    assert access.keys.get(ada.id, Scope.FACE_CROPS.value) is None
    assert len(kept(access, bob)) == 6
    with access.database.read() as connection:
        seen = connection.execute(
            select(tables.observations.c.id).where(tables.observations.c.subject == ada.subject)
        ).all()
    assert len(seen) == (6 if scope is Scope.FACE_CROPS else 0)


def _traces(i: int, engine: Engine) -> list[bytes]:
    """What a frame and its crop would leave in a file if they were written as they are, or as pictures."""
    frame = texture(i)
    cut = crop(frame, face_in(frame), engine.crop).pixels
    middle = cut.shape[0] // 2
    traces = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"WEBPVP8", cut[middle].tobytes()[:48]]
    traces += [cut[middle, :, ::-1].tobytes()[:48], frame[SIDE // 2].tobytes()[:48]]
    for suffix in (".png", ".jpg", ".webp"):
        _, picture = cv2.imencode(suffix, cut[:, :, ::-1])
        traces.append(picture.tobytes()[-64:-16])
    return traces


def _found(folder: Path, traces: list[bytes]) -> list[str]:
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert written
    return [path.name for path in written for trace in traces if trace in path.read_bytes()]


def test_no_file_that_was_written_holds_a_picture_in_plain(
    sqlite_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    source = recording(tmp_path_factory.mktemp("source") / "frames")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    opened = installation(sqlite_url, tmp_path)
    ada = person(opened)
    assert track(opened, ada, source, engine).crops == 6
    traces = [trace for i in range(6) for trace in _traces(i, engine)]
    # While the write-ahead log still holds the rows, and after it went into the file.
    assert (tmp_path / "affect.sqlite3-wal").stat().st_size > 6 * 7000
    assert _found(tmp_path, traces) == []
    close(opened)
    assert _found(tmp_path, traces) == []


def test_the_search_for_pictures_finds_one(tmp_path: Path, engine: Engine) -> None:
    frame = texture(0)
    cut = crop(frame, face_in(frame), engine.crop).pixels
    for name, written in (
        ("raw", cut.tobytes()),
        ("frame", frame.tobytes()),
        ("png", cv2.imencode(".png", cut[:, :, ::-1])[1].tobytes()[8:]),
        ("jpg", cv2.imencode(".jpg", cut[:, :, ::-1])[1].tobytes()[3:]),
    ):
        (tmp_path / name).write_bytes(b"before" + written + b"after")
        assert _found(tmp_path, _traces(0, engine)) != []
        (tmp_path / name).write_bytes(b"")
