"""What context and a third button would add: the tables of ``docs/leave-me-alone.md`` that come from SIMULATED diaries.

``python -m tracker.lab.challenge_study`` prints them.
"""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.progress import track

from tracker.lab.challenge.running import run_loops
from tracker.lab.challenge.scoring import figures
from tracker.lab.challenge.settings import ChallengeSettings
from tracker.lab.challenge.simulated import MARK, World, simulate

BLOCK = (24, 30)

_ROWS = (
    ("three sliders, two buttons", False, False),
    ("and place and company", True, False),
    ("three sliders, three buttons", False, True),
    ("and place and company", True, True),
)


def main(people: int, seeds: int, draws: int, jobs: int) -> None:
    """Print a row for each way of asking."""
    console = Console(stderr=True)
    print(f"\n{MARK}: {people} people x {seeds} seeds, days {BLOCK[0]}-{BLOCK[1]}, {draws} draws\n")
    print("| what is recorded | decides alone | right then | asks for 95 % | balanced accuracy |")
    print("| --- " * 5 + "|")
    for name, context, three in _ROWS:
        sums = [0.0] * 4
        for seed in track(range(seeds), description=name, console=console):
            cohort = simulate(World(people=people), seed, context=context, three_buttons=three)
            settings = ChallengeSettings((BLOCK,), draws=draws, seed=seed, jobs=jobs)
            loops = run_loops(cohort, None, settings, lambda step, share: None, ["learner"])["learner"]
            points = figures(loops.at_decided, loops.at_system, *BLOCK).points
            found = (
                points.at_decided_95["coverage"],
                points.at_decided_95["decided_accuracy"],
                points.at_system_95["ask_rate"],
                points.always["balanced_accuracy"],
            )
            sums = [total + (value or 0.0) / seeds for total, value in zip(sums, found, strict=True)]
        print(
            f"| {name} | "
            + " | ".join(f"{value:.2f}" for value in sums[:1])
            + f" | {sums[1]:.3f} | {sums[2]:.2f} | {sums[3]:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    main(given.people, given.seeds, given.draws, given.jobs)
