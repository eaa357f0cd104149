"""Tracking: what is stored, what a gate in mid-run does, cameras, second networks, and bounded memory."""

from __future__ import annotations

import re
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.builders import NOW, installation, person
from tracker import shipped
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, PausedError, Recorder, Scope
from tracker.domain.instants import InstantError
from tracker.domain.notice import NoticeText
from tracker.domain.people import Person
from tracker.domain.series import Moment, Reason
from tracker.domain.stretches import Stretch
from tracker.fer.engine import Engine
from tracker.fer.zoo import Network, Zoo
from tracker.lab.portrait import write_clip
from tracker.store import notices, studies
from tracker.study import DEFAULT, StudyClosedError, notice_text, parse
from tracker.study.parts import ConsentRules
from tracker.vision.errors import CameraLost
from tracker.vision.faces import Face, load_detector
from tracker.vision.media import open_source
from tracker.vision.recording import Pixels
from tracker.workflows import consenting, enrolment, erasure, ingest, timeline

MINUTE = timedelta(minutes=1)
START = NOW - timedelta(days=1)
STUDY_FILE = Path(__file__).parents[2] / "docs" / "examples" / "diary.toml"


@pytest.fixture(scope="module")
def network() -> Network:
    return Zoo(shipped.models(), Path("/nonexistent")).load("default")


@pytest.fixture(scope="module")
def engine(network: Network) -> Engine:
    return Engine(network, "cpu")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ingest") / "portrait.mp4"
    write_clip(path, 16.0)
    return path


@pytest.fixture
def access(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    yield opened
    opened.database.close()
    opened.keys.close()


@pytest.fixture
def ada(access: Access) -> Person:
    return person(access)


class Centre:
    """A detector that always sees one face in the middle, and counts its calls."""

    name = "centre"

    def __init__(self, before_each: Callable[[int], None] = lambda _: None) -> None:
        self.calls = 0
        self._before_each = before_each

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        self._before_each(self.calls)
        self.calls += 1
        height, width = pixels.shape[:2]
        return (Face((width * 0.25, height * 0.2, width * 0.5, height * 0.6), 1.0, None, self.name),)


def _track(
    access: Access,
    who: Person,
    clip: Path | str,
    engine: Engine,
    detector: Centre | None = None,
    **more: object,
) -> ingest.Tracked:
    ticks = count()
    return ingest.track(
        access,
        who,
        open_source(str(clip)),
        ingest.Plan(0.2, START),
        engine,
        detector or load_detector(None),
        clock=lambda: NOW,
        monotonic=lambda: next(ticks) * 0.01,
        **more,  # type: ignore[arg-type]
    )


def _moments(access: Access, who: Person) -> list[Moment]:
    with timeline.moments(access, who, NOW) as moments:
        return list(moments)


class Forbidden(Engine):
    """An engine that fails whoever lets it infer."""

    def read(self, crops: object) -> object:  # type: ignore[override]
        pytest.fail("inference before the participant agreed under a notice that stands")


@pytest.mark.parametrize("scopes", [(), (Scope.FACE_CROPS, Scope.PERSONAL_LEARNING)])
def test_nothing_is_inferred_before_the_notice_was_agreed_to(
    access: Access, network: Network, clip: Path, scopes: tuple[Scope, ...]
) -> None:
    who = person(access, scopes=scopes)
    detector = Centre()
    with pytest.raises(ConsentMissingError, match="affect_series"):
        _track(access, who, clip, Forbidden(network, "cpu"), detector)
    assert detector.calls == 0, "no frame is looked at either"


@pytest.mark.parametrize(
    "text",
    [
        notice_text(parse(STUDY_FILE.read_text("utf-8"))),
        notice_text(parse(STUDY_FILE.read_text("utf-8").replace("My month", "Another month"))),
    ],
    ids=["of the study", "of another study"],
)
def test_nothing_is_inferred_under_a_notice_that_does_not_stand(
    access: Access, network: Network, clip: Path, text: NoticeText
) -> None:
    who = person(access)
    with access.database.write() as connection:
        notices.publish(connection, text.notice(), text.document(), NOW)
        notices.retire_all_but(connection, frozenset({text.notice().sha256}), NOW)
    with pytest.raises(ConsentMissingError, match="affect_series"):
        _track(access, who, clip, Forbidden(network, "cpu"), Centre())


def test_nothing_is_inferred_once_a_grant_has_expired_or_the_study_is_closed(
    access: Access, network: Network, clip: Path
) -> None:
    limited = DEFAULT.model_copy(update={"consent": ConsentRules(expires_after_days=1), "version": "short"})
    with access.database.write() as connection:
        studies.apply(connection, studies.StudyRow(limited.sha256, limited.document(), NOW, "test"))
    who = person(access, now=NOW - timedelta(days=2), covers_from=NOW - timedelta(days=60))
    with pytest.raises(ConsentMissingError, match="affect_series"):
        _track(access, who, clip, Forbidden(network, "cpu"), Centre())
    bob = person(access, "bob")
    closed = limited.closing()
    with access.database.write() as connection:
        studies.apply(connection, studies.StudyRow(closed.sha256, closed.document(), NOW, "test"))
    with pytest.raises(StudyClosedError):
        _track(access, bob, clip, Forbidden(network, "cpu"), Centre())


def test_the_portrait_gives_estimates_and_a_gap(
    access: Access, ada: Person, clip: Path, engine: Engine
) -> None:
    done = _track(access, ada, clip, engine)
    assert done.observations == done.added == 80
    assert done.with_face >= 65
    assert done.reasons[Reason.NO_FACE] >= 8
    moments = _moments(access, ada)
    assert [m.at for m in moments] == sorted(m.at for m in moments)
    assert moments[0].at == START
    for m in moments:
        assert (m.reason is None) == (m.machine is not None) == (m.personal is not None)


def test_a_second_network_adds_its_estimates_to_the_same_observations(
    access: Access, ada: Person, clip: Path, engine: Engine, network: Network
) -> None:
    first = _track(access, ada, clip, engine)
    other = Engine(Network(replace(network.entry, name="other"), network.module), "cpu")
    second = _track(access, ada, clip, other)
    assert second.added == 0
    assert second.observations == first.observations
    assert second.estimates == second.with_face == first.with_face
    assert second.reasons == first.reasons
    third = _track(access, ada, clip, other)
    assert third.estimates == 0


def test_a_withdrawal_in_mid_run_ends_it_and_nothing_comes_after(
    access: Access, ada: Person, clip: Path, engine: Engine
) -> None:
    def withdraw(call: int) -> None:
        if call == 70:
            consenting.withdraw(access, ada, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)

    with pytest.raises(ConsentMissingError, match="affect_series"):
        _track(access, ada, clip, engine, Centre(withdraw))
    assert len(_moments(access, ada)) == ingest.BATCH


def test_what_is_deleted_while_it_is_read_is_not_stored_and_the_result_says_so(
    access: Access, ada: Person, clip: Path, engine: Engine
) -> None:
    until = START + timedelta(seconds=15)

    def forget(call: int) -> None:
        if call == 70:
            erasure.erase_stretch(access, ada, Stretch(START - timedelta(hours=1), until), NOW + MINUTE)

    result = _track(access, ada, clip, engine, Centre(forget))
    left = [moment.at for moment in _moments(access, ada)]
    assert left
    assert min(left) >= until
    assert "deleted for good" in (result.problem or "")
    # Given anew after that it is stored: nobody but its person may say so.
    again = _track(access, ada, clip, engine, Centre(), given_at=NOW + 2 * MINUTE)
    assert again.problem is None
    assert min(moment.at for moment in _moments(access, ada)) == START


def test_a_pause_ends_a_run_and_a_resumed_run_goes_on(
    access: Access, ada: Person, clip: Path, engine: Engine
) -> None:
    def pause(call: int) -> None:
        if call == 70:
            enrolment.pause(access, ada, NOW)

    with pytest.raises(PausedError, match="paused"):
        _track(access, ada, clip, engine, Centre(pause))
    assert len(_moments(access, ada)) == ingest.BATCH
    enrolment.resume(access, ada, NOW)
    detector = Centre()
    done = _track(access, ada, clip, engine, detector)
    assert done.observations == 80
    assert detector.calls == done.added == 80 - ingest.BATCH


def test_a_run_resumed_anywhere_sees_what_an_unbroken_one_sees(
    access: Access, clip: Path, engine: Engine
) -> None:
    whole = person(access, "whole")
    _track(access, whole, clip, engine)
    broken = person(access, "broken")

    class StoppedError(Exception):
        pass

    real = load_detector(None)

    class Stops(Centre):
        def find(self, pixels: Pixels) -> tuple[Face, ...]:
            self.calls += 1
            if self.calls > 33:
                raise StoppedError
            return real.find(pixels)

    with pytest.raises(StoppedError):
        _track(access, broken, clip, engine, Stops())
    assert len(_moments(access, broken)) == 33
    _track(access, broken, clip, engine)
    for a, b in zip(_moments(access, whole), _moments(access, broken), strict=True):
        assert (a.at, a.reason) == (b.at, b.reason)
        if a.machine is not None and b.machine is not None:
            # Batches of another length round differently in float32.
            assert a.machine.probabilities == pytest.approx(b.machine.probabilities, abs=1e-5)


def test_a_camera_that_vanishes_keeps_what_came(
    access: Access, ada: Person, clip: Path, engine: Engine
) -> None:
    with pytest.raises(CameraLost, match="camera:0 stopped giving pictures"):
        ingest.track(
            access,
            ada,
            open_source("camera:0"),
            ingest.Plan(0.001),
            engine,
            Centre(),
            clock=lambda: NOW,
            monotonic=time.monotonic,
            camera=lambda _: cv2.VideoCapture(str(clip)),
        )
    moments = _moments(access, ada)
    assert moments
    assert all(m.at >= NOW for m in moments)


def test_instants_in_the_future_are_refused(access: Access, ada: Person, clip: Path, engine: Engine) -> None:
    with pytest.raises(ValueError, match="in the future"):
        ingest.track(
            access,
            ada,
            open_source(str(clip)),
            ingest.Plan(0.2, NOW - timedelta(seconds=5)),
            engine,
            Centre(),
            clock=lambda: NOW,
            monotonic=time.monotonic,
        )


def test_a_recording_that_is_stored_does_not_begin_anew_at_another_instant(
    access: Access, ada: Person, clip: Path, engine: Engine, network: Network
) -> None:
    _track(access, ada, clip, engine, Centre())
    before = _moments(access, ada)
    other = Engine(Network(replace(network.entry, name="other"), network.module), "cpu")
    with pytest.raises(InstantError, match=f"as begun at {re.escape(START.isoformat())}"):
        ingest.track(
            access,
            ada,
            open_source(str(clip)),
            ingest.Plan(0.2, START + timedelta(hours=1)),
            other,
            Centre(),
            clock=lambda: NOW,
            monotonic=time.monotonic,
        )
    assert _moments(access, ada) == before


def test_without_a_start_nothing_is_guessed(access: Access, ada: Person, clip: Path, engine: Engine) -> None:
    with pytest.raises(ingest.StartUnknownError, match="--started-at"):
        ingest.track(
            access,
            ada,
            open_source(str(clip)),
            ingest.Plan(),
            engine,
            Centre(),
            clock=lambda: NOW,
            monotonic=time.monotonic,
        )


def test_memory_does_not_grow_with_the_recording(access: Access, engine: Engine, tmp_path: Path) -> None:
    peaks = []
    for frames in (200, 1000):
        path = tmp_path / f"{frames}.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5, (160, 160))
        for i in range(frames):
            writer.write(np.full((160, 160, 3), i % 200, np.uint8))
        writer.release()
        who = person(access, f"p{frames}")
        tracemalloc.start()
        done = _track(access, who, path, engine, Centre())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert done.observations == frames
    # Five times the frames; what is kept for each is a set of times, not pixels.
    assert peaks[1] < peaks[0] * 1.5


def test_a_recording_of_somebody_else_is_its_own(access: Access, clip: Path, engine: Engine) -> None:
    for name in ("ada", "bob"):
        assert _track(access, person(access, name), clip, engine).added == 80


def test_zone_and_time_source_are_kept(access: Access, ada: Person, clip: Path, engine: Engine) -> None:
    _track(access, ada, clip, engine)
    with access.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT DISTINCT zone, time_source FROM observations").all()
    assert rows == [("Europe/Berlin", "stated")]
