from __future__ import annotations

import contextlib
import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.making import exif, jpeg, png
from tracker.vision.errors import MediaError
from tracker.vision.exif import read_exif
from tracker.vision.headers import DamagedError, read_header
from tracker.vision.media import frames, open_source
from tracker.vision.recording import Frame
from tracker.vision.stills import decode

TAKEN, OFFSET, SUBSECOND = 0x9003, 0x9011, 0x9291
GREY = np.full((40, 60, 3), 90, np.uint8)


def encoded(suffix: str, picture: np.ndarray) -> bytes:
    return bytes(cv2.imencode(suffix, picture)[1])


def read(path: Path, every: float = 1.0) -> list[Frame]:
    return list(frames(open_source(str(path)), every))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif"])
def test_formats_and_their_sizes(suffix: str) -> None:
    data = encoded(suffix, GREY)
    header = read_header(data)
    assert header is not None
    assert (header.width, header.height) == (60, 40)
    assert abs(decode(data, "a").astype(int) - 90).max() <= 2


def test_grey_and_sixteen_bits_become_rgb() -> None:
    assert decode(encoded(".png", GREY[:, :, 0]), "a").shape == (40, 60, 3)
    assert (decode(encoded(".png", GREY.astype(np.uint16) * 257), "a") == 90).all()
    assert (decode(encoded(".png", GREY[:, :, 0].astype(np.uint16) * 257), "a") == 90).all()
    assert decode(encoded(".jpg", GREY[:, :, 0]), "a").shape == (40, 60, 3)


def test_alpha_is_laid_over_white() -> None:
    rgba = np.dstack([GREY, np.full((40, 60), 255, np.uint8)])
    rgba[:20, :, 3] = 0
    rgba[20:30, :, 3] = 128
    pixels = decode(encoded(".png", rgba), "a")
    assert (pixels[:20] == 255).all()
    assert (abs(pixels[20:30].astype(int) - 172) <= 1).all()
    assert (pixels[30:] == 90).all()
    grey_alpha = png(struct.pack(">IIBBBBB", 2, 1, 8, 4, 0, 0, 0), bytes([0, 10, 0, 20, 255]))
    assert decode(grey_alpha, "a").tolist() == [[[255] * 3, [20] * 3]]


def test_colours_are_rgb() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[:, :, 2] = 255  # OpenCV writes BGR
    for suffix in (".png", ".jpg", ".bmp"):
        assert decode(encoded(suffix, red), "a")[0, 0].argmax() == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured_in_jpeg_and_png(orientation: int) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:16, :16] = 250  # a mark in the stored top left corner
    corner = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "tl", 6: "tr", 7: "br", 8: "bl"}[orientation]
    tiff = exif({}, orientation)
    plain = encoded(".png", picture)
    chunk = b"eXIf" + tiff
    with_exif = (
        plain[:33] + struct.pack(">I", len(tiff)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + plain[33:]
    )
    for data in (jpeg(picture, tiff), with_exif):
        pixels = decode(data, "a")
        assert pixels.shape[:2] == ((48, 64) if orientation < 5 else (64, 48))
        y = slice(0, 12) if corner[0] == "t" else slice(-12, None)
        x = slice(0, 12) if corner[1] == "l" else slice(-12, None)
        assert pixels[y, x].mean() > 220
        assert pixels.mean() < 40


def test_one_pixel(tmp_path: Path) -> None:
    (tmp_path / "dot.png").write_bytes(encoded(".png", GREY[:1, :1]))
    (frame,) = read(tmp_path / "dot.png")
    assert frame.pixels.shape == (1, 1, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_huge_picture_is_reduced(suffix: str) -> None:
    data = encoded(suffix, np.zeros((12_000, 12_000), np.uint8))
    assert decode(data, "huge").shape == (3000, 3000, 3)


def test_a_bomb_is_refused_by_its_header() -> None:
    bomb = png(struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0), b"")
    with pytest.raises(MediaError, match=r"bomb.png is too large: 60000 x 60000 pixels, at most 200 million"):
        decode(bomb, "bomb.png")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_stills_are_named(suffix: str, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (80, 80, 3), np.uint8)
    data = encoded(suffix, noise)
    with pytest.raises(MediaError, match=r"^cut (is|cannot)") as error:
        decode(data[: int(len(data) * share)], "cut")
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


def test_damaged_png_and_empty_file_are_named() -> None:
    data = bytearray(encoded(".png", GREY))
    data[60] ^= 0xFF
    with pytest.raises(MediaError, match=r"a is damaged \(a PNG whose checksum fails\)"):
        decode(bytes(data), "a")
    with pytest.raises(MediaError, match="a is empty"):
        decode(b"", "a")
    with pytest.raises(MediaError, match="a is no picture that is read"):
        decode(b"hello", "a")


STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBP", b"BM", b"II*\0", b"MM\0*")


@given(st.sampled_from(STARTS), st.binary(max_size=200))
def test_headers_from_strangers_do_no_harm(start: bytes, rest: bytes) -> None:
    with contextlib.suppress(DamagedError):
        read_header(start + rest)
    read_exif(rest)
    read_exif(b"II*\0" + rest)


def test_exif_instant_needs_its_offset(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(GREY, exif({TAKEN: "2024:05:06 07:08:09"})))
    assert open_source(str(path)).created_at is None
    path.write_bytes(jpeg(GREY, exif({TAKEN: "2024:05:06 07:08:09", OFFSET: "+02:00", SUBSECOND: "25"})))
    source = open_source(str(path))
    assert source.created_at == datetime(2024, 5, 6, 5, 8, 9, 250_000, tzinfo=UTC)
    assert (source.kind, source.time_source) == ("image", "exif")


def test_a_folder_with_instants_is_in_their_order(tmp_path: Path) -> None:
    for name, second in (("c.jpg", 0), ("a.jpg", 2), ("b.jpg", 5)):
        taken = exif({TAKEN: f"2024:05:06 07:08:0{second}", OFFSET: "+00:00"})
        (tmp_path / name).write_bytes(jpeg(np.full((16, 16, 3), second * 40, np.uint8), taken))
    seen = read(tmp_path)
    assert [frame.pts_us for frame in seen] == [0, 2_000_000, 5_000_000]
    assert [round(float(frame.pixels.mean()) / 40) for frame in seen] == [0, 2, 5]
    assert open_source(str(tmp_path)).created_at == datetime(2024, 5, 6, 7, 8, tzinfo=UTC)
    assert [frame.pts_us for frame in read(tmp_path, every=4.0)] == [0, 5_000_000]


def test_a_folder_without_instants_is_in_order_of_names(tmp_path: Path) -> None:
    for name in ("2.png", "1.png", "notes.txt", ".hidden.png"):
        (tmp_path / name).write_bytes(encoded(".png", GREY))
    source = open_source(str(tmp_path))
    assert (source.kind, source.frame_count, source.created_at) == ("folder", 2, None)
    assert [frame.pts_us for frame in frames(source, 0.2)] == [0, 200_000]
    assert [frame.pts_us for frame in frames(source, 0.2, skip=[0])] == [200_000]


def test_a_folder_is_known_by_its_names_and_contents(tmp_path: Path) -> None:
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        folder.mkdir()
        (folder / "a.png").write_bytes(encoded(".png", GREY))
    one, two = (open_source(str(folder)) for folder in folders)
    assert one.sha256 == two.sha256
    (folders[1] / "b.png").write_bytes(encoded(".png", GREY))
    assert open_source(str(folders[1])).sha256 != one.sha256


def test_one_bad_picture_spoils_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(".png", GREY))
    (tmp_path / "b.png").write_bytes(b"")
    stream = frames(open_source(str(tmp_path)), 1.0)
    assert len(list(stream)) == 1
    assert stream.problem is not None
    assert stream.problem.startswith("1 of 2 pictures were left out; the first: b.png is empty")
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(
        MediaError, match=r"none of the 2 pictures can be read; the first: a.png is no picture"
    ):
        read(tmp_path)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="holds no picture"):
        open_source(str(tmp_path))
