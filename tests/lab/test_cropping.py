"""Pictures of a data set become crops: in order, in bounded memory, with broken ones named."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.lab import trees
from tracker.domain.framing import CropSpec
from tracker.lab.datasets.cropping import Cropper, resized
from tracker.lab.datasets.faces import BrokenPictureError, FaceSet, HeldPictures
from tracker.lab.datasets.loading import batches
from tracker.lab.datasets.opening import open_faces
from tracker.vision.face import Face

SPEC = CropSpec(size=32)


class Finder:
    """A detector that finds a small and a large square, or nothing in a dark picture."""

    name = "finder"

    def __init__(self) -> None:
        self.inside = threading.Lock()

    def find(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        assert self.inside.acquire(blocking=False), "two threads in one detector"
        try:
            if pixels.mean() < 5:
                return ()
            small, large = (0.0, 0.0, 20.0, 20.0), (60.0, 10.0, 50.0, 50.0)
            return Face(small, 0.99, None, self.name), Face(large, 0.9, None, self.name)
        finally:
            self.inside.release()


def everything(
    faces: FaceSet, cropper: Cropper, size: int
) -> tuple[NDArray[np.uint8], list[int], dict[int, str]]:
    crops, rows, broken = [], list[int](), dict[int, str]()
    for batch in batches(faces, np.arange(len(faces)), cropper, size):
        assert len(batch.crops) <= size
        crops.append(batch.crops)
        rows += batch.rows.tolist()
        broken |= dict(batch.broken)
    return np.concatenate(crops), rows, broken


def test_crops_are_taken_as_they_are_and_resized() -> None:
    pixels = trees.picture(3, (90, 100))
    faces = FaceSet("x", ("fear", "anger"), np.array([0]), ["a"], HeldPictures(pixels[None]))
    cropper = Cropper(SPEC)
    assert np.array_equal(cropper.cut(faces, 0, pixels), resized(pixels, 32))
    assert "taken as cropped by the data set and resized to 32 px" in cropper.described(faces)
    same = trees.picture(3, 32)
    assert cropper.cut(faces, 0, same) is same


@pytest.mark.parametrize("margin", [-0.1, 0.0, 0.25])
def test_boxes_are_cut_with_the_networks_margin(tmp_path: Path, margin: float) -> None:
    frame = np.zeros((200, 300, 3), np.uint8)
    frame[50:110, 100:160] = 255  # the face fills its box
    trees.expw(tmp_path, ["a.png 0 50 100 160 110 9.5 3"], {"a.png": frame})
    faces = open_faces(f"expw:{tmp_path}")
    spec = CropSpec(size=60, margin=margin)
    crop = Cropper(spec).cut(faces, 0, faces.pictures.read(0))
    share = min(1.0, 1 / (1 + 2 * margin)) ** 2
    assert crop.mean() / 255 == pytest.approx(share, abs=0.03)
    assert f"margin {margin:+g}" in Cropper(spec).described(faces)


@pytest.mark.parametrize("box", ["500 500 600 600", "0 0 0 0", "10 50 40 10", "0 0 inf 9", "nan 0 9 9"])
def test_a_box_that_holds_nothing_is_a_broken_picture(tmp_path: Path, box: str) -> None:
    trees.expw(tmp_path, [f"a.png 0 {box} 9.5 3"], {"a.png": trees.picture(1, (100, 120))})
    faces = open_faces(f"expw:{tmp_path}")
    with pytest.raises(BrokenPictureError, match=r"a\.png, face 0: its box lies outside the picture"):
        Cropper(SPEC).cut(faces, 0, faces.pictures.read(0))


def test_frames_are_searched_for_their_largest_face_and_squares_are_not(tmp_path: Path) -> None:
    trees.ckplus(tmp_path / "frames", {"S1/001": 1, "S2/001": 3}, side=(100, 140))
    dark = tmp_path / "frames/cohn-kanade-images/S2/001/S2_001_00000003.png"
    trees.write(dark, np.zeros((100, 140), np.uint8))
    faces = open_faces(f"ckplus:{tmp_path / 'frames'}")
    cropper = Cropper(CropSpec(size=50), detector=Finder)
    crops, rows, broken = everything(faces, cropper, 8)
    assert rows == [0]
    assert broken == {1: "S2_001_00000003.png: no face found by finder"}
    assert np.abs(crops[0].astype(int) - trees.picture(3, (100, 140))[10:60, 60:110]).mean() < 4
    assert "largest face (finder)" in cropper.described(faces)
    trees.ckplus(tmp_path / "squares", {"S1/001": 1}, side=100)
    squares = open_faces(f"ckplus:{tmp_path / 'squares'}")
    assert len(everything(squares, Cropper(SPEC, detector=Finder), 8)[0]) == 1


def test_crops_are_searched_too_when_asked(tmp_path: Path) -> None:
    trees.classes(tmp_path, {"happy": 3, "sad": 3}, side=120)
    faces = open_faces(f"folder:{tmp_path}")
    found = everything(faces, Cropper(SPEC, detect=True, detector=Finder), 2)[0]
    assert not np.array_equal(found, everything(faces, Cropper(SPEC), 2)[0])


def test_broken_files_are_skipped_and_named(tmp_path: Path) -> None:
    trees.classes(tmp_path, {"happy": 3, "sad": 3})
    (tmp_path / "happy" / "1.png").write_bytes(b"no picture")
    (tmp_path / "sad" / "0.png").write_bytes((tmp_path / "sad" / "0.png").read_bytes()[:40])
    (tmp_path / "sad" / "2.png").write_bytes(b"")
    (tmp_path / "sad" / "notes.txt").write_text("these are sad")
    faces = open_faces(f"folder:{tmp_path}")
    assert "1 files do not look like pictures by their names." in faces.notes
    (tmp_path / "happy" / "2.png").unlink()
    crops, rows, broken = everything(faces, Cropper(SPEC), 2)
    assert [faces.names[row] for row in rows] == ["happy/0.png", "sad/1.png"]
    assert len(crops) == 2
    assert {faces.names[row] for row in broken} == {
        "happy/1.png", "happy/2.png", "sad/0.png", "sad/2.png", "sad/notes.txt",
    }  # fmt: skip
    assert all(faces.names[row].split("/")[1] in what for row, what in broken.items())


@given(n=st.integers(0, 23), size=st.integers(1, 9))
@settings(deadline=None, max_examples=25)
def test_every_face_comes_once_and_in_order_whatever_the_batch(n: int, size: int) -> None:
    pixels = np.arange(n, dtype=np.uint8)[:, None, None] * np.ones((1, 32, 32), np.uint8)
    faces = FaceSet("x", ("fear", "anger"), np.zeros(n, np.int64), [str(i) for i in range(n)],
                    HeldPictures(pixels))  # fmt: skip
    found = [int(c[0, 0, 0]) for b in batches(faces, np.arange(n), Cropper(SPEC), size) for c in b.crops]
    assert found == list(range(n))


def test_only_the_next_batch_is_opened_ahead() -> None:
    opened: list[int] = []

    class Counted(HeldPictures):
        def read(self, row: int) -> NDArray[np.uint8]:
            opened.append(row)
            return super().read(row)

    faces = FaceSet("x", ("fear", "anger"), np.zeros(40, np.int64), [""] * 40,
                    Counted(np.zeros((40, 32, 32), np.uint8)))  # fmt: skip
    running = batches(faces, np.arange(40), Cropper(SPEC), 4)
    next(running)
    running.close()
    assert max(opened) < 8
