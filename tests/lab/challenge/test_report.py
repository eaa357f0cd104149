from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from tests.lab.challenge.simulated import loops, outcomes
from tracker.lab.challenge.curves import accuracy_by_coverage, by_day, reliability
from tracker.lab.challenge.outcomes import Loops
from tracker.lab.challenge.report import Report, score
from tracker.lab.challenge.results import BASELINES, LEARNER, About
from tracker.lab.challenge.tallies import right

ABOUT = About("simulated.csv", "x [red] above 50", "deployed", 8, 960, 2, 0, notes=("SIMULATED",))


@pytest.fixture(scope="module")
def report() -> Report:
    runs = {LEARNER: loops(2, people=8, sharpness=4.0, either=0.1)}
    runs |= {name: loops(2, people=8, sharpness=1.0) for name in reversed(BASELINES)}
    return score(runs, [(8, 14), (24, 30)], ABOUT)


def printed(report: Report, **options: bool) -> str:
    console = Console(file=io.StringIO(), width=160, **options)  # type: ignore[arg-type]
    report.print(console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_json_has_the_shape_that_was_agreed(report: Report) -> None:
    found = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert list(found["blocks"]) == ["8-14", "24-30"]
    block = found["blocks"]["24-30"]
    three = {"at_decided_95", "at_system_95", "always"}
    assert three | {"baselines", "people"} <= set(block)
    assert list(block["baselines"]) == list(BASELINES)
    assert all(three <= set(baseline) for baseline in block["baselines"].values())
    assert {"median", "q1", "q3", "worst", "share_at_95", "both_answers"} <= set(block["people"])
    assert three | {"people"} == set(block["people"]["both_answers"])
    decided = {"coverage", "decided_accuracy", "decided_accuracy_lower", "decided_accuracy_definite", "met"}
    assert decided <= set(block["at_decided_95"])
    assert {"ask_rate", "asks_per_day", "system_accuracy", "asks_when_alone"} <= set(block["at_system_95"])
    always = {"accuracy", "balanced_accuracy", "macro_f1", "auc", "within_person_auc", "ece"}
    assert always <= set(block["always"])
    assert isinstance(block["at_decided_95"]["coverage"], float)
    assert isinstance(block["at_decided_95"]["spread"]["coverage"], float)
    assert len(block["at_decided_95"]["interval"]["coverage"]) == 2


def test_the_tables_fit_100_columns_and_say_what_was_missed(report: Report) -> None:
    text = printed(report)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert all(name.replace("_", " ") in text for name in (LEARNER, *BASELINES))
    assert "95 % not met" in text
    assert "x [red] above 50" in text
    assert "SIMULATED" in text


def test_without_colour_nothing_but_text_is_written(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in printed(report, force_terminal=True)


def test_a_report_needs_the_learner() -> None:
    with pytest.raises(ValueError, match="needs the method 'learner'"):
        score({"majority": loops(1)}, [(24, 30)], ABOUT)


def test_one_person_and_an_empty_block_are_printed_too(tmp_path: Path) -> None:
    few = score({LEARNER: loops(1, people=1, days=10)}, [(8, 10), (24, 30)], ABOUT)
    assert "decided nothing" in printed(few)
    json.dumps(few.as_json(), allow_nan=False)
    few.plot(tmp_path)


def test_drawings_are_whole_svg_files_that_say_what_they_rest_on(report: Report, tmp_path: Path) -> None:
    paths = report.plot(tmp_path / "drawn")
    assert {p.stem for p in paths} >= {
        "days",
        "reliability-24-30",
        "people-8-14",
        "accuracy-by-coverage-24-30",
    }
    for path in paths:
        text = path.read_text(encoding="utf-8")
        ElementTree.fromstring(text)
        assert "SIMULATED" in text
        assert "simulated.csv" in text
        assert "people" in text
        assert "nan" not in text


def test_drawings_name_nobody(report: Report, tmp_path: Path) -> None:
    everything = "".join(path.read_text(encoding="utf-8") for path in report.plot(tmp_path))
    assert not any(f"p{i:02d}" in everything for i in range(8))


def test_the_same_report_is_drawn_to_the_same_bytes(report: Report, tmp_path: Path) -> None:
    first, second = report.plot(tmp_path / "a"), report.plot(tmp_path / "b")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_the_curve_ends_at_the_accuracy_of_always_deciding() -> None:
    o = outcomes(people=6)
    curve = accuracy_by_coverage([o], 1, 30, [0.2, 1.0])
    assert curve[1] == pytest.approx(right(o).mean())
    assert curve[0] > curve[1]


def test_a_calibrated_forecaster_lies_on_the_diagonal() -> None:
    bins = reliability([outcomes(people=80)], 1, 30)
    assert len(bins) == 10
    assert all(abs(sure - (figure.value or 0)) < 0.05 for sure, figure in bins)


def test_every_day_has_its_share() -> None:
    o = outcomes(people=6, days=5)
    found = by_day([o], right, reach=0)
    assert [f.value for f in found] == pytest.approx([right(o)[o.day == d].mean() for d in range(1, 6)])
    assert by_day(Loops([], []).at_decided, right) == []
    assert np.isfinite([f.value for f in found]).all()  # type: ignore[arg-type]
