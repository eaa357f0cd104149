"""Where the challenge takes place: who forecasts whom over whose prior, one person's loops at a time, in processes."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import active_children, get_context

import numpy as np
from threadpoolctl import threadpool_limits

from tracker.lab.challenge.baselines import methods
from tracker.lab.challenge.diaries import Cohort, Diary
from tracker.lab.challenge.looping import Rules, Walk, chances, walk
from tracker.lab.challenge.methods import Method
from tracker.lab.challenge.settings import ChallengeSettings
from tracker.lab.challenge.thresholds import FIRST_GUESSES, Periodic

GROUPS = 5
"""Into how many groups people are dealt; each group's thresholds come from all the others."""

HORIZON = 30
"""Days of the other people's loops from which thresholds are learned, whichever days are reported."""

POINTS = ("decided", "system")

OURS, AT_RANDOM = "learner", "random_ask"

_REFERENCE = 1_000_000
"""Where the numbers of the draws begin that find thresholds, so that they share no chance with those reported."""


@dataclass(frozen=True, slots=True)
class Task:
    """One person's loops of one method: as a reference for a group (then `group` is set), or for the report."""

    method: str
    person: int
    group: int | None = None
    thresholds: tuple[tuple[str, Periodic], ...] = ()
    rates: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Arena:
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
    def shared_groups(self) -> list[int]:
        """The groups that need thresholds of their own: one for everybody where others give the prior."""
        return [0] if self.others is not None else sorted(set(self.groups))

    def group_of(self, person: int) -> int:
        """Whose thresholds a person has."""
        return 0 if self.others is not None else self.groups[person]

    @property
    def rules(self) -> Rules:
        """What binds the reported loops."""
        s = self.settings
        return Rules(s.mode, s.warmup, s.budget, self.last_day)


def arena_of(cohort: Cohort, prior: Cohort | None, settings: ChallengeSettings) -> Arena:
    """Deal the people into groups."""
    people = cohort.people
    dealt = np.random.default_rng([settings.seed, 7]).permutation(len(people)) % min(
        GROUPS, max(len(people), 1)
    )
    return Arena(
        people,
        prior.people if prior is not None else None,
        tuple(int(g) for g in dealt),
        settings,
        max(last for _, last in settings.blocks),
    )


def first_guesses() -> tuple[tuple[str, Periodic], ...]:
    """Where the loops start that find the thresholds, and where they stay if there is nobody else."""
    return tuple((point, Periodic(1, guess, guess)) for point, guess in FIRST_GUESSES.items())


_HERE: dict[str, object] = {}


def _set_up_worker(arena: Arena) -> None:
    # Ctrl-C reaches every process of a terminal; the first one ends the others, who would only complain.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _set_up(arena)


def _set_up(arena: Arena) -> None:
    # Small matrices: several threads per product cost ten times what they save.
    threadpool_limits(1)
    _HERE["arena"], _HERE["methods"] = arena, methods()


def _do(task: Task) -> tuple[Task, list[dict[str, Walk]]]:
    arena = _HERE["arena"]
    made = _HERE["methods"]
    assert isinstance(arena, Arena)
    assert isinstance(made, dict)
    method: Method = made[OURS if task.method == AT_RANDOM else task.method]
    if task.group is not None:
        pool = arena.people if arena.others is None else arena.others
        diary = pool[task.person]
        others = [pool[i] for i in arena.references(task.group) if i != task.person]
        draws = range(_REFERENCE, _REFERENCE + getattr(method, "references", 3))
        limits = dict(first_guesses())
        rules = replace(arena.rules, last_day=HORIZON)
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


Done = tuple[Task, list[dict[str, Walk]]]


@contextmanager
def workers(arena: Arena, jobs: int) -> Iterator[Callable[[Sequence[Task]], Iterable[Done]]]:
    """Give what does tasks, in order, in this process or in several."""
    if jobs <= 1:
        _set_up(arena)
        yield lambda tasks: map(_do, tasks)
        return
    others = set(active_children())
    with ProcessPoolExecutor(jobs, get_context("spawn"), _set_up_worker, (arena,)) as pool:
        try:
            yield lambda tasks: _handed_out(pool, tasks)
        except BaseException:
            # Nobody waits for what is under way.
            for worker in set(active_children()) - others:
                worker.terminate()
            raise


def _handed_out(pool: ProcessPoolExecutor, tasks: Sequence[Task]) -> Iterable[Done]:
    # Workers start here, deaf to Ctrl-C until they ignore it. What was handed out is never cancelled: to a pool whose
    # workers then end, that is an error of its own (CPython before 3.12).
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        waiting = deque(pool.submit(_do, task) for task in tasks)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    while waiting:
        yield waiting.popleft().result()
