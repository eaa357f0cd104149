"""Drawings of a report: four SVG files for each block's method and people, and for the days."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tracker.lab.challenge.curves import accuracy_by_coverage, asked, by_day, reliability
from tracker.lab.challenge.drawing import Chart
from tracker.lab.challenge.intervals import divide
from tracker.lab.challenge.outcomes import Loops
from tracker.lab.challenge.people import MET
from tracker.lab.challenge.results import BASELINES, LEARNER, About, BlockReport
from tracker.lab.challenge.tallies import Tally, right

_PALETTE = ("#999999", "#bcbd22", "#17becf", "#8c564b", "#e377c2", "#1f77b4", "#2ca02c", "#ff7f0e")
COLOURS = {LEARNER: "#c2185b"} | dict(zip(BASELINES, _PALETTE, strict=True))
LONGEST = 120
"""Characters of a note that fit under a chart."""

_TENTHS = [i / 10 for i in range(11)]
_UPPER = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0]


def plot(
    about: About, blocks: Mapping[str, BlockReport], loops: Mapping[str, Loops], directory: Path
) -> list[Path]:
    """Write the drawings and return their paths.

    Raises
    ------
    ValueError
        Where the report carries no loops to draw from.
    """
    if LEARNER not in loops:
        raise ValueError("there is nothing to draw: the report carries no closed loops of the learner")
    directory.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, str] = {}
    for name, block in blocks.items():
        pictures[f"accuracy-by-coverage-{name}"] = _coverage(about, name, block, loops)
        pictures[f"reliability-{name}"] = _reliability(about, name, block, loops[LEARNER])
        pictures[f"people-{name}"] = _people(about, name, block, loops[LEARNER])
    pictures["days"] = _days(about, loops)
    paths = []
    for name, picture in pictures.items():
        path = directory / f"{name}.svg"
        path.write_text(picture, encoding="utf-8")
        paths.append(path)
    return paths


def _note(about: About, block: BlockReport | None, *words: str) -> list[str]:
    n = (about.people, about.moments)
    if block is not None:
        n = (int(block.learner.balance["people"] or 0), int(block.learner.balance["moments"] or 0))
    basis = f"{n[0]} people, {n[1]} moments, {about.draws} draws, {about.mode}; {about.data}, {about.target}"
    marks = [note for note in about.notes if note.startswith("SIMULATED")]
    line = " · ".join([*marks, basis])
    return [line if len(line) <= LONGEST else line[: LONGEST - 1] + "…", *words]


def _coverage(about: About, name: str, block: BlockReport, loops: Mapping[str, Loops]) -> str:
    note = _note(
        about,
        block,
        "Lines: thresholds in hindsight. Dots: what was realised with thresholds from the past alone; "
        "whiskers: 95 % over people.",
    )
    title = f"Accuracy on the moments it is surest of, days {name}"
    chart = Chart(title, note, (0, 1), (0.5, 1), "share of moments decided", "accuracy there")
    chart.line([(0, 0.95), (1, 0.95)], "#666", dashed=True)
    grid = [i / 50 for i in range(1, 51)]
    ordered = [n for n in block.methods if n in loops]
    for method in ordered[::-1]:
        curve = accuracy_by_coverage(
            loops[method].at_decided, block.learner.first_day, block.learner.last_day, grid
        )
        colour = COLOURS.get(method, "#444")
        points = [(x, y) for x, y in zip(grid, curve, strict=True) if not np.isnan(y)]
        chart.line(points, colour, bold=method == LEARNER)
        scores = block.methods[method].points.at_decided_95
        coverage, accuracy = scores["coverage"], scores.figures["decided_accuracy"]
        if coverage is not None and accuracy.value is not None:
            if accuracy.interval:
                chart.interval(coverage, accuracy.interval, colour)
            hint = f"{method}: decides {coverage:.3f}, right {accuracy.value:.3f}"
            chart.dot((coverage, accuracy.value), colour, 6 if method == LEARNER else 4, hint)
    chart.legend = [(n.replace("_", " "), COLOURS.get(n, "#444")) for n in ordered]
    return chart.text(_TENTHS, _UPPER)


def _reliability(about: About, name: str, block: BlockReport, run: Loops) -> str:
    always = block.learner.points.always
    ece, perfect = always["ece"], always["ece_if_perfect"]
    error = (
        "" if ece is None or perfect is None else f"ECE {ece:.3f}; a perfect forecaster's: {perfect:.3f}. "
    )
    note = _note(about, block, error + "Ten bins of equal mass; whiskers: 95 % over people.")
    title = f"How sure it was, and how often it was right, days {name}"
    chart = Chart(title, note, (0.5, 1), (0.3, 1), "how sure (learner)", "how often right")
    chart.line([(0.5, 0.5), (1, 1)], "#666", dashed=True)
    bins = reliability(run.at_decided, block.learner.first_day, block.learner.last_day)
    known = [(x, f, f.value) for x, f in bins if f.value is not None]
    chart.line([(x, value) for x, _, value in known], COLOURS[LEARNER])
    for x, figure, value in known:
        if figure.interval:
            chart.interval(x, figure.interval, COLOURS[LEARNER])
        chart.dot((x, value), COLOURS[LEARNER], 5, f"said {x:.3f}, was {value:.3f}")
    chart.legend = [("learner", COLOURS[LEARNER]), ("perfect", "#666")]
    return chart.text([0.5, 0.6, 0.7, 0.8, 0.9, 1.0], _TENTHS[3:])


def _people(about: About, name: str, block: BlockReport, run: Loops) -> str:
    tally = Tally.of(run.at_decided, block.learner.first_day, block.learner.last_day)
    coverage = divide(tally.decided.sum(axis=0), tally.scored.sum(axis=0))
    accuracy = divide(tally.decided_right.sum(axis=0), tally.decided.sum(axis=0))
    order = np.argsort(-coverage, kind="stable")
    note = _note(about, block, "All draws of a person together; no dot: never decided. Nobody is named.")
    across = "people, by how often it decides for them"
    chart = Chart(f"Person by person, days {name}", note, (0, len(order) + 1), (0, 1), across, "share")
    chart.line([(0, 0.95), (len(order) + 1, 0.95)], "#666", dashed=True)
    for place, person in enumerate(order, 1):
        who = f"decides {coverage[person]:.2f}"
        chart.bar(place, float(coverage[person]), 0.7, "#f3c1d4", who)
        if not np.isnan(accuracy[person]):
            good = accuracy[person] >= MET
            hint = f"{who}, right {accuracy[person]:.3f}"
            chart.dot((place, float(accuracy[person])), COLOURS[LEARNER] if good else "#333", 4, hint)
    chart.legend = [("decides", "#f3c1d4"), ("right, 95 % met", COLOURS[LEARNER]), ("right, not met", "#333")]
    return chart.text([], _TENTHS)


def _days(about: About, loops: Mapping[str, Loops]) -> str:
    note = _note(
        about, None, "Each day with its neighbours; whiskers: 95 % over people. Later days: fewer people."
    )
    shown = [name for name in (LEARNER, "hierarchical", "majority") if name in loops]
    curves = {name: by_day(loops[name].at_decided, right) for name in shown}
    questions = by_day(loops[LEARNER].at_system, asked)
    last = max((len(c) for c in [*curves.values(), questions]), default=1)
    title = "Day by day: right if it always decided, and asking for 95 %"
    chart = Chart(title, note, (0, last + 1), (0, 1), "day with the person", "share of moments")
    for name, curve in reversed(curves.items()):
        points = [(day, f.value) for day, f in enumerate(curve, 1) if f.value is not None]
        chart.line(points, COLOURS[name], bold=name == LEARNER)
        for day, figure in enumerate(curve, 1):
            if name == LEARNER and figure.interval:
                chart.interval(day, figure.interval, "#e7a9c2")
    chart.line([(d, f.value) for d, f in enumerate(questions, 1) if f.value is not None], "#333", dashed=True)
    chart.legend = [(name, COLOURS[name]) for name in shown] + [("learner asks", "#333")]
    step = max(1, round(last / 10))
    return chart.text(list(range(step, last + 1, step)), _TENTHS)
