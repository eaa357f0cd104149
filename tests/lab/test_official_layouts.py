"""Each data set is read from a small tree in its official form."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.lab import trees
from tests.lab.making import tiny_faces, write_csvs
from tracker.domain.affect import EMOTIONS
from tracker.lab.datasets import DatasetError
from tracker.lab.datasets.faces import FaceSet
from tracker.lab.datasets.names import SYNONYMS, emotion_named
from tracker.lab.datasets.opening import KINDS, open_faces

EIGHT = {e.value for e in EMOTIONS}


def named(faces: FaceSet) -> list[str]:
    return ["-" if label < 0 else faces.classes[label] for label in faces.labels]


def close(found: np.ndarray, expected: np.ndarray) -> bool:
    """Equal but for what JPEG does."""
    return found.shape == expected.shape and float(np.abs(found.astype(int) - expected).mean()) < 12


def test_affectnet_of_2021(tmp_path: Path) -> None:
    trees.affectnet_2021(tmp_path, {"train_set": range(11), "val_set": [7, 0, 3]})
    faces = open_faces(f"affectnet:{tmp_path}")
    order = ["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"]
    assert named(faces.of("train_set")) == [*order, "-", "-", "-"]
    val = faces.of("val")
    assert named(val) == ["contempt", "neutral", "surprise"]
    assert faces.usual_split() == "val_set"
    assert val.framing == "crops"
    assert close(val.pictures.read(2), trees.picture(2, 224))


def test_affectnet_numbers_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    trees.affectnet_2021(tmp_path, {"val_set": [0] * 9 + [1, 2, 3]})
    faces = open_faces(f"affectnet:{tmp_path}")
    assert faces.names[9:] == ["val_set/9.jpg", "val_set/10.jpg", "val_set/11.jpg"]
    assert named(faces)[9:] == ["happiness", "sadness", "surprise"]
    assert faces.usual_split() == "val_set"


@pytest.mark.parametrize("header", [True, False])
def test_affectnet_of_2017(tmp_path: Path, header: bool) -> None:
    trees.affectnet_2017(tmp_path, {"training": [1, 9], "validation": [4, 6, 8]}, header)
    faces = open_faces(f"affectnet:{tmp_path}")
    assert [named(faces.of(s)) for s in ("training", "validation")] == [
        ["happiness", "-"],
        ["fear", "anger", "-"],
    ]
    assert faces.framing == "boxes"
    assert faces.boxes is not None
    assert faces.boxes[0].tolist() == [100, 10, 90, 90]
    assert close(faces.of("validation").pictures.read(1), trees.picture(1, (120, 200)))


def test_affectnet_in_the_folders_of_its_archives(tmp_path: Path) -> None:
    whole = trees.affectnet_2017(tmp_path / "whole", {"validation": [4]})
    there = tmp_path / "there" / "Manually_Annotated"
    there.mkdir(parents=True)
    (whole / "Manually_Annotated_Images").rename(there / "Manually_Annotated_Images")
    (there / "Manually_Annotated_file_lists").mkdir()
    (whole / "validation.csv").rename(there / "Manually_Annotated_file_lists" / "validation.csv")
    faces = open_faces(f"affectnet:{tmp_path / 'there'}")
    assert named(faces) == ["fear"]
    assert faces.pictures.read(0).shape == (120, 200, 3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",4,0.1", ",11,0.1", "line 2: expression '11' is none of AffectNet's codes 0 to 10"),
        (",4,0.1", ",x,0.1", "line 2: expression 'x'"),
        (",4,0.1", ",nan,0.1", "line 2: expression 'nan'"),
        (",4,0.1", ",inf,0.1", "line 2: expression 'inf'"),
        ("100,10,90,90", "100,10,90,wide", "line 2: .*face box is four numbers"),
        ("0/validation0.jpg", "../../secret.jpg", "line 2: .* is no path below the folder"),
        (",1.0;2.0,4,0.1,-2", "", "line 2: 5 cells, not 9"),
    ],
)
def test_malformed_lines_of_affectnet(tmp_path: Path, old: str, new: str, message: str) -> None:
    trees.affectnet_2017(tmp_path, {"validation": [4]})
    listed = tmp_path / "validation.csv"
    listed.write_text(listed.read_text().replace(old, new))
    with pytest.raises(DatasetError, match=message):
        open_faces(f"affectnet:{tmp_path}")


def test_a_pickle_in_affectnets_place_is_not_unpickled(tmp_path: Path) -> None:
    trees.affectnet_2021(tmp_path, {"val_set": [1, 2]})
    np.save(tmp_path / "val_set/annotations/0_exp.npy", np.array({"a": 1}, dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError, match=r"0_exp\.npy is damaged"):
        open_faces(f"affectnet:{tmp_path}")


def test_rafdb(tmp_path: Path) -> None:
    said = [(0, 0, 0), (1, 1, 2), (2, 2, 4), (1, 0, 3)]
    trees.rafdb(tmp_path / "basic", {"train": range(1, 8), "test": [4, 7]}, [*said, *([(0, 2, 1)] * 5)])
    faces = open_faces(f"rafdb:{tmp_path}")
    order = ["surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"]
    assert named(faces.of("train")) == order
    test = faces.of("test")
    assert named(test) == ["happiness", "neutral"]
    assert faces.usual_split() == "test"
    assert close(test.pictures.read(1), trees.picture(2))
    by = {name: [g.values[c] for c in g.codes[:4]] for name, g in faces.groups.items()}
    assert by == {
        "gender": ["male", "female", "unsure", "female"],
        "race": ["Caucasian", "African-American", "Asian", "Caucasian"],
        "age": ["0-3", "20-39", "70+", "40-69"],
    }
    assert any("guessed" in note for note in faces.notes)


def test_rafdb_whose_attributes_are_not_there_or_half_there(tmp_path: Path) -> None:
    trees.rafdb(tmp_path / "a", {"test": [1, 2, 3]})
    bare = open_faces(f"rafdb:{tmp_path / 'a'}")
    assert bare.groups == {}
    assert any("no figures by gender" in note for note in bare.notes)
    trees.rafdb(tmp_path / "b", {"test": [1, 2, 3]}, [(0, 1, 2), (7, 1, 2)])
    half = open_faces(f"rafdb:{tmp_path / 'b'}")
    assert half.groups["gender"].codes.tolist() == [0, -1, -1]
    assert half.groups["race"].codes.tolist() == [1, 1, -1]
    assert "1 of 3 faces have no readable attributes." in half.notes


@pytest.mark.parametrize("line", ["test_0001.jpg 8", "test_0001.jpg", "other_0001.jpg 3", "../test_1.jpg 3"])
def test_malformed_lines_of_rafdb(tmp_path: Path, line: str) -> None:
    trees.rafdb(tmp_path, {"test": [1]})
    (tmp_path / "EmoLabel" / "list_patition_label.txt").write_text(line + "\n")
    with pytest.raises(DatasetError, match=r"line 1: .* is not like"):
        open_faces(f"rafdb:{tmp_path}")


def test_expw(tmp_path: Path) -> None:
    pixels = trees.picture(1, (300, 400))
    trees.expw(
        tmp_path,
        [
            "angry_actor_104.jpg 0 28 113 226 141 22.9362 0",
            "angry_actor_104.jpg 1 50 200 260 100 10.5 3",
            "two words.jpg 0 0 0 90 80 50.0 6",
        ],
        {"angry_actor_104.jpg": pixels, "two words.jpg": pixels},
    )
    faces = open_faces(f"expw:{tmp_path}")
    assert named(faces) == ["anger", "happiness", "neutral"]
    assert faces.boxes is not None
    assert faces.boxes.tolist() == [[113, 28, 113, 113], [200, 50, 60, 50], [0, 0, 90, 80]]
    assert faces.drawn()[0] == "images"
    assert faces.drawn()[1].tolist() == [0, 0, 1]
    assert faces.usual_split() == "all"
    assert faces.names[1] == "angry_actor_104.jpg, face 1"
    assert close(faces.pictures.read(2), pixels)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.jpg 0 28 113 226 141 22.9 7", "line 1: label 7 is none of 0 to 6"),
        ("a.jpg 0 28 113 226", "line 1: .* is not like"),
        ("/etc/a.jpg 0 28 113 226 141 22.9 3", "no name of a picture below"),
    ],
)
def test_malformed_lines_of_expw(tmp_path: Path, line: str, message: str) -> None:
    trees.expw(tmp_path, [line], {"a.jpg": trees.picture(1)})
    with pytest.raises(DatasetError, match=message):
        open_faces(f"expw:{tmp_path}")


def test_ckplus_is_read_at_the_peak_and_by_subject(tmp_path: Path) -> None:
    trees.ckplus(tmp_path, {"S005/001": 3, "S005/002": None, "S010/002": 7, "S010/004": 2})
    faces = open_faces(f"ckplus:{tmp_path}")
    assert named(faces) == ["disgust", "surprise", "contempt"]
    assert faces.names == ["S005_001_00000003.png", "S010_002_00000003.png", "S010_004_00000003.png"]
    assert faces.drawn()[0] == "people"
    assert faces.drawn()[1].tolist() == [0, 1, 1]
    assert faces.framing == "frames"
    assert np.array_equal(faces.pictures.read(0), trees.picture(3, 64))
    assert any("neutral" in note for note in faces.notes)


@pytest.mark.parametrize(("code", "called"), [(8, "8"), (float("nan"), "nan"), (float("inf"), "inf")])
def test_ckplus_with_another_code(tmp_path: Path, code: float, called: str) -> None:
    trees.ckplus(tmp_path, {"S005/001": code})  # type: ignore[dict-item]
    with pytest.raises(DatasetError, match=f"{called} is none of CK\\+'s codes 0 to 7"):
        open_faces(f"ckplus:{tmp_path}")


def test_a_folder_per_class(tmp_path: Path) -> None:
    trees.classes(tmp_path, {"Happy": 2, "03_angry": 3, "SAD": 1, "bored": 4})
    (tmp_path / "Happy" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "__MACOSX").mkdir()
    faces = open_faces(f"folder:{tmp_path}")
    assert Counter(named(faces)) == {"happiness": 2, "anger": 3, "sadness": 1}
    assert faces.classes == ("happiness", "sadness", "anger")
    assert faces.usual_split() == "all"
    assert "Folder 'bored' means no emotion: 4 files left out." in faces.notes


def test_a_folder_per_split(tmp_path: Path) -> None:
    trees.classes(tmp_path / "train", {"happy": 2, "fear": 2})
    trees.classes(tmp_path / "test", {"happy": 1, "fear": 1, "neutral": 1})
    faces = open_faces(f"folder:{tmp_path}")
    assert set(faces.splits) == {"train", "test"}
    assert faces.usual_split() == "test"
    assert Counter(named(faces.of("test"))) == {"neutral": 1, "happiness": 1, "fear": 1}
    assert len(faces.of("all")) == 7


@pytest.mark.parametrize("made", [{}, {"happy": 3}, {"1": 2, "2": 2}])
def test_a_folder_without_two_emotions(tmp_path: Path, made: dict[str, int]) -> None:
    trees.classes(tmp_path, made)
    with pytest.raises(DatasetError, match="named for two emotions or more"):
        open_faces(f"folder:{tmp_path}")


def test_every_synonym_means_one_emotion_and_numbers_mean_none() -> None:
    every = [name for names in SYNONYMS.values() for name in names]
    assert len(every) == len(set(every))
    assert {emotion_named(name.title()) for name in every} == EIGHT
    assert {emotion_named(e) for e in EIGHT} == EIGHT
    assert [emotion_named(str(n)) for n in range(12)] == [None] * 12


def test_the_docs_list_every_synonym() -> None:
    text = (Path(__file__).parents[2] / "docs" / "networks.md").read_text("utf-8")
    for emotion, names in SYNONYMS.items():
        assert f"| {emotion.value} | {', '.join(names)} |" in text


def test_some_rows_of_fer2013(tmp_path: Path) -> None:
    write_csvs(tmp_path, tiny_faces(6, 3))
    whole = (tmp_path / "fer2013.csv").read_text().splitlines()
    some = tmp_path / "some.csv"
    some.write_text("\n".join([whole[0], *whole[8:10]]) + "\n")
    faces = open_faces(f"fer2013:{some}")
    assert len(faces) == 2
    assert faces.usual_split() == "PublicTest"
    assert np.array_equal(faces.pictures.read(1)[:, :, 0], tiny_faces(6, 3).images[8])
    some.write_text("\n".join([whole[0], whole[1], whole[-1]]) + "\n")
    with pytest.raises(
        DatasetError, match="name a split with --split; these data hold Training, PrivateTest, all"
    ):
        open_faces(f"fer2013:{some}").usual_split()


def test_ferplus_by_votes_or_by_fer2013s_labels(tmp_path: Path) -> None:
    made = tiny_faces(7, 3)
    made.votes[2] = [0, 1, 0, 0, 0, 0, 0, 0, 9, 0]
    write_csvs(tmp_path, made)
    votes = open_faces(f"ferplus:{tmp_path}").of("Training")
    assert named(votes) == ["anger", "disgust", "-", "happiness", "sadness", "surprise", "neutral"]
    own = open_faces(f"ferplus:{tmp_path}", labels="fer2013").of("Training")
    assert named(own)[2] == "fear"
    assert own.usual_split() == "Training"


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "fer2013"])
def test_every_kind_says_what_is_missing(tmp_path: Path, kind: str) -> None:
    with pytest.raises(DatasetError, match=r"missing|needs folders|is no AffectNet"):
        open_faces(f"{kind}:{tmp_path}")
    with pytest.raises(DatasetError, match=r"is no folder|is missing"):
        open_faces(f"{kind}:{tmp_path / 'nowhere'}")


@pytest.mark.parametrize("source", ["rafdb", "rafdb:", "imagenet:/x", "", "/x"])
def test_unknown_kinds(source: str) -> None:
    with pytest.raises(DatasetError, match="must be given as KIND:PATH; known kinds: fer2013, ferplus, aff"):
        open_faces(source)


def test_a_fingerprint_changes_with_labels_and_pictures(tmp_path: Path) -> None:
    trees.classes(tmp_path, {"happy": 2, "sad": 2})
    first = open_faces(f"folder:{tmp_path}").fingerprint()
    assert open_faces(f"folder:{tmp_path}").fingerprint() == first
    trees.write(tmp_path / "sad" / "0.png", trees.picture(77, 61))
    second = open_faces(f"folder:{tmp_path}").fingerprint()
    (tmp_path / "sad" / "1.png").rename(tmp_path / "happy" / "9.png")
    assert len({first, second, open_faces(f"folder:{tmp_path}").fingerprint()}) == 3


def test_no_such_split(tmp_path: Path) -> None:
    trees.rafdb(tmp_path, {"test": [1, 2]})
    faces = open_faces(f"rafdb:{tmp_path}")
    with pytest.raises(DatasetError, match="no split 'nowhere'; there are: train, test, all"):
        faces.of("nowhere")
    with pytest.raises(DatasetError, match="no split 't'"):
        faces.of("t")
    with pytest.raises(DatasetError, match="'train' of these data holds no faces"):
        faces.of("train")
