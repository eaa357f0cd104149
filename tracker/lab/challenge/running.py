"""The challenge as a whole: every method over everybody, with thresholds that come from other people's loops.

Nothing that a person says later reaches a decision about that person: the prior leaves the person out, and the
thresholds come from the loops of people outside the person's *group*, each of them run over a prior that knows nobody
of the group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from tracker.lab.challenge.arena import (
    AT_RANDOM,
    OURS,
    POINTS,
    Arena,
    Done,
    Task,
    arena_of,
    first_guesses,
    workers,
)
from tracker.lab.challenge.baselines import methods
from tracker.lab.challenge.diaries import Cohort
from tracker.lab.challenge.looping import AUDITS, Walk
from tracker.lab.challenge.outcomes import ASKED, Loops, Outcomes
from tracker.lab.challenge.report import Report, score
from tracker.lab.challenge.results import About
from tracker.lab.challenge.settings import ChallengeSettings
from tracker.lab.challenge.thresholds import periodic

Progress = Callable[[str, float], None]


def run(
    cohort: Cohort, prior: Cohort | None, settings: ChallengeSettings, progress: Progress, target: str = ""
) -> Report:
    """Run the whole challenge and score it.

    Parameters
    ----------
    cohort
        Whom to forecast.
    prior
        The other people that a learner starts from; None leaves one person out of the cohort at a time.
    target
        The question, in words, for whoever reads the figures.
    """
    loops = run_loops(cohort, prior, settings, progress)
    progress("scoring", 0.0)
    about = About(
        data=cohort.name,
        target=target,
        mode=settings.mode.value,
        people=len(cohort.people),
        moments=sum(beep.truth is not None for diary in cohort.people for beep in diary.moments),
        draws=settings.draws,
        seed=settings.seed,
        warmup=settings.warmup,
        budget=settings.budget,
        prior=_words_for_prior(cohort, prior),
        notes=cohort.notes,
    )
    return score(loops, settings.blocks, about)


def _words_for_prior(cohort: Cohort, prior: Cohort | None) -> str:
    if prior is not None:
        return f"{len(prior.people)} people of {prior.name}"
    return "the other people of this file" if len(cohort.people) > 1 else "nobody"


def run_loops(
    cohort: Cohort,
    prior: Cohort | None,
    settings: ChallengeSettings,
    progress: Progress,
    names: Sequence[str] | None = None,
) -> dict[str, Loops]:
    """Run every method's closed loops.

    Parameters
    ----------
    cohort
        Whom to forecast.
    prior
        The other people; None leaves one person out of the cohort at a time.
    names
        Which methods; None is all of them.

    Returns
    -------
    dict
        By method, one `Outcomes` per draw at each operating point.
    """
    arena = arena_of(cohort, prior, settings)
    chosen = [*methods()] if names is None else [n for n in names if n != AT_RANDOM]
    at_random = names is None or AT_RANDOM in names
    loops: dict[str, Loops] = {}
    with workers(arena, settings.jobs) as do:
        first = [
            Task(name, q, g) for name in chosen for g in arena.shared_groups for q in arena.references(g)
        ]
        found: dict[tuple[str, int], list[Sequence[Mapping[str, Walk]]]] = {}
        for task, walks in _counted(do(first), len(first), "thresholds from other people", progress):
            found.setdefault((task.method, task.group or 0), []).append(walks)
        limits = {
            key: tuple(
                (point, periodic([w[point] for ws in all_ for w in ws], point, settings.warmup, AUDITS))
                for point in POINTS
            )
            for key, all_ in found.items()
        }
        second = [
            Task(name, p, None, limits.get((name, arena.group_of(p)), first_guesses()))
            for name in chosen
            for p in range(len(arena.people))
        ]
        loops.update(_gather(arena, _counted(do(second), len(second), "closed loops", progress)))
        if at_random and OURS in loops:
            third = [
                Task(AT_RANDOM, p, None, rates=_rates(loops[OURS], settings))
                for p in range(len(arena.people))
            ]
            loops.update(_gather(arena, _counted(do(third), len(third), "asking at random", progress)))
    return loops


def _rates(ours: Loops, settings: ChallengeSettings) -> tuple[tuple[str, float], ...]:
    """How often ours asked after the warm-up, audits aside: what asking at random may ask."""

    def rate(outcomes: Sequence[Outcomes]) -> float:
        asked = [((o.action == ASKED) & ~o.audit)[o.day > settings.warmup] for o in outcomes]
        return float(np.mean([each.mean() for each in asked if len(each)] or [0.0]))

    return (("decided", rate(ours.at_decided)), ("system", rate(ours.at_system)))


def _counted(done: Iterable[Done], total: int, what: str, progress: Progress) -> Iterator[Done]:
    for i, each in enumerate(done, start=1):
        yield each
        progress(what, i / total)


def _gather(arena: Arena, done: Iterable[Done]) -> dict[str, Loops]:
    by_method: dict[str, dict[int, list[dict[str, Walk]]]] = {}
    for task, walks in done:
        by_method.setdefault(task.method, {})[task.person] = walks
    names = tuple(d.person for d in arena.people)
    loops = {}
    for method, people in by_method.items():
        per_point = {
            point: [
                _outcomes([people[p][draw][point] for p in range(len(names))], names)
                for draw in range(arena.settings.draws)
            ]
            for point in POINTS
        }
        loops[method] = Loops(per_point["decided"], per_point["system"])
    return loops


def _outcomes(walks: Sequence[Walk], names: tuple[str, ...]) -> Outcomes:
    return Outcomes(
        person=np.concatenate([np.full(len(w.day), i, dtype=np.int64) for i, w in enumerate(walks)]),
        day=np.concatenate([w.day for w in walks]),
        probability=np.concatenate([w.probability for w in walks]),
        truth=np.concatenate([w.truth for w in walks]),
        either=np.concatenate([w.either for w in walks]),
        action=np.concatenate([w.action for w in walks]),
        audit=np.concatenate([w.audit for w in walks]),
        names=names,
    )
