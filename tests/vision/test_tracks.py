from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.making import MEDIA, YUNET, needs_media
from tracker.domain.framing import CropSpec
from tracker.vision.crops import crop
from tracker.vision.faces import Detector, Face, load_detector
from tracker.vision.media import frames, open_source
from tracker.vision.tracks import FaceTracker, Sighting, judged

STEP = 200_000


def at(x: float, y: float = 100, side: float = 80) -> Face:
    return Face((x, y, side * 0.8, side), 0.9, None, "drawn")


def follow(*shown: list[Face], confirm: bool = False, step: int = STEP) -> list[Sighting]:
    tracker = FaceTracker(confirm_first_face=confirm)
    return [tracker.see(n * step, faces) for n, faces in enumerate(shown)]


def reasons(*shown: list[Face], confirm: bool = False, step: int = STEP) -> list[str | None]:
    return [seen.reason for seen in follow(*shown, confirm=confirm, step=step)]


ME, OTHER = at(100), at(400)


def test_the_only_face_ever_seen_is_the_participants() -> None:
    assert reasons([], [ME], [at(110)], [], [], [at(130)]) == [
        "no_face",
        None,
        None,
        "no_face",
        "no_face",
        None,
    ]


def test_the_only_face_may_come_back_elsewhere_after_a_gap() -> None:
    assert reasons([ME], *[[]] * 11, [OTHER])[-1] is None
    assert reasons([ME], *[[]] * 11, [OTHER], confirm=True)[-1] == "ambiguous"
    assert reasons([ME], *[[]] * 11, [at(120)], confirm=True)[-1] is None


def test_a_face_that_is_suddenly_elsewhere_is_in_doubt() -> None:
    assert reasons([ME], [OTHER], [ME]) == [None, "ambiguous", None]


def test_two_faces_without_confirmation_are_ambiguous_for_good() -> None:
    both = [ME, OTHER]
    assert reasons([ME], both, both, both, [ME], [ME]) == [None] + ["ambiguous"] * 5


def test_a_spurious_face_costs_its_frame_only() -> None:
    assert reasons([ME], [ME, OTHER], [ME], [ME]) == [None, "ambiguous", None, None]


def test_a_first_frame_with_two_faces_is_never_resolved() -> None:
    assert set(reasons([ME, OTHER], [ME, OTHER], [ME, OTHER], *[[ME]] * 20, confirm=True)) == {"ambiguous"}


def test_the_confirmed_face_is_followed_among_others() -> None:
    shown = [[at(100 + 12 * n), OTHER] if n else [at(100)] for n in range(15)]
    seen = follow(*shown, confirm=True)
    assert [s.face for s in seen] == [faces[0] for faces in shown]
    assert [s.faces for s in seen] == [1] + [2] * 14


def test_nobody_takes_the_confirmed_persons_place() -> None:
    both = [ME, OTHER]
    assert reasons([ME], *[both] * 3, [OTHER], [OTHER], confirm=True)[-2:] == ["ambiguous"] * 2
    assert reasons([ME], *[both] * 3, *[[OTHER]] * 4, both, confirm=True)[-1] is None


def test_the_longer_the_gap_the_closer_it_has_to_be() -> None:
    both, shifted, near = [ME, OTHER], [at(125), OTHER], [at(106), OTHER]
    assert reasons([ME], *[both] * 3, [OTHER], shifted, confirm=True)[-1] is None
    assert reasons([ME], *[both] * 3, *[[OTHER]] * 20, shifted, confirm=True)[-1] == "ambiguous"
    assert reasons([ME], *[both] * 3, *[[OTHER]] * 20, near, confirm=True)[-1] is None
    assert reasons([ME], *[both] * 3, *[[OTHER]] * 60, near, confirm=True)[-1] == "ambiguous"


def test_people_who_cross_are_in_doubt_until_they_part() -> None:
    crossing = [at(100), at(120)]
    assert reasons([ME], [ME, at(200)], crossing, [ME, at(250)], confirm=True) == [
        None,
        None,
        "ambiguous",
        None,
    ]


def test_frames_come_in_order_of_time() -> None:
    tracker = FaceTracker()
    tracker.see(0, [])
    with pytest.raises(ValueError, match="order of time"):
        tracker.see(0, [])


boxes = st.builds(at, st.integers(0, 400), st.integers(0, 200), st.integers(40, 160))
recordings = st.lists(
    st.tuples(st.sampled_from([STEP, 5 * STEP, 20 * STEP]), st.lists(boxes, max_size=3)),
    min_size=1,
    max_size=30,
)


@given(recordings, st.booleans(), st.data())
def test_every_run_that_resumes_sees_what_an_unbroken_one_sees(
    recording: list[tuple[int, list[Face]]], confirm: bool, data: st.DataObject
) -> None:
    times = [sum(gap for gap, _ in recording[: n + 1]) for n in range(len(recording))]
    unbroken = FaceTracker(confirm_first_face=confirm)
    seen = [unbroken.see(t, faces) for t, (_, faces) in zip(times, recording, strict=True)]
    stored = data.draw(st.lists(st.booleans(), min_size=len(recording), max_size=len(recording)))
    resumed = FaceTracker(confirm_first_face=confirm)
    for time, (_, faces), before, is_stored in zip(times, recording, seen, stored, strict=True):
        if is_stored:
            resumed.recall(time, before.face.box if before.face else None, before.faces)
        else:
            assert resumed.see(time, faces) == before


@given(recordings, st.booleans())
def test_every_face_given_is_one_of_the_frames_and_doubt_gives_none(
    recording: list[tuple[int, list[Face]]], confirm: bool
) -> None:
    tracker, time = FaceTracker(confirm_first_face=confirm), 0
    for gap, faces in recording:
        time += gap
        seen = tracker.see(time, faces)
        assert seen.faces == len(faces)
        assert (seen.face is None) == (seen.reason is not None)
        assert seen.face is None or seen.face in faces
        assert (seen.reason == "no_face") == (not faces)
        assert confirm or len(faces) < 2 or seen.reason == "ambiguous"


@pytest.fixture(scope="module", params=["yunet", "haar"])
def detector(request: pytest.FixtureRequest) -> Detector:
    if request.param == "yunet" and not YUNET.is_file():
        pytest.skip("YuNet's file (../shared/detectors) is not here")
    return load_detector(YUNET if request.param == "yunet" else None)


def track(name: str, detector: Detector) -> list[tuple[Sighting, Sighting]]:
    """Each frame's sighting without and with a confirmed first face."""
    trackers = FaceTracker(), FaceTracker(confirm_first_face=True)
    seen = []
    for frame in frames(open_source(str(MEDIA / name)), 0.2):
        faces = detector.find(frame.pixels)
        sightings = [tracker.see(frame.pts_us, faces) for tracker in trackers]
        for n, sighting in enumerate(sightings):
            if sighting.face:
                cut = crop(frame.pixels, sighting.face, CropSpec(48, -0.024, "eyes"))
                sightings[n] = judged(sighting, cut.sharpness)
        seen.append((sightings[0], sightings[1]))
    return seen


@needs_media
def test_a_real_clip_has_a_face_in_nearly_all_frames(detector: Detector) -> None:
    seen = track("pyfeat_WolfgangLanger_Pexels.mp4", detector)
    assert len(seen) == 99
    for mode in (0, 1):
        assert sum(pair[mode].reason is None for pair in seen) >= 94


@needs_media
def test_a_real_clip_says_when_the_face_is_gone(detector: Detector) -> None:
    reasons = [pair[0].reason for pair in track("pyfeat_face_noface.mov", detector)]
    assert set(reasons) == {None, "no_face"}
    assert reasons.count(None) >= 10
    assert reasons.count("no_face") >= 15


@needs_media
def test_a_real_group_is_ambiguous(detector: Detector) -> None:
    for seen in track("pyfeat_multi_face.jpg", detector)[0]:
        assert (seen.reason, seen.face) == ("ambiguous", None)
        assert seen.faces >= 4
