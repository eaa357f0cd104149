"""Choose the emotion learner's settings on some SIMULATED people, and measure them on others.

``python -m tracker.lab.learning_study tune`` and ``... report`` print the tables of `docs/learning-emotion.md`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
from rich.progress import track

from tracker.domain.affect import EMOTIONS, Distribution
from tracker.lab.emotion_baselines import BareRiver, LastValue, Majority, Network, Oracle, Personal
from tracker.lab.prequential import (
    Corrected,
    Outcome,
    Predictor,
    corrected_moments,
    ece,
    f1_by_emotion,
    judge,
    over_people,
)
from tracker.lab.simulation import MARK, simulate
from tracker.learning.learner import EmotionLearner
from tracker.learning.pipeline import Settings

TUNE_SEEDS = range(0, 30)
REPORT_SEEDS = range(1000, 1060)
ZONE, START = ZoneInfo("Europe/Berlin"), date(2025, 3, 10)  # thirty days with a change to summer time

People = list[list[Corrected]]
Maker = Callable[[], Predictor]

GRID: tuple[Settings, ...] = (
    Settings(),
    Settings(settling=0.0),
    *(Settings(rate=rate, settling=settling) for rate in (0.3, 1.0, 2.5) for settling in (0.0, 0.25)),
    *(Settings(l2=l2) for l2 in (0.0, 0.03, 0.1)),
    *(Settings(bound=bound) for bound in (1.0, 2.0, 6.0)),
    *(Settings(trust=trust) for trust in (1.0, 2.0, 3.0, 5.0, 8.0)),
    *(Settings(leak=leak) for leak in (0.02, 0.1, 0.3)),
)

METHODS: dict[str, Maker] = {
    "network alone": Network,
    "majority so far": Majority,
    "last value": LastValue,
    "river scaled softmax": BareRiver,
    "**personal learner**": lambda: Personal(EmotionLearner.fresh()),
    "oracle (what was felt)": Oracle,
}


def live(seeds: Sequence[int], bias: float) -> People:
    """Live the lives of these seeds and join their corrections with what a learner may see."""
    lives = track(seeds, description=f"{MARK} lives, bias {bias}")
    return [corrected_moments(simulate(seed, ZONE, START, bias=bias)) for seed in lives]


def contradict(people: People, share: float) -> People:
    """Replace a share of all answers by an emotion drawn at random: people who press any key."""
    rng = np.random.default_rng(7)
    return [
        [
            replace(m, label=Distribution.of({EMOTIONS[rng.integers(8)]: 1.0})) if rng.random() < share else m
            for m in moments
        ]
        for moments in people
    ]


def within(outcomes: Sequence[Outcome], first: int, last: int) -> list[Outcome]:
    """Keep the outcomes of these days."""
    return [o for o in outcomes if first <= o.day <= last]


def tune() -> None:
    """Print the grid on the people kept for choosing."""
    people = live(TUNE_SEEDS, bias=0.6)
    names = ("rate", "settling", "l2", "bound", "trust", "leak")
    figures = ("accuracy 1-5", "log-loss 1-5", "accuracy 1-30", "log-loss 1-30")
    print("| " + " | ".join((*names, *figures)) + " |")
    print("| --- " * (len(names) + len(figures)) + "|")
    for s in GRID:
        judged = [judge(Personal(EmotionLearner.fresh(s)), moments) for moments in people]
        cells = [str(getattr(s, name)) for name in names]
        for days in ((1, 5), (1, 30)):
            blocks = [block for outcomes in judged if (block := within(outcomes, *days))]
            cells.append(f"{np.mean([_accuracy(b) for b in blocks]):.3f}")
            cells.append(f"{np.mean([_loss(b) for b in blocks]):.3f}")
        print("| " + " | ".join(cells) + " |", flush=True)


def report() -> None:
    """Print the figures of the default settings on people that chose nothing."""
    people = live(REPORT_SEEDS, bias=0.6)
    _table("Faces that mislead (bias 0.6)", people, ((1, 5), (24, 30)))
    _table("Faces that do not (bias 0): can it do harm?", live(REPORT_SEEDS[:30], bias=0.0), ((24, 30),))
    _table("Bias 0.6, half of all answers drawn at random", contradict(people, 0.5), ((24, 30),))


def _accuracy(outcomes: Sequence[Outcome]) -> float:
    return float(np.mean([o.hit for o in outcomes]))


def _loss(outcomes: Sequence[Outcome]) -> float:
    return float(np.mean([o.loss for o in outcomes]))


def _table(title: str, people: People, blocks: Sequence[tuple[int, int]]) -> None:
    judged = {name: [judge(make(), moments) for moments in people] for name, make in METHODS.items()}
    for days in blocks:
        kept = {name: [b for o in runs if (b := within(o, *days))] for name, runs in judged.items()}
        network = kept["network alone"]
        pooled = [o for block in network for o in block]
        balance = Counter(o.said.value for o in pooled)
        print(f"\n{MARK} · {title} · days {days[0]}-{days[1]} · {len(network)} people, {len(pooled)} answers")
        print("\nSaid: " + ", ".join(f"{name} {n / len(pooled):.0%}" for name, n in balance.most_common()))
        print("\n| method | accuracy | log-loss | macro-F1 | ECE | people worse than the network |")
        print("| --- " * 6 + "|")
        for name, runs in kept.items():
            flat = [o for block in runs for o in block]
            f1 = f1_by_emotion(flat)
            worse = np.mean([_accuracy(a) < _accuracy(b) for a, b in zip(runs, network, strict=True)])
            accuracy, loss = (_interval([figure(b) for b in runs]) for figure in (_accuracy, _loss))
            print(
                f"| {name} | {accuracy} | {loss} | {np.mean(list(f1.values())):.3f} "
                f"| {ece(flat):.3f} | {worse:.0%} |"
            )
            if name.startswith("**"):
                own = ", ".join(f"{emotion.value} {value:.2f}" for emotion, value in f1.items())
        print(f"\nF1 of the personal learner: {own}")


def _interval(values: Sequence[float]) -> str:
    mean, low, high = over_people(values)
    return f"{mean:.3f} ({low:.3f}-{high:.3f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("tune", "report"))
    {"tune": tune, "report": report}[parser.parse_args().what]()
