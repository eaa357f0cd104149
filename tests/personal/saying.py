"""People who say all kinds of things about their moments, over days."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from tests import templates
from tests.builders import NOW, leaning, observed, person, store
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction, Prompt
from tracker.learning import kinds
from tracker.learning.kinds import AROUSAL, EMOTION, LEAVE_ME_ALONE, VALENCE, Kind
from tracker.store import snapshots
from tracker.workflows import feedback, prompts

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
TARGETS = (EMOTION, VALENCE, AROUSAL, LEAVE_ME_ALONE, "yes_no:tired", "number:stress")
OTHERS = TARGETS[1:]
PLACE = "canary-place-4c1d"


def word(target: str, at: datetime, chance: random.Random) -> Correction:
    """Something that can be said about a target at a moment."""
    match kinds.kind_of(target):
        case Kind.EMOTION:
            return Correction(at, target, leaning(chance.choice(list(Emotion)), 0.9))
        case Kind.YES_NO:
            return Correction(at, target, None, chance.choice([1.0, 0.5, 0.0]))
        case _:
            return Correction(at, target, None, round(chance.uniform(-1, 1), 2))


def said(
    access: Access, who: Person, correction: Correction, now: datetime, *, prompted: bool = False
) -> feedback.Corrected:
    """Say it, at a moment, as an answer to a prompt or unasked."""
    prompt = None
    if prompted:
        at = correction.at
        slot = f"{correction.target}-{at:%m%dT%H%M%S}"
        prompt = prompts.record(access, who, Prompt(slot, at, at, at, at, "answered"), now)
    return feedback.correct(access, who, correction, now, prompt=prompt)


def talkative(
    access: Access,
    name: str = "ada",
    targets: Iterable[str] = TARGETS,
    *,
    days: int = 4,
    seed: int = 0,
    end: datetime = NOW,
) -> Person:
    """Someone who lived `days` days before `end`: three moments a day with a face, a context and words about it."""
    chosen = tuple(targets)
    what = ("talkative", name, chosen, days, seed, end)
    return templates.once(access, what, lambda: _talked(access, name, chosen, days, seed, end))


def _talked(
    access: Access, name: str, targets: tuple[str, ...], days: int, seed: int, end: datetime
) -> Person:
    chance = random.Random(f"{name}|{seed}")
    who = person(access, name, now=end - (days + 1) * DAY)
    for i in range(3 * days):
        at = end - days * DAY + i * 8 * HOUR
        seen = [observed(at - k * MINUTE, chance.choice([*Emotion, None])) for k in range(4)]
        store(access, who, seen, at)
        if i % 3 == 0:
            place = PLACE if i % 2 else "home"
            feedback.add_context(access, who, Context(at - 20 * MINUTE, place=place, company="alone"), at)
        for target in targets:
            said(access, who, word(target, at, chance), at + 20 * timedelta(seconds=1), prompted=i % 4 == 1)
    return who


def newest(access: Access, who: Person, target: str, now: datetime = NOW) -> snapshots.SnapshotRow:
    """The live snapshot of a learner."""
    with access.read(who.id, now) as unit:
        row = snapshots.latest(unit.connection, who.subject, target)
    assert row is not None
    return row


def replayed(access: Access, who: Person, now: datetime = NOW) -> dict[str, int]:
    """Replay all of a person's learners; each equals the live one. How many events each holds, by target."""
    found = {}
    with access.read(who.id, now) as unit:
        for target in personal.live(unit):
            replay = personal.replay(unit, target)
            assert replay is not None
            assert replay.equal, (target, replay.problem)
            found[target] = replay.events
    return found
