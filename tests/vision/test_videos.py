from __future__ import annotations

import gc
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.making import (
    MEDIA,
    needs_media,
    replace_times,
    rotate_by_metadata,
    shades,
    state_creation,
    write_video,
)  # fmt: skip
from tracker.vision.errors import MediaError
from tracker.vision.media import frames, open_source
from tracker.vision.recording import Sampling


def instants(path: Path, every: float) -> list[int]:
    return [frame.pts_us for frame in frames(open_source(str(path)), every)]


@given(st.lists(st.integers(0, 3_000_000), max_size=60).map(sorted), st.sampled_from([0.04, 0.2, 1.0]))
def test_every_frame_taken_is_the_first_at_or_after_a_multiple(times: list[int], every: float) -> None:
    sampling = Sampling(every)
    taken = [t for t in times if sampling.due(t)]
    step = round(every * 1e6)
    expected = sorted({min(t for t in times if t // step == slot) for slot in {t // step for t in times}})
    assert taken == expected


@needs_media
def test_a_real_clip_gives_99_frames_with_its_own_instants() -> None:
    source = open_source(str(MEDIA / "pyfeat_WolfgangLanger_Pexels.mp4"))
    assert (source.kind, source.frame_count, source.time_source) == ("video", 472, "container")
    assert source.created_at == datetime(2019, 10, 11, 5, 31, 58, tzinfo=UTC)
    with frames(source, 0.2) as stream:
        taken = [frame.pts_us for frame in stream]
    assert len(taken) == 99
    assert taken[:3] == [0, 208_542, 417_083]  # 24000/1001 frames per second: never 200,000
    assert stream.problem is None


@needs_media
def test_a_variable_frame_rate_is_followed() -> None:
    # Its stts: 72 frames of 1/30 s, one of 30 ms, one of 13.7 ms, 95 of 1/24 s.
    taken = instants(MEDIA / "pyfeat_face_noface.mov", 0.001)
    assert len(taken) == 169
    assert taken[1] == 33_333
    assert taken[-1] == round((72 * 512 + 461 + 210 + 94 * 640) / 15360 * 1e6)


def test_instants_are_presentation_times_not_index_times_rate(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", shades(20), fps=10)
    ticks = 1024  # a tenth of a second at the writer's time scale of 10,240
    assert instants(path, 0.1)[:3] == [0, 100_000, 200_000]
    replace_times(path, [(10, ticks), (10, 5 * ticks)])
    assert instants(path, 0.1)[8:13] == [800_000, 900_000, 1_000_000, 1_500_000, 2_000_000]
    assert instants(path, 1.0) == [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000]


def test_pixels_belong_to_their_instants(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", shades(30), fps=10)
    for frame in frames(open_source(str(path)), 0.5):
        assert abs(float(frame.pixels.mean()) - 5 * frame.pts_us / 100_000) < 4


def test_what_is_skipped_is_not_given_and_changes_nothing_else(tmp_path: Path) -> None:
    source = open_source(str(write_video(tmp_path / "a.mkv", shades(30), fps=10)))
    skipped = [frame.pts_us for frame in frames(source, 0.5, skip={0, 1_000_000})]
    assert skipped == [500_000, 1_500_000, 2_000_000, 2_500_000]


def test_a_phone_clip_is_turned_upright(tmp_path: Path) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32] = 255  # white on the left
    path = rotate_by_metadata(write_video(tmp_path / "a.mp4", [picture] * 3))
    upright = next(frames(open_source(str(path)), 1.0)).pixels
    assert upright.shape == (64, 48, 3)
    assert upright[:28].mean() > 240 > 10 > upright[-28:].mean()  # clockwise: left comes up


@pytest.mark.parametrize(
    ("seconds", "created"),
    [(0, None), (2_082_844_800, None), (3_850_000_000, datetime(2025, 12, 31, 4, 26, 40, tzinfo=UTC))],
)
def test_creation_time_of_mp4(tmp_path: Path, seconds: int, created: datetime | None) -> None:
    path = state_creation(write_video(tmp_path / "a.mp4", shades(3)), seconds)
    source = open_source(str(path))
    assert source.created_at == created
    assert source.time_source == ("container" if created else None)


def test_creation_time_of_matroska(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", shades(3))
    assert open_source(str(path)).created_at is None
    data = path.read_bytes()
    info = data.rindex(bytes.fromhex("1549a966"))  # the first one is an entry of the seek head
    date = bytes.fromhex("446188") + (86_400 * 10**9).to_bytes(8)
    length = int.from_bytes(data[info + 5 : info + 12]) if data[info + 4] == 1 else data[info + 4] & 0x7F
    header = 12 if data[info + 4] == 1 else 5
    body = data[info + header : info + header + length]
    grown = bytes.fromhex("1549a96601") + (len(body) + len(date)).to_bytes(7) + date + body
    path.write_bytes(data[:info] + grown + data[info + header + length :])
    assert open_source(str(path)).created_at == datetime(2001, 1, 2, tzinfo=UTC)


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", shades(3))
    copy = tmp_path / "other name.mp4"
    copy.write_bytes(path.read_bytes())
    assert open_source(str(path)).sha256 == open_source(str(copy)).sha256


@needs_media
def test_a_truncated_clip_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    whole = (MEDIA / "pyfeat_WolfgangLanger_Pexels.mp4").read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    stream = frames(open_source(str(path)), 0.2)
    assert len(list(stream)) == 48
    assert stream.problem == (
        "cut.mp4 is truncated or damaged: nothing can be read after 9.6 s of 19.7 s; "
        "what came before was kept"
    )


@needs_media
def test_a_clip_damaged_inside_gives_what_comes_before(tmp_path: Path) -> None:
    data = bytearray((MEDIA / "pyfeat_WolfgangLanger_Pexels.mp4").read_bytes())
    data[400_000:420_000] = bytes(n * 7 % 256 for n in range(20_000))
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    stream = frames(open_source(str(path)), 0.2)
    assert len(list(stream)) > 10
    assert stream.problem is not None
    assert "damaged.mp4 is truncated or damaged" in stream.problem


def test_what_is_no_video_is_named_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    video = write_video(tmp_path / "a.mp4", shades(20)).read_bytes()
    index = video.index(b"moov")
    mangled = bytearray(video)
    mangled[index:] = b"\0" * (len(video) - index)
    bad = {
        "zero.mp4": (b"", "zero.mp4 is empty (0 bytes); copy it again from where it was recorded"),
        "cut.mp4": (
            video[: index - 4],
            "cut.mp4 is truncated: its index (moov) is missing; copy it again or repair it",
        ),
        "mangled.mp4": (bytes(mangled), "mangled.mp4 is truncated: its index (moov) is missing"),
        "notes.mp4": (b"not a video\n" * 90, "notes.mp4 is neither a video nor a picture; give a video"),
        "list.m3u8": (b"#EXTM3U\n#EXTINF:1,\n/etc/hosts\n", "list.m3u8 is neither a video nor a picture"),
        "art.nfo": (b"text that FFmpeg would draw\n", "art.nfo is neither a video nor a picture"),
        "phone.heic": (b"\0\0\0\x18ftypheic" + bytes(400), "phone.heic is a HEIC or AVIF picture; give"),
        "cut.mkv": (bytes.fromhex("1a45dfa3") + bytes(900), "cut.mkv holds no video that can be decoded"),
        "cut.avi": (b"RIFF\0\0\0\0AVI " + bytes(900), "cut.avi holds no video that can be decoded"),
    }
    for name, (content, line) in bad.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MediaError) as error:
            list(frames(open_source(str(tmp_path / name)), 0.2))
        assert str(error.value).startswith(line)
        assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


def test_what_is_missing_or_no_path_is_named() -> None:
    for spec in ("no/such.mp4", "camera:x", "rtsp://camera.example/1"):
        with pytest.raises(MediaError, match="does not exist"):
            open_source(spec)


def test_an_unknown_codec_is_named(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", shades(3))
    data = path.read_bytes().replace(b"mp4v", b"zzzz")
    kind = data.index(b"\x04\x80\x80\x80", data.index(b"esds")) + 5
    path.write_bytes(data[:kind] + b"\xdd" + data[kind + 1 :])
    with pytest.raises(MediaError, match=r"^a.mp4 holds no video that can be decoded; re-encode it as H.264"):
        open_source(str(path))


@pytest.mark.parametrize("every", [0.0, -1.0, float("nan"), 1e9])
def test_every_must_make_sense(every: float) -> None:
    with pytest.raises(ValueError, match="every must be"):
        Sampling(every)


def test_a_long_video_is_streamed_in_bounded_memory(tmp_path: Path) -> None:
    source = open_source(str(write_video(tmp_path / "long.mp4", shades(3000), fps=10)))
    size = 48 * 64 * 3
    gc.collect()
    tracemalloc.start()
    try:
        count = sum(1 for _ in frames(source, 0.1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 3000
    assert peak < 20 * size + 200_000  # holding them all would take 27 MB
