"""The challenge as a whole: every method over everybody, with thresholds that come from other people's loops.

Nothing that a person says later reaches a decision about that person: the prior leaves the person out, and the
thresholds come from the loops of people outside the person's *group*, each of them run over a prior that knows nobody
of the group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from threadpoolctl import threadpool_limits

from tracker.lab.challenge.baselines import methods
from tracker.lab.challenge.diaries import Cohort, Diary
from tracker.lab.challenge.looping import AUDITS, Rules, Walk, chances, walk
from tracker.lab.challenge.methods import Method
from tracker.lab.challenge.outcomes import ASKED, Loops, Outcomes
from tracker.lab.challenge.report import Report, score
from tracker.lab.challenge.results import About
from tracker.lab.challenge.settings import ChallengeSettings
from tracker.lab.challenge.thresholds import FIRST_GUESSES, Periodic, periodic

GROUPS = 5
"""Into how many groups people are dealt; each group's thresholds come from all the others."""

POINTS = ("decided", "system")

OURS, AT_RANDOM = "learner", "random_ask"

_REFERENCE = 1_000_000
"""Where the numbers of the draws begin that find thresholds, so that they share no chance with those reported."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class _Task:
    """One person's loops of one method: as a reference for a group (then `group` is set), or for the report."""

    method: str
    person: int
    group: int | None = None
    thresholds: tuple[tuple[str, Periodic], ...] = ()
    rates: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Arena:
    """What every task needs, sent to each process once."""

    people: tuple[Diary, ...]
    others: tuple[Diary, ...] | None
    groups: tuple[int, ...]
    settings: ChallengeSettings
    last_day: int

    def references(self, group: int) -> list[int]:
        """Whose loops the thresholds of a group come from: indices into `others`, or into `people`."""
        if self.others is not None:
            return list(range(len(self.others)))
        return [i for i, of in enumerate(self.groups) if of != group]

    @property
    def rules(self) -> Rules:
        s = self.settings
        return Rules(s.mode, s.warmup, s.budget, self.last_day)


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
    arena = _arena(cohort, prior, settings)
    chosen = [*methods()] if names is None else [n for n in names if n != AT_RANDOM]
    at_random = names is None or AT_RANDOM in names
    loops: dict[str, Loops] = {}
    with _workers(arena, settings.jobs) as do:
        first = [
            _Task(name, q, g) for name in chosen for g in _shared_groups(arena) for q in arena.references(g)
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
            _Task(name, p, None, limits.get((name, _key(arena, p)), _first_guesses()))
            for name in chosen
            for p in range(len(arena.people))
        ]
        loops.update(_gather(arena, _counted(do(second), len(second), "closed loops", progress)))
        if at_random and OURS in loops:
            third = [
                _Task(AT_RANDOM, p, None, rates=_rates(loops[OURS], settings))
                for p in range(len(arena.people))
            ]
            loops.update(_gather(arena, _counted(do(third), len(third), "asking at random", progress)))
    return loops


def _arena(cohort: Cohort, prior: Cohort | None, settings: ChallengeSettings) -> _Arena:
    people = cohort.people
    dealt = np.random.default_rng([settings.seed, 7]).permutation(len(people)) % min(
        GROUPS, max(len(people), 1)
    )
    return _Arena(
        people,
        prior.people if prior is not None else None,
        tuple(int(g) for g in dealt),
        settings,
        max(last for _, last in settings.blocks),
    )


def _shared_groups(arena: _Arena) -> list[int]:
    return [0] if arena.others is not None else sorted(set(arena.groups))


def _key(arena: _Arena, person: int) -> int:
    return 0 if arena.others is not None else arena.groups[person]


def _first_guesses() -> tuple[tuple[str, Periodic], ...]:
    return tuple((point, Periodic(1, guess, guess)) for point, guess in FIRST_GUESSES.items())


def _rates(ours: Loops, settings: ChallengeSettings) -> tuple[tuple[str, float], ...]:
    """How often ours asked after the warm-up, audits aside: what asking at random may ask."""

    def rate(outcomes: Sequence[Outcomes]) -> float:
        asked = [((o.action == ASKED) & ~o.audit)[o.day > settings.warmup] for o in outcomes]
        return float(np.mean([each.mean() for each in asked if len(each)] or [0.0]))

    return (("decided", rate(ours.at_decided)), ("system", rate(ours.at_system)))


_HERE: dict[str, object] = {}


def _set_up(arena: _Arena) -> None:
    # Small matrices: several threads per product cost ten times what they save.
    threadpool_limits(1)
    _HERE["arena"], _HERE["methods"] = arena, methods()


def _do(task: _Task) -> tuple[_Task, list[dict[str, Walk]]]:
    arena = _HERE["arena"]
    made = _HERE["methods"]
    assert isinstance(arena, _Arena)
    assert isinstance(made, dict)
    method: Method = made[OURS if task.method == AT_RANDOM else task.method]
    if task.group is not None:
        pool = arena.people if arena.others is None else arena.others
        diary = pool[task.person]
        others = [pool[i] for i in arena.references(task.group) if i != task.person]
        draws = range(_REFERENCE, _REFERENCE + getattr(method, "references", 3))
        limits = dict(_first_guesses())
        rules = Rules(arena.settings.mode, arena.settings.warmup, None, arena.last_day)
    else:
        diary = arena.people[task.person]
        others = (
            [*arena.others]
            if arena.others is not None
            else [d for i, d in enumerate(arena.people) if i != task.person]
        )
        draws = range(arena.settings.draws)
        limits = dict(task.thresholds)
        rules = arena.rules
    make = method.fit(others, arena.settings.warmup)
    rates = dict(task.rates)
    walks = []
    for draw in draws:
        luck = chances(diary, arena.settings.seed, draw)
        walks.append(
            {
                point: walk(diary, make(), limits.get(point, _never), rules, luck, at_random=rates.get(point))
                for point in POINTS
            }
        )
    return task, walks


def _never(day: int) -> float:
    return 0.0


Done = tuple[_Task, list[dict[str, Walk]]]


@contextmanager
def _workers(arena: _Arena, jobs: int) -> Iterator[Callable[[Sequence[_Task]], Iterable[Done]]]:
    if jobs <= 1:
        _set_up(arena)
        yield lambda tasks: map(_do, tasks)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _set_up, (arena,)) as pool:
        try:
            yield lambda tasks: pool.map(_do, tasks, chunksize=1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _counted(done: Iterable[Done], total: int, what: str, progress: Progress) -> Iterator[Done]:
    for i, each in enumerate(done, start=1):
        yield each
        progress(what, i / total)


def _gather(arena: _Arena, done: Iterable[Done]) -> dict[str, Loops]:
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
