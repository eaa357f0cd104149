"""What runs by itself: prompts each minute, retention and erasure each hour, rebase of learners and priors each night.

Each job has slots (a night in a time zone, an hour). A slot is run once, by whichever process claims its
lease first; when that process dies, another takes the slot over after the lease has run out.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler

from tracker import personal
from tracker.access import Access
from tracker.domain.consent import Use
from tracker.domain.people import UnknownParticipantError
from tracker.store import leases, people, studies
from tracker.store.leases import Lease, LeaseLostError
from tracker.store.seen import DamagedLogError
from tracker.workflows import erasure, prompting, rating, retention
from tracker.workflows.prompting.posting import Posted, Push

LEASE = timedelta(minutes=10)
"""After this time without a sign of life a slot is taken over."""

EVERY = timedelta(minutes=1)
"""How often each process looks for slots that are due."""

NIGHT_ENDS = 3
"""Local hour at which a night's rebase is due: the quietest of the day."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ran:
    """A slot that this process ran, and what came of it (no personal data)."""

    job: str
    slot: str
    outcome: str


class Task(Protocol):
    """Something that is due in slots."""

    @property
    def name(self) -> str:
        """What the job is called."""

    def slots(self, access: Access, now: datetime) -> Sequence[str]:
        """The slots that are due at an instant; those that were run already are skipped by the caller."""

    def run(self, access: Access, slot: str, now: datetime, hold: Callable[[], None]) -> str:
        """Run one slot and say in a few words what was done; call `hold` between pieces of long work."""


class NightlyRebase:
    """Move every learner's rebase instant on, at the end of the night where the participant lives."""

    name = "rebase"

    def slots(self, access: Access, now: datetime) -> Sequence[str]:
        """One for each time zone that somebody lives in: the last night that has ended there."""
        with access.database.read() as connection:
            return [f"{_night(now, zone)} {zone}" for zone in people.zones(connection)]

    def run(self, access: Access, slot: str, now: datetime, hold: Callable[[], None]) -> str:
        """Rebase all learners of everybody of the zone who still allows it."""
        zone = slot.partition(" ")[2]
        count = damaged = 0
        for person in access.everyone():
            if person.zone != zone:
                continue
            hold()
            with suppress(UnknownParticipantError), access.read(person.id, now) as unit:
                targets = personal.live(unit) if unit.allowed(Use.LEARN) is not None else []
            for target in targets:
                try:
                    count += _rebase(access, person.id, target, now)
                except DamagedLogError as error:
                    # Its snapshot may still be whole; others must not wait for this one.
                    damaged += 1
                    _log.error("a learner of %s could not be rebased: %s", target, error)
        return f"{count} learners rebased" + (f", {damaged} could not be" if damaged else "")


class NightlyPriors:
    """Fit what learners start from anew, where those who contribute have said something new or have left."""

    name = "priors"

    def slots(self, access: Access, now: datetime) -> Sequence[str]:
        """The night that has ended last in UTC."""
        return [_night(now, "UTC")]

    def run(self, access: Access, slot: str, now: datetime, hold: Callable[[], None]) -> str:
        """Fit the prior of every target that enough people contribute to."""
        return f"{personal.refit(access, now, hold)} priors fitted"


class Prompting:
    """Put, withhold, recall and end the prompts that are due, and tell devices, every minute, where the study asks.

    Parameters
    ----------
    post
        Sends one message to a device's push service.
    """

    name = "prompts"

    def __init__(self, post: Callable[[Push, datetime], Posted] | None = None) -> None:
        self._post = post if post is not None else prompting.Poster(prompting.PUBLIC)

    def slots(self, access: Access, now: datetime) -> Sequence[str]:
        """The minute; none in a study that asks nothing by itself, or is closed."""
        with access.database.read() as connection:
            study = studies.in_force(connection)
        asks = bool(study.prompts) and not study.closed
        return [now.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")] if asks else []

    def run(self, access: Access, slot: str, now: datetime, hold: Callable[[], None]) -> str:
        """Look after everybody, one by one: whoever cannot be, keeps nobody else waiting. Then devices are told."""
        done, failed = prompting.Ticked(), 0
        people = access.everyone()
        for n, person in enumerate(people, start=1):
            if n % 100 == 0:
                hold()
            try:
                with suppress(UnknownParticipantError):
                    done += prompting.tick(access, person, now)
            except Exception as error:
                # What it says may name somebody, so only its kind is logged.
                failed += 1
                _log.error("prompts of somebody could not be looked after: %s", type(error).__name__)
        told = f"{done.put} put, {done.withheld} withheld, {done.reminded} recalled, {done.expired} expired"
        hold()
        pushed = prompting.deliver(access, people, now, self._post, time.monotonic)
        if pushed != prompting.Pushed():
            told += f", {pushed.sent} pushed"
            told += f" ({pushed.later} to be tried again)" if pushed.later else ""
            told += f" ({pushed.dropped} dropped)" if pushed.dropped else ""
        return told + (f", {failed} people could not be looked after" if failed else "")


def _clear_exports(access: Access, now: datetime) -> None:
    """Delete what waits to be fetched in the web and is outdated, or has waited long enough."""
    from tracker.workflows.export import Shelf  # noqa: PLC0415 - pyarrow takes a while

    shelf = Shelf(access, lambda: now)
    shelf.sweep()
    shelf.close()


class HourlyRetention:
    """Forget what has been kept long enough, and carry out erasures that are due or were interrupted."""

    name = "retention"

    def slots(self, access: Access, now: datetime) -> Sequence[str]:
        """The hour."""
        return [now.astimezone(UTC).strftime("%Y-%m-%dT%HZ")]

    def run(self, access: Access, slot: str, now: datetime, hold: Callable[[], None]) -> str:
        """Forget first: an erasure that cannot finish must not keep everything else."""
        forgotten = sum(retention.run(access, now).values())
        hold()
        erased = erasure.carry_out(access, now)
        hold()
        clean = personal.clean(access, now, hold)
        erasure.settle(access, now)
        _clear_exports(access, now)
        prompting.forget_unused(access, now)
        told = f"{forgotten} rows forgotten, {len(erased)} erasures carried out"
        return f"{told}, {clean} learners made clean" if clean else told


class NightlyRaters:
    """Put together what raters said, and let participants' learners learn it."""

    name = "raters"

    def slots(self, access: Access, now: datetime) -> Sequence[str]:
        """The night that has ended last in UTC."""
        return [_night(now, "UTC")]

    def run(self, access: Access, slot: str, now: datetime, hold: Callable[[], None]) -> str:
        """One word for each item that has new ones."""
        taught = rating.teach(access, now, hold)
        return f"{taught.words} words of raters put together, {taught.learned} learned"


STANDARD: tuple[Task, ...] = (
    Prompting(),
    HourlyRetention(),
    NightlyPriors(),
    NightlyRaters(),
    NightlyRebase(),
)


class Jobs:
    """Runs what is due, beside other processes that do the same.

    Parameters
    ----------
    access
        The gate.
    clock
        Returns now (UTC).
    holder
        What this process is called in the leases; a random ending makes it unique.
    tasks
        What to run.
    """

    def __init__(
        self,
        access: Access,
        clock: Callable[[], datetime],
        holder: str,
        tasks: Sequence[Task] = STANDARD,
    ) -> None:
        self._access = access
        self._clock = clock
        self._holder = f"{holder[:47]}:{secrets.token_hex(8)}"
        self._tasks = tasks
        self._background: BackgroundScheduler | None = None

    def run_once(self, now: datetime, tasks: Sequence[Task] | None = None) -> list[Ran]:
        """Run the slots that are due and that nobody has run or is running; return what was run here."""
        ran = []
        for task in self._tasks if tasks is None else tasks:
            for slot in task.slots(self._access, now):
                lease = self._claim(task.name, slot, now)
                if lease is not None:
                    ran.append(self._run(task, lease, now))
        return ran

    def start(self) -> None:
        """Run in the background of this process until `stop`, or until the process ends."""
        self._background = BackgroundScheduler(timezone=UTC, executors=_executors())
        self._schedule(self._background)
        self._background.start()

    def stop(self) -> None:
        """Let the slot that is running finish, and run no more."""
        if self._background is not None:
            self._background.shutdown(wait=True)
            self._background = None

    def blocking(self) -> None:
        """Run in this thread until interrupted."""
        scheduler = BlockingScheduler(timezone=UTC, executors=_executors())
        self._schedule(scheduler)
        try:
            scheduler.start()
        finally:
            with suppress(Exception):
                scheduler.shutdown(wait=True)

    def _schedule(self, scheduler: BaseScheduler) -> None:
        now = self._clock()
        scheduler.add_job(self._resume, next_run_time=now, misfire_grace_time=None)
        urgent = [task for task in self._tasks if isinstance(task, Prompting)]
        # A night's work takes as long as it takes; nobody's question may wait for it.
        for executor, tasks in (
            ("urgent", urgent),
            ("default", [task for task in self._tasks if task not in urgent]),
        ):
            if tasks:
                scheduler.add_job(
                    partial(self._tick, tasks),
                    "interval",
                    seconds=EVERY.total_seconds(),
                    next_run_time=now,
                    max_instances=1,
                    coalesce=True,
                    misfire_grace_time=None,
                    executor=executor,
                )

    def _resume(self) -> None:
        try:
            erasure.resume(self._access, self._clock())
        except Exception as error:
            _log.error("an interrupted erasure could not be finished: %s", type(error).__name__)

    def _tick(self, tasks: Sequence[Task]) -> None:
        try:
            self.run_once(self._clock(), tasks)
        except Exception as error:
            # The next tick tries again; what an error says may name somebody, so only its kind is logged.
            _log.error("jobs could not be looked for: %s", type(error).__name__)

    def _claim(self, job: str, slot: str, now: datetime) -> Lease | None:
        with self._access.database.read() as connection:
            if leases.finished(connection, job, slot):
                return None
        with self._access.database.write() as connection:
            return leases.claim(connection, job, slot, self._holder, now, now + LEASE)

    def _run(self, task: Task, lease: Lease, now: datetime) -> Ran:
        def hold() -> None:
            with self._access.database.write() as connection:
                leases.extend(connection, lease, self._clock() + LEASE)

        try:
            outcome = task.run(self._access, lease.slot, now, hold)
            with self._access.database.write() as connection:
                leases.finish(connection, lease, self._clock(), outcome)
        except LeaseLostError:
            outcome = "another process took over"
        except Exception as error:
            # The lease runs out, and whoever comes next tries again.
            outcome = f"failed: {type(error).__name__}"
            _log.error("job %s %s failed: %s", lease.job, lease.slot, type(error).__name__)
        return Ran(lease.job, lease.slot, outcome)


def _executors() -> dict[str, ThreadPoolExecutor]:
    return {"default": ThreadPoolExecutor(1), "urgent": ThreadPoolExecutor(1)}


def _rebase(access: Access, participant: str, target: str, now: datetime) -> bool:
    # Each in a transaction of its own: a night's work locks nobody for long.
    with suppress(UnknownParticipantError), access.write(participant, now) as unit:
        if unit.allowed(Use.LEARN) is not None and target in personal.live(unit):
            personal.rebase(unit, target)
            return True
    return False


def _night(now: datetime, zone: str) -> str:
    """The date of the last night that has ended at an instant in a zone.

    Examples
    --------
    >>> _night(datetime(2026, 3, 20, 1, 59, tzinfo=UTC), "Europe/Berlin")
    '2026-03-19'
    >>> _night(datetime(2026, 3, 20, 2, 0, tzinfo=UTC), "Europe/Berlin")
    '2026-03-20'
    """
    local = now.astimezone(ZoneInfo(zone))
    return (local.date() if local.hour >= NIGHT_ENDS else local.date() - timedelta(days=1)).isoformat()
