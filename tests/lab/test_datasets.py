from pathlib import Path

import numpy as np
import pytest

from tests.lab.making import tiny_faces, write_csvs
from tracker.domain.affect import EMOTIONS
from tracker.lab.datasets import (
    FER2013_CLASSES,
    FERPLUS_COLUMNS,
    DatasetError,
    read,
    read_ferplus,
    read_near_duplicates,
)
from tracker.lab.truth import truth


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_csvs(tmp_path, tiny_faces(6, 3))
    return tmp_path


def test_the_official_form_is_read(folder: Path) -> None:
    found, expected = read(f"ferplus:{folder}"), tiny_faces(6, 3)
    for name in ("images", "labels", "votes", "split"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
    assert [len(found.of(s)) for s in ("Training", "PublicTest", "PrivateTest")] == [6, 3, 3]


def test_the_votes_are_in_the_order_of_our_emotions() -> None:
    assert FERPLUS_COLUMNS[:8] == tuple(e.value for e in EMOTIONS)
    assert FER2013_CLASSES == ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


@pytest.mark.parametrize("source", ["ferplus", "ferplus:", "imagenet:/x", "/x"])
def test_unknown_kinds_of_data(source: str) -> None:
    with pytest.raises(DatasetError, match="must be given as KIND:PATH; known kinds: ferplus"):
        read(source)


def test_an_unknown_split(folder: Path) -> None:
    with pytest.raises(DatasetError, match="no split 'test'; there are: Training, PublicTest, PrivateTest"):
        read_ferplus(folder).of("test")


@pytest.mark.parametrize("name", ["fer2013.csv", "fer2013new.csv"])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DatasetError, match=rf"{name} is missing; put"):
        read_ferplus(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("fer2013.csv", "emotion,", "feeling,", "no column 'emotion'"),
        ("fer2013.csv", ",PrivateTest", ",Holdout", "line 11: unknown emotion . or usage 'Holdout'"),
        ("fer2013.csv", "\n1,", "\n7,", "line 3: unknown emotion 7"),
        ("fer2013.csv", "\n1,", "\nx,", "line 3: invalid literal"),
        ("fer2013.csv", "\n1,", "\n1,3 ", "line 3: 2305 pixels, not 2304"),
        ("fer2013.csv", "\n1,", "\n1,999 ", "line 3: .*whole numbers 0 to 255"),
        ("fer2013new.csv", "contempt", "scorn", "no column 'contempt'"),
        ("fer2013new.csv", ",8,", ",many,", "line 2: .*whole numbers"),
        ("fer2013new.csv", ",8,", ",-8,", "line 2: votes cannot be negative"),
    ],
)
def test_malformed_rows_are_named(folder: Path, name: str, old: str, new: str, message: str) -> None:
    path = folder / name
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DatasetError, match=message):
        read_ferplus(folder)


def test_a_truncated_file(folder: Path) -> None:
    path = folder / "fer2013.csv"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatasetError, match="line 13: cut off; the file is truncated"):
        read_ferplus(folder)


def test_files_that_do_not_match(folder: Path) -> None:
    path = folder / "fer2013new.csv"
    path.write_text("\n".join(path.read_text().split("\n")[:-2]))
    with pytest.raises(DatasetError, match=r"has 12 rows, .* 11; they match by row"):
        read_ferplus(folder)


def test_no_rows_and_no_text(folder: Path) -> None:
    (folder / "fer2013.csv").write_text("emotion,pixels,Usage\n")
    with pytest.raises(DatasetError, match="holds no faces"):
        read_ferplus(folder)
    (folder / "fer2013.csv").write_bytes(b"\xff\xfe\x00" * 9)
    with pytest.raises(DatasetError, match="is no CSV file"):
        read_ferplus(folder)


def test_near_duplicates(tmp_path: Path) -> None:
    faces = tiny_faces(6, 3)
    path = tmp_path / "labels.npz"
    np.savez(path, near_train_ncc=np.linspace(0, 1, 12).astype(np.float16))
    assert read_near_duplicates(path, faces).sum() == 1
    with pytest.raises(DatasetError, match="describes 12 faces, the data hold 3"):
        read_near_duplicates(path, faces.of("PublicTest"))
    np.savez(path, other=np.zeros(3))
    with pytest.raises(DatasetError, match="holds no array near_train_ncc"):
        read_near_duplicates(path, faces)


def test_truth_in_the_order_of_the_head() -> None:
    faces = tiny_faces(7, 3).of("Training")
    rows, labels = truth(faces, "fer2013", FER2013_CLASSES[::-1])
    assert rows.all()
    assert labels.tolist() == [6 - i for i in range(7)]
    _, labels = truth(faces, "ferplus", FERPLUS_COLUMNS[:8])
    assert [FERPLUS_COLUMNS[i] for i in labels] == list(FER2013_CLASSES)


def test_faces_that_nobody_could_name_have_no_truth() -> None:
    faces = tiny_faces(7, 3).of("Training")
    faces.votes[2] = [0, 1, 0, 0, 0, 0, 0, 0, 9, 0]
    rows, labels = truth(faces, "ferplus", FERPLUS_COLUMNS[:8])
    assert rows.tolist() == [True, True, False, True, True, True, True]
    assert len(labels) == 6


def test_truth_that_is_not_there() -> None:
    with pytest.raises(DatasetError, match="no labels for head 'valence'"):
        truth(tiny_faces(), "valence", ("neutral",))
    with pytest.raises(DatasetError, match="none of the 0 faces"):
        truth(tiny_faces(7, 0).of("PublicTest"), "fer2013", FER2013_CLASSES)
