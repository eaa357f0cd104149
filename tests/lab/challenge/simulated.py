"""Simulated outcomes: forecasters whose faults are known."""

from __future__ import annotations

import numpy as np

from tracker.lab.challenge.outcomes import ASKED, DECIDED, Loops, Outcomes


def outcomes(
    seed: int = 0,
    *,
    people: int = 12,
    days: int = 30,
    per_day: int = 4,
    sharpness: float = 2.0,
    either: float = 0.0,
    sure: float = 0.85,
) -> Outcomes:
    """Let a perfectly calibrated forecaster decide where it is sure: truth is drawn from what it says."""
    world = np.random.default_rng(99)
    n = people * days * per_day
    person = np.repeat(np.arange(people), days * per_day)
    day = np.tile(np.repeat(np.arange(1, days + 1), per_day), people)
    logit = world.normal(0, 1, people)[person] + world.normal(0, sharpness, n)
    probability = 1 / (1 + np.exp(-logit))
    truth = world.random(n) < probability
    audit = np.random.default_rng(seed).random(n) < 0.05
    decided = (np.maximum(probability, 1 - probability) >= sure) & (day > 7) & ~audit
    return Outcomes(
        person=person,
        day=day,
        probability=probability,
        truth=truth,
        either=world.random(n) < either,
        action=np.where(decided, DECIDED, ASKED),
        audit=audit,
        names=tuple(f"p{i:02d}" for i in range(people)),
    )


def loops(draws: int = 3, **options: float) -> Loops:
    """Several draws at two thresholds."""
    return Loops(
        [outcomes(seed, sure=0.85, **options) for seed in range(draws)],
        [outcomes(seed, sure=0.75, **options) for seed in range(draws)],
    )
