import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.lab.making import RECIPE, tiny_faces, write_csvs
from tracker.cli import fer, networks
from tracker.fer.zoo import ZooError
from tracker.lab.datasets import DatasetError
from tracker.lab.recipe import RecipeError

RUN = CliRunner()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFFECT_DATA_FOLDER", str(tmp_path / "data"))
    return tmp_path


def test_list_says_what_ships_and_what_is_missing() -> None:
    found = json.loads(RUN.invoke(networks.app, ["list", "--json"], catch_exceptions=False).stdout)[
        "networks"
    ]
    by_name = {row["name"]: row for row in found}
    assert by_name["default"]["installed"] == "shipped"
    assert by_name["default"]["id"].startswith("default@")
    assert by_name["yunet"] == {**by_name["yunet"], "installed": "no", "path": None, "kind": "detector"}
    assert "default" in RUN.invoke(networks.app, ["list"], catch_exceptions=False).stdout


def test_verify_says_what_it_found() -> None:
    found = json.loads(RUN.invoke(networks.app, ["verify", "--json"], catch_exceptions=False).stdout)
    states = {row["name"]: row["state"] for row in found["networks"]}
    assert (states["default"], states["yunet"], states["opencv_fer"]) == ("ok", "absent", "absent")
    with pytest.raises(ZooError, match="yunet is not installed; run: affect-tracker networks pull yunet"):
        RUN.invoke(networks.app, ["verify", "yunet"], catch_exceptions=False)


def test_from_recipe_to_figures(home: Path) -> None:
    write_csvs(home / "faces", tiny_faces())
    (home / "recipe.toml").write_text(RECIPE)
    data = f"ferplus:{home / 'faces'}"
    train = [
        "train",
        str(home / "recipe.toml"),
        "--data",
        data,
        "--out",
        str(home / "out"),
        "--device",
        "cpu",
    ]
    done = RUN.invoke(fer.app, train, catch_exceptions=False)
    assert "epoch 2 of 2" in done.stderr
    with pytest.raises(RecipeError, match="give --resume to continue it"):
        RUN.invoke(fer.app, train, catch_exceptions=False)
    assert RUN.invoke(fer.app, [*train, "--resume"], catch_exceptions=False).exit_code == 0
    package = ["package", str(home / "out"), "--data", data, "--models", str(home / "models"), "--json"]
    packed = json.loads(RUN.invoke(fer.app, package, catch_exceptions=False).stdout)
    assert packed["id"].startswith("tiny@")
    assert Path(packed["card"]).is_file()


@pytest.mark.parametrize(("head", "n_classes"), [("ferplus", 8), ("fer2013", 7)])
def test_evaluate_prints_the_documented_keys(home: Path, head: str, n_classes: int) -> None:
    write_csvs(home, tiny_faces())
    arguments = [
        "evaluate",
        "--network",
        "default",
        "--data",
        f"ferplus:{home}",
        "--head",
        head,
        "--device",
        "cpu",
    ]
    found = json.loads(RUN.invoke(fer.app, [*arguments, "--json"], catch_exceptions=False).stdout)
    assert (found["n"], found["head"], found["split"]) == (21, head, "PublicTest")
    assert len(found["confusion"]) == len(found["per_class"]) == n_classes
    assert {"accuracy", "macro_f1", "ece", "nll", "majority", "intervals"} <= set(found)
    with pytest.raises(DatasetError, match="no split 'nowhere'"):
        RUN.invoke(fer.app, [*arguments, "--split", "nowhere"], catch_exceptions=False)
    assert "accuracy" in RUN.invoke(fer.app, arguments, catch_exceptions=False).stdout
