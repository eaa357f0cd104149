"""Of a frame that is kept nothing is to be seen but its participant, whatever else it shows."""

from __future__ import annotations

import re

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.making import MEDIA, YUNET, needs_media, needs_yunet
from tracker.domain.video import EVERY_S, SIDE
from tracker.vision.covering import GREY, HELD_US, CoveredFrame, Covering, around
from tracker.vision.face import Face
from tracker.vision.faces import load_detector
from tracker.vision.headers import read_header
from tracker.vision.media import frames, open_source
from tracker.vision.tracks import FaceTracker

ME, OTHER = (200.0, 120.0, 80.0, 100.0), (420.0, 110.0, 70.0, 90.0)


def opened(frame: CoveredFrame | None) -> np.ndarray:
    """A kept frame's pixels (RGB), as whoever has the key sees them."""
    assert frame is not None
    read = cv2.imdecode(np.frombuffer(plain(frame), np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    return np.asarray(read[:, :, ::-1])


def plain(frame: CoveredFrame) -> bytes:
    return frame.sealed(lambda data, place: data, "frames.sealed|1")


def face(box: tuple[float, float, float, float], score: float = 0.9) -> Face:
    return Face(box, score, None, "yunet")


def scene(height: int = 360, width: int = 640) -> np.ndarray:
    """White, where every other place is told from grey."""
    return np.full((height, width, 3), 255, np.uint8)


def lit(picture: np.ndarray) -> np.ndarray:
    """Where anything of the scene is left: its white, and not the grey of what was covered."""
    return np.asarray(np.abs(picture.astype(int) - GREY).max(axis=2) > 40)


def region(box: tuple[float, float, float, float], shape: tuple[int, ...], scale: float) -> np.ndarray:
    x, y, w, h = (value * scale for value in box)
    here = np.zeros(shape[:2], bool)
    here[max(0, round(y)) : max(0, round(y + h)), max(0, round(x)) : max(0, round(x + w))] = True
    return here


BOXES = st.tuples(st.floats(-60, 620), st.floats(-60, 340), st.floats(20, 260), st.floats(20, 300))


@settings(max_examples=120, deadline=None)
@given(mine=BOXES, others=st.lists(BOXES, max_size=4), high=st.booleans())
def test_every_other_face_and_all_that_lies_elsewhere_is_filled(
    mine: tuple[float, float, float, float], others: list[tuple[float, float, float, float]], high: bool
) -> None:
    pixels = scene(1080, 1920) if high else scene()
    me, them = face(mine), [face(box) for box in others]
    kept = Covering().see(0, pixels, me, [me, *them], read=True)
    if kept is None:
        return
    picture = opened(kept)
    scale = min(1.0, SIDE / max(pixels.shape[:2]))
    left = lit(picture)
    assert max(picture.shape) <= SIDE
    assert not left[~region(around(mine), picture.shape, scale)].any(), (
        "something beside the participant is left"
    )
    for box in others:
        assert not left[region(box, picture.shape, scale)].any(), "somebody else's face is left"


def test_somebody_else_is_filled_and_not_blurred() -> None:
    pixels = scene()
    close = (300.0, 120.0, 80.0, 100.0)
    me, other = face(ME), face(close)
    alone, beside = (
        Covering().see(0, pixels, me, [me], read=True),
        Covering().see(0, pixels, me, [me, other], read=True),
    )
    there = region(close, opened(alone).shape, SIDE / 640) & region(
        around(ME), opened(alone).shape, SIDE / 640
    )
    assert lit(opened(alone))[there].mean() > 0.5, "it lies where the participant's own hair would"
    assert not lit(opened(beside))[there].any()
    assert lit(opened(beside)).any()
    covered = opened(beside)[there]
    assert np.abs(covered.astype(int) - GREY).max() <= 3


def test_who_turned_away_stays_covered_for_a_while() -> None:
    pixels, me = scene(), face(ME)
    close = (300.0, 120.0, 80.0, 100.0)
    covering = Covering()
    assert covering.see(0, pixels, me, [me, face(close)], read=True) is not None
    turned = opened(covering.see(1_000_000, pixels, me, [me], read=True))
    there = region(close, turned.shape, SIDE / 640)
    assert not lit(turned)[there].any()
    gone = opened(covering.see(1_500_000 + HELD_US, pixels, me, [me], read=True))
    assert lit(gone)[there].any()


def test_who_comes_in_is_covered_in_the_frames_before_they_were_found() -> None:
    pixels, me = scene(), face(ME)
    close = (300.0, 120.0, 80.0, 100.0)
    there = region(close, (270, 480), SIDE / 640)
    covering = Covering()
    old = covering.see(0, pixels, me, [me], read=True)
    before = covering.see(HELD_US, pixels, me, [me], read=True)
    assert lit(opened(before))[there].any()
    covering.see(HELD_US + 200_000, pixels, me, [me, face(close)], read=True)
    assert not lit(opened(before))[there].any()
    assert lit(opened(before))[region(ME, (270, 480), SIDE / 640)].mean() > 0.5
    assert lit(opened(old))[there].any(), "long before, it was the room"
    assert before is not None
    assert before.shows


def test_a_frame_in_which_a_later_face_hides_the_participant_is_told_as_such() -> None:
    pixels, me = scene(), face(ME)
    covering = Covering()
    frame = covering.see(0, pixels, me, [me], read=True)
    assert frame is not None
    assert frame.shows
    covering.see(200_000, pixels, None, [face((230.0, 150.0, 80.0, 100.0))], read=False)
    assert not frame.shows
    covering.see(400_000 + HELD_US, pixels, me, [me], read=True)
    assert not frame.shows, "also later"


def test_of_who_stands_elsewhere_when_the_participant_has_left_nothing_is_kept() -> None:
    pixels, covering, tracker = scene(), Covering(), FaceTracker()

    def kept(second: float, box: tuple[float, float, float, float]) -> bool:
        pts_us, found = round(second * 1e6), [face(box)]
        seen = tracker.see(pts_us, found)
        assert seen.face is not None, "for the series a face that is alone is theirs"
        return covering.see(pts_us, pixels, seen.face, found, read=seen.reason is None) is not None

    assert kept(0, ME)
    assert kept(0.6, ME)
    assert not kept(5, OTHER)
    assert not kept(5.6, OTHER), "nor when they stay"
    assert kept(9, ME)


def test_a_frame_that_lies_in_the_past_is_small_and_says_the_same() -> None:
    pixels, me = scene(), face(ME)
    covering = Covering()
    frame = covering.see(0, pixels, me, [me], read=True)
    assert frame is not None
    data = plain(frame)
    covering.see(200_000 + HELD_US, pixels, me, [me, face((300.0, 120.0, 80.0, 100.0))], read=True)
    assert plain(frame) == data
    frame.cover(ME)
    assert plain(frame) == data


def test_a_face_in_doubt_is_covered_until_it_is_known_to_be_ones_own() -> None:
    pixels, me = scene(), face(ME)
    covering = Covering()
    assert covering.see(0, pixels, None, [me, face(OTHER)], read=False) is None
    known = opened(covering.see(600_000, pixels, me, [me], read=True))
    assert lit(known)[region(ME, known.shape, SIDE / 640)].all()


def test_nothing_is_kept_where_others_hide_the_participant_or_nothing_was_read() -> None:
    pixels, me = scene(), face(ME)
    on_top = face((205.0, 125.0, 80.0, 100.0))
    assert Covering().see(0, pixels, me, [me, on_top], read=True) is None
    assert Covering().see(0, pixels, None, [me], read=False) is None
    assert Covering().see(0, pixels, None, [], read=False) is None
    assert Covering().see(0, pixels, me, [me], read=False) is None
    outside = face((-300.0, -300.0, 80.0, 100.0))
    assert Covering().see(0, pixels, outside, [outside], read=True) is None


@given(st.lists(st.integers(1, 900), min_size=1, max_size=40))
@settings(max_examples=30, deadline=None)
def test_no_more_are_kept_than_is_said(steps: list[int]) -> None:
    pixels, me, covering = scene(40, 60), face((20, 10, 16, 20)), Covering()
    instants = np.cumsum(steps).tolist()
    kept = [ms for ms in instants if covering.see(ms * 1000, pixels, me, [me], read=True) is not None]
    slots = [int(ms / 1000 // EVERY_S) for ms in kept]
    assert len(slots) == len(set(slots))


def test_it_is_a_plain_jpeg_whose_length_says_little() -> None:
    lengths = set()
    for shade in (0, 128, 255):
        pixels = np.full((360, 640, 3), shade, np.uint8)
        me = face(ME)
        kept = Covering().see(0, pixels, me, [me], read=True)
        assert kept is not None
        data = plain(kept)
        header = read_header(data)
        assert header is not None
        assert (header.format, header.width, header.height) == ("jpeg", 480, 270)
        assert b"Exif" not in data
        lengths.add(len(data))
    assert len(lengths) == 1


def test_what_it_holds_is_told_nowhere() -> None:
    me = face(ME)
    kept = Covering().see(0, scene(), me, [me], read=True)
    assert kept is not None
    assert re.fullmatch(r"<tracker\.vision\.covering\.CoveredFrame object at 0x[0-9a-f]+>", repr(kept))
    assert not hasattr(kept, "__dict__")


@needs_media
@needs_yunet
def test_in_a_real_picture_of_five_only_one_is_left() -> None:
    detector = load_detector(YUNET)
    source = open_source(str(MEDIA / "pyfeat_multi_face.jpg"))
    with frames(source, 0.2) as stream:
        (frame,) = list(stream)
    found = detector.find(frame.pixels)
    assert len(found) >= 4
    for mine in found:
        kept = Covering().see(0, frame.pixels, mine, found, read=True)
        picture = opened(kept)
        scale = SIDE / max(frame.pixels.shape[:2])
        left = np.abs(picture.astype(int) - GREY).max(axis=2) > 40
        for other in found:
            if other is not mine:
                assert not left[region(other.box, picture.shape, scale)].any()
        assert left[region(mine.box, picture.shape, scale)].mean() > 0.3
        large = cv2.resize(picture, None, fx=3, fy=3)
        again = [f for f in detector.find(np.asarray(large, np.uint8)) if f.score > 0.7]
        assert len(again) <= 1, "a detector finds nobody else in what is kept"


@needs_media
@needs_yunet
def test_in_a_real_clip_the_person_is_left_and_nobody_else() -> None:
    detector, tracker, covering = load_detector(YUNET), FaceTracker(), Covering()
    kept = 0
    with frames(open_source(str(MEDIA / "pyfeat_WolfgangLanger_Pexels.mp4")), 0.2) as stream:
        for frame in stream:
            found = detector.find(frame.pixels)
            seen = tracker.see(frame.pts_us, found)
            film = covering.see(frame.pts_us, frame.pixels, seen.face, found, read=seen.reason is None)
            if film is None:
                continue
            kept += 1
            picture = opened(film)
            assert (picture == GREY).all(axis=2).mean() > 0.2, "most of the room is covered"
            assert len(detector.find(picture)) == 1
            if kept == 12:
                break
    assert kept == 12
