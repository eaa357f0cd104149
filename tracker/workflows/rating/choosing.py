"""Which items of one person a rater could be given now, with what the order needs to know of each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.access import Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import Permit
from tracker.domain.rating import Because
from tracker.domain.series import CONTEXT_HOLDS, Context
from tracker.learning.queueing import LONG, Candidate, Overlap, because, drawn, entropies, top_decile, wanted
from tracker.store import feedback, rating_decisions, rating_items
from tracker.store.rating_items import Own, Rateable, Standing

_NOTHING = Standing()
_NEW = Own(done=False, put_off=False, leased=False)


@dataclass(frozen=True, slots=True)
class Pool:
    """What of one person a rater could be given.

    Attributes
    ----------
    candidates
        The items, with what the order needs; those put off among them, marked so.
    gold
        Items with a known answer that this rater has not seen, with the same.
    drawn
        Which of the candidates were drawn at random, before anybody rated one.
    decile
        From which entropy on an estimate is among the most unsure tenth.
    """

    candidates: tuple[Candidate, ...]
    gold: tuple[Candidate, ...]
    decile: float
    drawn: frozenset[int] = frozenset()

    def ordered(self) -> list[Candidate]:
        """The candidates that come by what they teach, without those that were put off."""
        return [c for c in self.candidates if not c.skipped and c.item not in self.drawn]

    def because(self, candidate: Candidate) -> Because:
        """The reason for an item: an item with a known answer has the one that it would have without."""
        return Because.CHANCE if candidate.item in self.drawn else because(candidate)


def pool(unit: Unit, permit: Permit, member: str, kind: str) -> Pool:
    """Everything of the person of a unit that a rater could be given now."""
    connection, subject, now = unit.connection, unit.person.subject, unit.now
    items = rating_items.rateable(connection, permit, subject)
    unsure = _unsure(items)
    decile = top_decile(list(unsure.values()))
    own = rating_items.own(connection, subject, kind, member, now)
    known = rating_decisions.gold_of(connection, subject, but=member)
    settled = {
        *rating_decisions.gold_of(connection, subject),
        *rating_decisions.adjudicated(connection, subject),
    }
    had = {item for item, past in own.items() if past.done or past.leased}
    fresh = [item for item in items if item.observation not in had]
    open_ = _wanting(unit, {i.observation: unsure[i.observation] for i in fresh}, decile, member, kind)
    waited = _waited(unit, items)
    candidates = {
        item.observation: Candidate(
            item.observation,
            unsure[item.observation],
            waited[item.observation],
            skipped=own.get(item.observation, _NEW).put_off,
        )
        for item in fresh
    }
    open_items = [c for item, c in candidates.items() if item in open_ and item not in settled]
    return Pool(
        tuple(open_items),
        tuple(c for item, c in candidates.items() if item in known),
        decile,
        frozenset(c.item for c in open_items if drawn(subject, c.item, unit.study.rating.random_every)),
    )


def wanting(
    unit: Unit, items: Sequence[Rateable], asked: Sequence[Rateable], member: str, kind: str
) -> frozenset[int]:
    """The items among those asked for that want a rater, where all items of the person say what is unsure."""
    unsure = _unsure(items)
    decile = top_decile(list(unsure.values()))
    return _wanting(unit, {i.observation: unsure[i.observation] for i in asked}, decile, member, kind)


def still_wanted(unit: Unit, candidate: Candidate, decile: float, member: str, kind: str) -> bool:
    """Whether an item still wants a rater, asked in the transaction that gives it to one."""
    return bool(_wanting(unit, {candidate.item: candidate.entropy}, decile, member, kind))


def _unsure(items: Sequence[Rateable]) -> dict[int, float]:
    """How unsure the network is of each item, in nats."""
    found = entropies([item.probabilities for item in items])
    return {item.observation: entropy for item, entropy in zip(items, found, strict=True)}


def _wanting(unit: Unit, asked: Mapping[int, float], decile: float, member: str, kind: str) -> frozenset[int]:
    """The items, each with its entropy, that fewer raters have seen, or hold now, than should."""
    subject = unit.person.subject
    standings = rating_items.standings(unit.connection, subject, kind, unit.now)
    overlap = Overlap(unit.study.rating.second_share)
    found = set()
    for item, entropy in asked.items():
        stands = standings.get(item, _NOTHING)
        others = (stands.said.keys() | stands.held) - {member}
        said: list[Distribution | None] = list(stands.said.values())
        # Nobody else has it, and at least one should: no more has to be asked of most items.
        if not others or len(others) < wanted(subject, item, entropy, decile, said, overlap):
            found.add(item)
    return frozenset(found)


def _waited(unit: Unit, items: Sequence[Rateable]) -> dict[int, timedelta | None]:
    """For each item how long ago the last moment of the same kind of place was that anybody said something about."""
    if not items:
        return {}
    first, last = items[-1].at, items[0].at
    said = rating_items.last_words(unit.connection, unit.person.subject, min(first, unit.now - LONG))
    start, end = min([first, *said]), max([last, *said])
    contexts = feedback.contexts_between(unit.connection, unit.person.subject, start, end)
    times = [context.at for context in contexts]
    newest: dict[str | None, datetime] = {}
    for at in said:
        newest[_place(contexts, times, at)] = at
    found: dict[int, timedelta | None] = {}
    for item in items:
        then = newest.get(_place(contexts, times, item.at))
        found[item.observation] = None if then is None else unit.now - then
    return found


def _place(contexts: Sequence[Context], times: Sequence[datetime], at: datetime) -> str | None:
    """The kind of place of a moment, where somebody said it at most two hours before."""
    i = bisect_right(times, at) - 1
    return contexts[i].place if i >= 0 and at - times[i] <= CONTEXT_HOLDS else None
