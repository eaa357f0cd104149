"""Networks are judged on data sets in their official form, from files to figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.fer.making import tiny_network
from tests.lab import trees
from tests.lab.judging import SEVEN, said, seven
from tracker.fer.engine import Engine
from tracker.fer.manifest import ZooError
from tracker.lab.datasets import DatasetError
from tracker.lab.datasets.cropping import Cropper, resized
from tracker.lab.datasets.faces import FaceSet
from tracker.lab.datasets.opening import open_faces
from tracker.lab.judging import Judgement, judge_faces, read_faces, usual_head
from tracker.lab.order_of_faces import order_of_faces


def judged(engine: Engine, faces: FaceSet, resamples: int = 20) -> Judgement:
    head = usual_head(engine.network.spec, faces.kind)
    return judge_faces(engine, faces, head, Cropper(engine.crop), resamples=resamples)


def pixels(faces: FaceSet) -> np.ndarray:
    return np.stack([resized(faces.pictures.read(row), 16) for row in range(len(faces))])


def test_eight_classes_meet_seven(tmp_path: Path) -> None:
    codes = [1 + i % 7 for i in range(28)]
    trees.rafdb(tmp_path, {"test": codes}, [(i % 2, i % 3, 2) for i in range(28)])
    faces = open_faces(f"rafdb:{tmp_path}")
    engine = Engine(tiny_network(), "cpu")
    found = judged(engine, faces)
    p = said(engine, pixels(faces))[:, :7]  # all but contempt, which is the last of our order
    p /= p.sum(axis=1, keepdims=True)
    ours = engine.network.spec.heads[0].classes[:7]
    labels = np.array([ours.index(SEVEN[code - 1]) for code in codes])
    assert found.figures.classes == ours
    assert found.figures.accuracy == pytest.approx((p.argmax(axis=1) == labels).mean())
    assert found.figures.nll == pytest.approx(-np.log(p[np.arange(28), labels]).mean(), rel=1e-4)
    values = found.as_dict()
    assert values["classes_met"]["only_network"] == ("contempt",)
    assert values["classes_met"]["probabilities"] == "renormalised"
    assert any("do not know contempt" in note for note in values["notes"])
    assert set(values["groups"]) == {"gender", "race", "age"}
    assert values["groups"]["gender"]["groups"]["male"]["n"] == 14
    assert list(values["groups"]["age"]["groups"]) == ["20-39"]
    assert values["bootstrap_over"] == "images"
    assert {
        "n",
        "accuracy",
        "macro_f1",
        "per_class",
        "confusion",
        "ece",
        "nll",
        "majority",
        "intervals",
    } <= set(values)


def test_seven_classes_meet_eight(tmp_path: Path) -> None:
    trees.affectnet_2021(tmp_path, {"val_set": [7, 7, 0, 1, 2, 3, 4, 5, 6, 8, 10, 1]})
    faces = open_faces(f"affectnet:{tmp_path}")
    engine = Engine(seven(), "cpu")
    found = judged(engine, faces)
    assert found.figures.head == "emotion"
    assert found.figures.n == 8
    assert set(found.figures.per_class) == set(SEVEN)
    assert found.meeting.only_data == {"contempt": 2}
    assert found.meeting.unlabelled == 2
    p = said(engine, pixels(faces))
    labels = [SEVEN.index(faces.classes[c]) if 0 <= c < 7 else -1 for c in faces.labels]
    right = [int(row.argmax()) == label for row, label in zip(p, labels, strict=True) if label >= 0]
    assert found.figures.accuracy == pytest.approx(np.mean(right))
    assert found.as_dict()["classes_met"]["probabilities"] == "as the network gives them"
    assert any("does not know contempt (2 faces)" in note for note in found.notes)


def test_what_cannot_be_read_is_in_no_figure(tmp_path: Path) -> None:
    trees.classes(tmp_path, {"happy": 6, "sad": 5, "neutral": 4})
    whole = judged(Engine(tiny_network(), "cpu"), open_faces(f"folder:{tmp_path}"))
    (tmp_path / "sad" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "happy" / "empty.jpg").write_bytes(b"")
    found = judged(Engine(tiny_network(), "cpu"), open_faces(f"folder:{tmp_path}"))
    assert found.figures == whole.figures
    assert found.as_dict()["skipped"]["n"] == 2
    assert {"broken.png", "empty.jpg"} == {reason.split()[0] for reason in found.broken}
    assert "2 of 17 pictures could not be read and were skipped." in found.notes
    for path in tmp_path.rglob("*.*"):
        path.write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="none of the 17 faces could be read; the first: "):
        judged(Engine(tiny_network(), "cpu"), open_faces(f"folder:{tmp_path}"))


def test_a_class_that_is_missing_is_said(tmp_path: Path) -> None:
    trees.rafdb(tmp_path, {"test": [1, 4, 4, 7]})
    found = judged(Engine(tiny_network(), "cpu"), open_faces(f"rafdb:{tmp_path}"))
    assert found.meeting.absent == ("sadness", "anger", "disgust", "fear")
    assert "No face in these data is labelled sadness, anger, disgust, fear." in found.notes


def test_the_bootstrap_draws_people_and_claims_nothing_of_one(tmp_path: Path) -> None:
    trees.ckplus(
        tmp_path, {f"S{p:03d}/{s:03d}": 1 + (p + s) % 7 for p in range(6) for s in range(4)}, frames=1
    )
    faces = open_faces(f"ckplus:{tmp_path}")
    found = judged(Engine(tiny_network(), "cpu"), faces, resamples=200)
    assert found.as_dict()["bootstrap_over"] == "people"
    assert set(found.figures.intervals) == {"accuracy", "macro_f1", "ece", "nll"}
    one = faces.where(faces.people == 0)
    assert judged(Engine(tiny_network(), "cpu"), one, resamples=200).figures.intervals == {}


def test_the_head_follows_the_data_unless_it_is_named() -> None:
    spec = tiny_network().spec
    assert usual_head(spec, "rafdb").name == "ferplus"
    assert usual_head(seven().spec, "rafdb").name == "emotion"
    with pytest.raises(ZooError, match="there is no head 'fer2013'; there are: ferplus"):
        usual_head(spec, "rafdb", "fer2013")


def test_reading_tells_how_far_it_is_and_holds_one_batch(tmp_path: Path) -> None:
    trees.classes(tmp_path, {"happy": 6, "sad": 5})
    faces = open_faces(f"folder:{tmp_path}")
    engine, shares = Engine(tiny_network(), "cpu"), list[float]()
    rows = np.arange(11)
    small = read_faces(engine, faces, rows, Cropper(engine.crop), "ferplus", shares.append, 4)
    assert shares == [4 / 11, 8 / 11, 1.0]
    whole = read_faces(engine, faces, rows, Cropper(engine.crop), "ferplus")
    assert small.logits == pytest.approx(whole.logits, abs=1e-5)


def test_many_faces_of_one_picture_are_one_observation_of_the_order(tmp_path: Path) -> None:
    lines = [
        f"{name}.png {i} {10 * i} 10 {60 + i} {60 + 10 * i} 9.5 {label}"
        for name, label in (("party", 3), ("funeral", 4))
        for i in range(6)
    ]
    trees.expw(
        tmp_path, lines, {f"{n}.png": trees.picture(s, 160) for s, n in enumerate(("party", "funeral"))}
    )
    engine = Engine(tiny_network(), "cpu")
    head = engine.network.spec.heads[0]
    found = order_of_faces(engine, open_faces(f"expw:{tmp_path}"), head, Cropper(engine.crop)).order
    assert (found.drawn, sum(found.probed.values())) == ("images", 12)
    assert found.verdict == "cannot tell"
    assert found.closest.interval is None, "of one picture of each nothing is certain"


def test_an_untrained_network_has_no_order_to_speak_of(tmp_path: Path) -> None:
    trees.rafdb(tmp_path, {"test": [1 + i % 7 for i in range(35)]})
    engine = Engine(tiny_network(), "cpu")
    head = engine.network.spec.heads[0]
    found = order_of_faces(engine, open_faces(f"rafdb:{tmp_path}"), head, Cropper(engine.crop))
    values = found.as_dict()
    assert values["verdict"] == "cannot tell"
    assert (values["n"], values["unprobed"]) == (35, ("contempt",))
    assert values["notes"][0] == "No face in these data is labelled contempt: nothing is known about it."
