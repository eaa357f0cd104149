"""Run the experiment on two cores, with progress, to a report."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from tracker.lab.emotion_challenge.faces import Stages
from tracker.lab.emotion_challenge.living import Lived, World, floored, simulate
from tracker.lab.emotion_challenge.report import EmotionReport, Plan, summarise
from tracker.learning.pipeline import Settings

FIRST_SEED = 1000
"""Seeds below were there to choose settings by; what is reported starts here."""

WITH_RIVER = 2
"""Seeds of each strength on which river's own pipeline is tried too: it takes as long as all the rest."""

WORKERS = 2


def run(
    data: Path,
    *,
    people: int = 200,
    seeds: int = 20,
    days: int = 30,
    per_day: int = 5,
    strengths: Sequence[float] = (0.2, 0.5, 0.8),
    progress: Stages = lambda _stage, _share: None,
    first_seed: int = FIRST_SEED,
    uneven: bool = False,
    settings: Settings | None = None,
) -> EmotionReport:
    """Let SIMULATED people correct the network's readings of real faces, and see what it brings them.

    Parameters
    ----------
    data
        A folder with ``fer2013.csv`` and ``fer2013new.csv``; the PublicTest faces are taken.
    people, seeds
        People per seed and strength, and how often new people are drawn.
    days, per_day
        How long they stay and how many faces a day they correct.
    strengths
        How idiosyncratically they express what they feel, each in [0, 1].
    progress
        Called with the step that runs and the share of it, 0 to 1, that is done.
    first_seed
        Another one than the default draws other people, to choose settings by.
    uneven
        See `tracker.lab.emotion_challenge.people.meanings`.
    settings
        Of the learner; the default are those that people get.

    Raises
    ------
    DatasetError
        When the faces are missing or damaged.
    ValueError
        When a number is out of range.
    """
    from tracker.lab.emotion_challenge.reading import read_faces  # noqa: PLC0415 - torch: workers need none

    for name, count in (("people", people), ("seeds", seeds), ("days", days), ("per_day", per_day)):
        if count < 1:
            raise ValueError(f"{name} is {count}: at least 1 is needed")
    if not strengths or not all(0.0 <= s <= 1.0 for s in strengths):
        raise ValueError(f"strengths are {list(strengths)}: numbers in [0, 1] are needed")
    world = World.of(floored(read_faces(data, progress)), days, per_day)
    plan = Plan(people, seeds, days, per_day, tuple(strengths), world.faces.network, uneven, first_seed)
    chosen = settings or Settings()
    tasks = [(s, first_seed + i, i < WITH_RIVER) for i in range(seeds) for s in strengths]
    lived: list[Lived] = []
    with _workers(world, min(WORKERS, len(tasks))) as pool:
        waiting = [
            pool.submit(_task, strength, seed, people, chosen, uneven, river)
            for strength, seed, river in tasks
        ]
        progress("SIMULATED people correct", 0.0)
        for done in as_completed(waiting):
            lived.append(done.result())
            progress("SIMULATED people correct", len(lived) / len(tasks))
    return summarise(plan, world.curve, sorted(lived, key=lambda one: (one.strength, one.seed)))


_world: World | None = None


def _begin(world: World) -> None:
    global _world
    _world = world
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word; the command says enough


def _task(strength: float, seed: int, people: int, settings: Settings, uneven: bool, river: bool) -> Lived:
    if _world is None:
        raise RuntimeError("a worker was given no world")
    return simulate(_world, strength, seed, people, settings, uneven=uneven, river=river)


@contextmanager
def _workers(world: World, count: int) -> Iterator[ProcessPoolExecutor]:
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(world,))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    pool.shutdown()
