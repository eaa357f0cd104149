"""Raters' words teach a participant's learner: put together first, one word for each item, weighed by reliability.

The participant's own word outranks it: where they have said something, raters' words teach nothing, and what they say
later takes the place of it. A word is made anew once there are votes that it does not hold.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import ConsentMissingError, NotCoveredError, Scope, Use
from tracker.domain.people import Person, UnknownParticipantError
from tracker.domain.rating import Verdict
from tracker.domain.series import Correction
from tracker.learning.weights import RaterKind, correction_weight, together_weight
from tracker.store import feedback, rated, rating_decisions, rating_votes, timeline
from tracker.store.rating_decisions import Adjudication
from tracker.store.seen import DamagedLogError, Seen
from tracker.study import StudyClosedError
from tracker.workflows.rating import doors, gathering
from tracker.workflows.rating.errors import ItemClosedError
from tracker.workflows.rating.gathering import Gathered, Meant, Place

BLOCK = 50
"""Words that are stored in one unit: a participant who comes in between waits no longer than that takes."""

_TAKEN_BACK = (ConsentMissingError, UnknownParticipantError, StudyClosedError)


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

    A word that nothing carries any more goes, and the learner is rebased without it: its votes were taken back or say
    no emotion, or somebody decided that nobody can tell.

    Parameters
    ----------
    hold
        Called between people, by a job that keeps its lease.
    """
    found = gathering.gather(access, now)
    meant = gathering.understand(found.votes, gathering.answers_of(found), gathering.compared(access))
    words: dict[str, list[_Word]] = {}
    for place, word in _words(found, meant).items():
        words.setdefault(place[0], []).append(word)
    stored = learned = 0
    for subject, person in found.people.items():
        hold()
        with suppress(*_TAKEN_BACK):
            new, gone = _compared(access, person, words.get(subject, []), now)
            for start in range(0, len(new) or bool(gone), BLOCK):
                one, other = _teach_some(access, person, new[start : start + BLOCK], gone, now)
                stored, learned, gone = stored + one, learned + other, False
    return Taught(stored, learned)


def _words(found: Gathered, meant: Meant) -> dict[Place, _Word]:
    """The word for each item; of one about which somebody decided, that decision.

    What raters say of an item with a known answer measures them, and teaches nothing.
    """
    words = {
        place: _Word(place[1], RaterKind.CROWD, said, together_weight(weights))
        for place, (said, weights) in gathering.put_together(found.votes, meant).items()
        if place not in found.known
    }
    for place, decision in found.decided.items():
        if decision.verdict is Verdict.EMOTION and decision.distribution is not None:
            weight = correction_weight(RaterKind.EXPERT)
            words[place] = _Word(place[1], RaterKind.EXPERT, decision.distribution, weight)
        else:
            words.pop(place, None)  # decided: nobody can tell, so nothing is learned from the votes either
    return {place: word for place, word in words.items() if place not in found.own}


def _compared(access: Access, person: Person, words: list[_Word], now: datetime) -> tuple[list[_Word], bool]:
    """The words that do not stand yet, and whether one stands that nothing carries any more."""
    with access.read(person.id, now) as unit:
        doors.permit_of(unit)
        connection, subject = unit.connection, person.subject
        standing = feedback.rated_words(connection, subject)
        newest = rating_votes.newest_words(connection, subject)
        decided = rating_decisions.adjudicated(connection, subject)
        new = [
            word
            for word in words
            if (before := standing.get(word.observation)) is None
            or _is_new(word, before, newest.get(word.observation), decided.get(word.observation))
        ]
        return new, bool(_uncarried(unit))


def _uncarried(unit: Unit) -> set[int]:
    """The moments of which a word of raters is stored that nothing carries any more."""
    connection, subject = unit.connection, unit.person.subject
    decided = rating_decisions.adjudicated(connection, subject)
    unsaid = {item for item in rated.unsaid(connection, subject) if item not in decided}
    wordless = {item for item, d in decided.items() if d.verdict is not Verdict.EMOTION}
    return unsaid | (wordless & rated.worded(connection, subject))


def _teach_some(
    access: Access, person: Person, words: list[_Word], gone: bool, now: datetime
) -> tuple[int, int]:
    """Store some words in one unit; what goes or is replaced leaves the learner once, before it learns the new."""
    said: list[tuple[_Said, _Word]] = []
    with access.write(person.id, now) as unit:
        anew = False
        if gone and (uncarried := _uncarried(unit)):
            rated.delete_words(unit.connection, person.subject, person.id, uncarried)
            anew = True
        for word in words:
            with suppress(ItemClosedError, NotCoveredError):  # taken back since it was gathered
                if (one := _store(unit, word)) is not None:
                    said.append((one, word))
        if (anew or any(one.replaced is not None for one, _ in said)) and unit.allowed(Use.LEARN) is not None:
            personal.renew(unit)
        return len(said), sum(_learn(unit, one, word) for one, word in said)


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
    allowed = doors.demand_open(unit, word.observation)
    permit = unit.keeping(unit.permit(Use.CORRECT), Scope.AFFECT_SERIES)
    reading = timeline.reading_of(connection, word.observation)
    if reading is None or word.observation in feedback.own_words(connection, subject, word.observation):
        return None
    before = feedback.rated_words(connection, subject, word.observation).get(word.observation)
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
        rated=allowed,
    )
    return _Said(number, reading.at, reading.machine, before.id if before is not None else None)


def _is_new(
    word: _Word, before: feedback.RatedWord, newest: datetime | None, decided: Adjudication | None
) -> bool:
    """Whether something was said since: what an erased rater had said stays in a word until others say more."""
    if before.rater != word.kind.value:
        return True
    if word.kind is RaterKind.EXPERT:
        return decided is not None and decided.recorded_at > before.recorded_at
    return newest is not None and newest > before.recorded_at


def _learn(unit: Unit, said: _Said, word: _Word) -> bool:
    """Let the person's learner learn a word, where they allow that."""
    try:
        learner = personal.current(unit)
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
