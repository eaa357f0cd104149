"""What cannot be asked as a study says it, and the schedules of one that can."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import time, timedelta

from tracker.domain.schedules import DAY, EVERY_DAY, Event, Plan, Schedule, Window
from tracker.study.asking import AskingRules, AtRandom, Days, Prompts, minute

_ON = {Days.ALL: EVERY_DAY, Days.WEEKDAYS: frozenset(range(5)), Days.WEEKENDS: frozenset((5, 6))}
_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")

Place = tuple[str | int, ...]
Problems = Iterator[tuple[str, Place, str]]


def plan_of(seed: str, rules: AskingRules, prompts: Sequence[Prompts]) -> Plan:
    """The schedules of a study, as `tracker.domain.schedules` reads them.

    Parameters
    ----------
    seed
        What draws are made from: the study's id, so that a new version moves nobody's day.
    rules, prompts
        What the file says.
    """
    return Plan(
        seed,
        tuple(_schedule(said) for said in prompts),
        minute(rules.quiet_from),
        minute(rules.quiet_until),
        timedelta(minutes=rules.gap_minutes),
    )


def _schedule(said: Prompts) -> Schedule:
    return Schedule(
        said.id,
        tuple(minute(at) for at in said.at),
        tuple(Window(minute(w.opens), minute(w.closes), w.prompts) for w in said.windows),
        said.after,
        timedelta(minutes=said.unseen_minutes),
        _ON[said.days],
        timedelta(minutes=said.apart_minutes),
        timedelta(minutes=said.expires_after_minutes),
        said.reminders,
        timedelta(minutes=said.remind_after_minutes),
        said.yields,
        said.asks,
    )


def problems(rules: AskingRules, prompts: Sequence[Prompts]) -> Problems:
    """What is wrong with the schedules of a study: of each problem the kind, the place and what to do."""
    found = list(_each(rules, prompts))
    yield from found
    # One problem after another: what is wrong by itself need not fit with the rest.
    if not found:
        for day in (0, 5):
            if together := next(_together(day, rules, prompts), None):
                yield together
                return


def overnight(rules: AskingRules, prompts: Sequence[Prompts]) -> Problems:
    """What of two days comes so soon after midnight that not both can ever be put.

    Asked of files alone: a study that governs already goes on, and withholds the second.
    """
    told = set()
    for day in range(7):
        for (first, _, one), (last, n, other) in itertools.product(
            _falling(day, prompts), _falling((day + 1) % 7, prompts)
        ):
            apart = last[1] + DAY - first[0]
            if apart < rules.gap_minutes and (n, one, other) not in told:
                told.add((n, one, other))
                yield _wrong(
                    (n, "at" if last[0] == last[1] else "windows"),
                    f"{other} comes {apart} minutes at most after {one} of the day before ({_NAMES[day]}), but "
                    f"gap_minutes in [asking] is {rules.gap_minutes}",
                )


def _falling(day: int, prompts: Sequence[Prompts]) -> Iterator[tuple[tuple[int, int], int, str]]:
    """What falls on a day: its first and its last minute, whose it is, and how it is called."""
    for n, said in enumerate(prompts):
        if day in _ON[said.days]:
            yield from (((minute(at), minute(at)), n, at) for at in said.at)
            yield from (((minute(w.opens), minute(w.closes) - 1), n, _told(w)) for w in said.windows)


def _each(rules: AskingRules, prompts: Sequence[Prompts]) -> Problems:
    seen: set[str] = set()
    for n, said in enumerate(prompts):
        if said.id in seen:
            yield _wrong((n, "id"), f"{said.id!r} is there twice; each schedule has a name of its own")
        seen.add(said.id)
        yield from _alone(n, said)
        yield from _quiet(n, said, rules)
        if said.reminders and said.reminders * said.remind_after_minutes >= said.expires_after_minutes:
            last = said.reminders * said.remind_after_minutes
            yield _wrong(
                (n, "reminders"),
                f"the last reminder would come {last} minutes after the prompt, but it expires after "
                f"{said.expires_after_minutes}; remind earlier, or let it last longer",
            )


def _alone(n: int, said: Prompts) -> Problems:
    planned = bool(said.at or said.windows)
    if planned == (said.after is not None):
        yield _wrong(
            (n,),
            'say either when it falls due (at = [...], windows = [...]) or after which event (after = "'
            f'{Event.FACE_AFTER_GAP.value}")',
        )
    if list(said.at) != sorted(set(said.at)):
        yield _wrong((n, "at"), "write the times in order, each once")
    for window in said.windows:
        length, opens = minute(window.closes) - minute(window.opens), window.opens
        if length <= 0:
            yield _wrong(
                (n, "windows"),
                f"a window from {opens} to {window.closes} has no minute; one across midnight is two windows",
            )
    for before, after in itertools.pairwise(said.windows):
        if minute(after.opens) < minute(before.closes):
            yield _wrong(
                (n, "windows"),
                f"{_told(after)} begins before {_told(before)} ends; windows stand in order and do not overlap",
            )
    if said.after is not Event.FACE_AFTER_GAP and said.unseen_minutes != 60:
        yield _wrong((n, "unseen_minutes"), "only prompts after face_after_gap wait for that; leave it out")


def _quiet(n: int, said: Prompts, rules: AskingRules) -> Problems:
    plan = plan_of("", rules, ())
    quiet = f"the quiet hours from {rules.quiet_from} to {rules.quiet_until}"
    for at in said.at:
        if plan.quiet(time.fromisoformat(at)):
            yield _wrong((n, "at"), f"{at} lies in {quiet}; choose another time, or other quiet hours")
    for window in said.windows:
        minutes = range(minute(window.opens), minute(window.closes))
        if any(plan.quiet(time(m // 60, m % 60)) for m in minutes):
            yield _wrong((n, "windows"), f"{_told(window)} reaches into {quiet}; make it shorter, or those")


def _together(day: int, rules: AskingRules, prompts: Sequence[Prompts]) -> Problems:
    """What does not fit into one day: of Monday for all weekdays, of Saturday for weekends."""
    today = [(n, said) for n, said in enumerate(prompts) if day in _ON[said.days]]
    fixed = sorted((minute(at), n, at) for n, said in today for at in said.at)
    for (before, _, one), (after, n, other) in itertools.pairwise(fixed):
        if after - before < rules.gap_minutes:
            yield _wrong(
                (n, "at"),
                f"{other} comes {after - before} minutes after {one}, but gap_minutes in [asking] is "
                f"{rules.gap_minutes}",
            )
    windows = sorted(
        ((minute(w.opens), minute(w.closes), n, w) for n, said in today for w in said.windows),
        key=lambda found: found[:3],
    )
    for (_, closes, _, first), (opens, _, n, second) in itertools.pairwise(windows):
        if opens < closes:
            yield _wrong((n, "windows"), f"{_told(second)} overlaps {_told(first)} on {_NAMES[day]}")
    count = len(fixed) + sum(w.prompts for *_, w in windows)
    if count > rules.per_day:
        yield _wrong(
            (today[-1][0],),
            f"{count} prompts fall due on {_NAMES[day]}, but per_day in [asking] is {rules.per_day}",
        )
    yield from _room(day, rules, prompts, [at for at, *_ in fixed], windows)


def _room(
    day: int,
    rules: AskingRules,
    prompts: Sequence[Prompts],
    fixed: Sequence[int],
    windows: Sequence[tuple[int, int, int, AtRandom]],
) -> Problems:
    """Whether the prompts of each window find room however the draws before it fall."""
    last = -DAY
    for opens, closes, n, window in windows:
        apart = max(rules.gap_minutes, prompts[n].apart_minutes, 1)
        free = [
            m
            for m in range(max(opens, last + rules.gap_minutes), closes)
            if all(abs(m - at) >= rules.gap_minutes for at in fixed)
        ]
        needed = (window.prompts - 1) * apart + 1
        if len(free) < needed:
            yield _wrong(
                (n, "windows"),
                f"{window.prompts} prompts {apart} minutes apart need {needed} minutes, but on {_NAMES[day]} "
                f"{_told(window)} may have only {len(free)}, because all prompts keep {rules.gap_minutes} minutes "
                "from each other; ask less often, or make it longer",
            )
        last = closes - 1


def _told(window: AtRandom) -> str:
    return f"the window from {window.opens} to {window.closes}"


def _wrong(place: Place, message: str) -> tuple[str, Place, str]:
    return "rule", ("prompts", *place), message
