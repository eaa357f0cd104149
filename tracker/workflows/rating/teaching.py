"""Raters' words teach a participant's learner: put together first, one word for each item, weighed by reliability.

The participant's own word outranks it: where they have said something, raters' words teach nothing, and what they say
later takes the place of it. A word is made anew once there are votes that it does not hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.affect import EMOTIONS, Distribution
from tracker.domain.consent import ConsentMissingError, NotCoveredError, Scope, Use
from tracker.domain.people import Person, UnknownParticipantError
from tracker.domain.rating import Verdict
from tracker.domain.series import Correction
from tracker.learning.weights import RaterKind, correction_weight, together_weight
from tracker.store import feedback, rating_decisions, rating_votes, timeline
from tracker.store.seen import DamagedLogError, Seen
from tracker.study import StudyClosedError
from tracker.workflows.rating import doors, gathering
from tracker.workflows.rating.errors import ItemClosedError
from tracker.workflows.rating.gathering import Gathered, Meant, Place


@dataclass(frozen=True, slots=True)
class Taught:
    """What a run did.

    Attributes
    ----------
    words
        How many words were put together and stored.
    learned
        How many of them a learner learned.
    """

    words: int
    learned: int


@dataclass(frozen=True, slots=True)
class _Word:
    """What is to be said of an item: by whom, how much it weighs, and which votes it holds."""

    observation: int
    kind: RaterKind
    said: Distribution
    weight: float


def teach(access: Access, now: datetime, hold: Callable[[], None] = lambda: None) -> Taught:
    """Put raters' words together, store them as corrections where they are new, and let learners learn them.

    Parameters
    ----------
    hold
        Called between people, by a job that keeps its lease.
    """
    found = gathering.gather(access, now)
    meant = gathering.understand(found.votes, gathering.answers_of(found), gathering.compared(access))
    words = _words(found, meant)
    stored = learned = 0
    for subject, person in found.people.items():
        hold()
        mine = [word for place, word in words.items() if place[0] == subject]
        one, other = _teach_one(access, person, mine, now) if mine else (0, 0)
        stored, learned = stored + one, learned + other
    return Taught(stored, learned)


def _words(found: Gathered, meant: Meant) -> dict[Place, _Word]:
    """The word for each item; of one about which somebody decided, that decision."""
    by_item: dict[Place, list[str]] = {}
    average: dict[Place, list[Distribution]] = {}
    for place, row in found.votes:
        if row.distribution is not None:
            name = row.member if row.member in meant.weights else gathering.UNCOUNTED
            by_item.setdefault(place, []).append(name)
            average.setdefault(place, []).append(row.distribution)
    words = {}
    for i, place in enumerate(meant.items):
        said = (
            Distribution.from_sequence([float(p) for p in meant.skills.posterior[i]])
            if meant.skills is not None
            else _mean(average[place])
        )
        weight = together_weight([meant.weights[name] for name in by_item[place]])
        words[place] = _Word(place[1], RaterKind.CROWD, said, weight)
    for place, decision in found.decided.items():
        if decision.verdict is Verdict.EMOTION and decision.distribution is not None:
            weight = correction_weight(RaterKind.EXPERT)
            words[place] = _Word(place[1], RaterKind.EXPERT, decision.distribution, weight)
        else:
            words.pop(place, None)  # decided: nobody can tell, so nothing is learned from the votes either
    return {place: word for place, word in words.items() if place not in found.own}


def _teach_one(access: Access, person: Person, words: list[_Word], now: datetime) -> tuple[int, int]:
    stored = learned = 0
    for word in words:
        try:
            with access.write(person.id, now) as unit:
                said = _store(unit, word)
                if said is not None:
                    stored += 1
                    learned += _learn(unit, said, word)
        except (
            ConsentMissingError,
            UnknownParticipantError,
            StudyClosedError,
            NotCoveredError,
            ItemClosedError,
        ):
            continue  # they have taken something back since it was gathered
    return stored, learned


@dataclass(frozen=True, slots=True)
class _Said:
    """A correction that was stored: its number, its moment, and the one that it replaced."""

    correction: int
    at: datetime
    machine: Distribution | None
    replaced: int | None


def _store(unit: Unit, word: _Word) -> _Said | None:
    """Store a word as a correction; None where it stands already, or the participant has said something."""
    connection, subject = unit.connection, unit.person.subject
    rated = doors.demand_open(unit, word.observation)
    permit = unit.keeping(unit.permit(Use.CORRECT), Scope.AFFECT_SERIES)
    reading = timeline.reading_of(connection, word.observation)
    if reading is None or word.observation in feedback.own_words(connection, subject):
        return None
    before = feedback.rated_words(connection, subject).get(word.observation)
    if before is not None and not _is_new(unit, word, before):
        return None
    correction = Correction(reading.at, personal.EMOTION, word.said, rater=word.kind.value)
    number = feedback.add_correction(
        connection,
        permit,
        subject,
        unit.person.zone,
        correction,
        unit.now,
        observation=word.observation,
        supersedes=before.id if before is not None else None,
        rated=rated,
    )
    return _Said(number, reading.at, reading.machine, before.id if before is not None else None)


def _is_new(unit: Unit, word: _Word, before: feedback.RatedWord) -> bool:
    """Whether something was said since: what an erased rater had said stays in a word until others say more."""
    if before.rater != word.kind.value:
        return True
    connection, subject = unit.connection, unit.person.subject
    if word.kind is RaterKind.EXPERT:
        decided = rating_decisions.adjudicated(connection, subject).get(word.observation)
        return decided is not None and decided.recorded_at > before.recorded_at
    newest = rating_votes.newest_about(connection, subject, word.observation)
    return newest is not None and newest > before.recorded_at


def _learn(unit: Unit, said: _Said, word: _Word) -> bool:
    """Let the person's learner learn a word, where they allow that."""
    try:
        learner = personal.current(unit)
        if learner is not None and said.replaced is not None:
            learner = personal.renew(unit)
        if learner is None or not learner.source.own or said.at < unit.permit(Use.LEARN).covers_from:
            return False
        contexts = feedback.contexts_between(unit.connection, unit.person.subject, said.at, said.at)
        context = personal.context_at(contexts, said.at)
        seen = Seen(learner.features(said.machine, said.at, ZoneInfo(unit.person.zone), context))
        personal.teach(
            unit,
            learner,
            correction=said.correction,
            seen=seen,
            label=word.said,
            weight=word.weight,
            machine=said.machine,
        )
    except DamagedLogError:
        return False
    return True


def _mean(said: list[Distribution]) -> Distribution:
    return Distribution.from_sequence(
        [sum(d.probabilities[i] for d in said) / len(said) for i in range(len(EMOTIONS))]
    )
