"""The worked example finds the effect that was put into the data, and the document has the figures of its plot."""

from __future__ import annotations

import importlib.util
import re
import sys
import warnings
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from tests.builders import NOW, installation, leaning, observed, person, store
from tests.workflows.exported import DAY
from tracker.domain.affect import Emotion, derived_valence_arousal
from tracker.domain.series import Context
from tracker.workflows import feedback
from tracker.workflows.export import export_dataset

DOCS = Path(__file__).parents[1] / "docs"
EFFECT = 0.1


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mixed_effects", DOCS / "examples" / "mixed_effects.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mixed_effects"] = module
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec.loader.exec_module(module)
    return module


def test_it_finds_what_was_put_into_the_data(example: ModuleType, sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    step = derived_valence_arousal(leaning(Emotion.HAPPINESS, 0.5))[0]
    step -= derived_valence_arousal(leaning(Emotion.HAPPINESS, 0.5 - EFFECT))[0]
    for n in range(6):
        who = person(access, f"p{n}", now=NOW - 2 * DAY, simulated=n == 0)
        for hour in range(40):
            at, alone = NOW - timedelta(hours=hour + 1), (hour + n) % 3 == 0
            feedback.add_context(access, who, Context(at, company="alone" if alone else "friends"), NOW)
            wobble = 0.01 * ((hour * 7 + n * 3) % 5 - 2)
            p = 0.4 + 0.03 * n + wobble - (EFFECT if alone else 0)
            one = observed(at + timedelta(minutes=1), Emotion.HAPPINESS)
            estimates = tuple(type(e)(e.network, leaning(Emotion.HAPPINESS, p)) for e in one.estimates)
            store(access, who, [type(one)(one.observation, estimates)], NOW)
    out = export_dataset(
        access, tmp_path / "out", NOW, shape="wide", every_s=3600, formats={"parquet"}
    ).folder
    access.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = example.analyse(out)
    assert (found.people, found.simulated) == (6, True)
    value, low, high = found.effects["alone"]
    assert low < -step < high
    assert value == pytest.approx(-step, abs=0.01)
    assert 0.5 < found.icc < 1
    plot = example.draw(found)
    assert "SIMULATED" in plot
    lines = ElementTree.fromstring(plot).findall("{http://www.w3.org/2000/svg}line")
    assert len(lines) == 5 + 6 + 2


def test_the_document_shows_the_figures_and_the_plot_of_one_run() -> None:
    text = (DOCS / "mixed-effects.md").read_text("utf-8")
    plot = (DOCS / "examples" / "mixed-effects.svg").read_text("utf-8")
    assert "SIMULATED" in plot
    [told] = re.findall(r"alone: ([+-]\d\.\d+) \[([+-]\d\.\d+), ([+-]\d\.\d+)\]", plot)
    [row] = re.findall(r"alone +([+-]\d\.\d+)  \[([+-]\d\.\d+), ([+-]\d\.\d+)\]", text)
    assert row == told
