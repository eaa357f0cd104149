"""All votes that may be looked at now, of everybody who lets raters see them, and what they mean together.

Votes are opened person by person, each under that person's own consent at this instant. Of raters who do not let their
agreement be computed nothing is fitted: their votes count as those of somebody at chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from tracker.access import Access
from tracker.domain.affect import EMOTIONS, Distribution
from tracker.domain.consent import ConsentMissingError
from tracker.domain.people import Person, UnknownParticipantError
from tracker.domain.raters import RaterScope, rater_notice
from tracker.domain.rating import Verdict
from tracker.learning.agreement_skills import COIN, TURNS, Skills, Votes, dawid_skene, reliability, together
from tracker.store import feedback, raters, rating_decisions, rating_items, rating_votes
from tracker.store.rating_decisions import Adjudication
from tracker.store.rating_votes import VoteRow
from tracker.study import StudyClosedError
from tracker.workflows.rating import doors
from tracker.workflows.rating.queue import CROP

_CHANCE = 1 / len(EMOTIONS)

Place = tuple[str, int]
"""A person's subject and an observation: which item a vote is about."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was said, of whom it may be known now.

    Attributes
    ----------
    people
        Whose moments these are, by subject.
    votes
        The standing votes on single pictures, with their item; those that say nothing are not among them.
    known
        Items with a known answer.
    decided
        What stands decided.
    machine
        What the network says of each item.
    own
        What the participants themselves say of it, where they do.
    """

    people: dict[str, Person] = field(default_factory=dict)
    votes: list[tuple[Place, VoteRow]] = field(default_factory=list)
    known: dict[Place, Distribution] = field(default_factory=dict)
    decided: dict[Place, Adjudication] = field(default_factory=dict)
    machine: dict[Place, Distribution] = field(default_factory=dict)
    own: dict[Place, Distribution] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meant:
    """What the votes mean together.

    Attributes
    ----------
    items
        The items with an emotion said of them.
    members
        The raters who let their agreement be computed, in the order of `skills.confusion`.
    skills
        Their confusion matrices; None where no item has two of them and none is known, so that nothing can be learned
        of any rater.
    weights
        How much each of their words counts, by member: chance where nothing is known, or the fit did not come to rest.
    """

    items: tuple[Place, ...]
    members: tuple[str, ...]
    skills: Skills | None
    weights: dict[str, float]


def gather(access: Access, now: datetime) -> Gathered:
    """Everything that may be looked at now."""
    found = Gathered()
    for person in sorted(access.everyone(), key=lambda person: person.id):
        with (
            suppress(ConsentMissingError, UnknownParticipantError, StudyClosedError),
            access.read(person.id, now) as unit,
        ):
            connection, subject = unit.connection, person.subject
            shown = {
                r.observation: r for r in rating_items.spoken_of(connection, doors.permit_of(unit), subject)
            }
            found.people[subject] = person
            for row in rating_votes.of_subject(connection, subject):
                if row.kind == CROP and row.verdict.counts and row.observation in shown:
                    found.votes.append(((subject, row.observation), row))
            for item, answer in rating_decisions.gold_of(connection, subject).items():
                found.known[subject, item] = answer
            for item, decision in rating_decisions.adjudicated(connection, subject).items():
                if item in shown:
                    found.decided[subject, item] = decision
            for item, said in feedback.own_words(connection, subject).items():
                found.own[subject, item] = said
            for item, seen in shown.items():
                found.machine[subject, item] = seen.machine
    return found


def compared(access: Access) -> frozenset[str]:
    """The raters who let their agreement be computed under the notice that stands."""
    with access.database.read() as connection:
        stands = rater_notice(doors.study_in_force(access).help_contact).sha256
        return raters.allowing(connection, RaterScope.AGREEMENT.value, stands)


def understand(
    votes: Sequence[tuple[Place, VoteRow]], known: dict[Place, Distribution], named: frozenset[str]
) -> Meant:
    """What votes mean together, and how reliable each rater is.

    Parameters
    ----------
    votes
        Those that say an emotion count; the others say nothing about which.
    known
        Known answers; what somebody decided about an item is one, too.
    named
        The raters who let their agreement be computed.
    """
    said = [(place, row.member, row.distribution) for place, row in votes if row.distribution is not None]
    counted = [vote for vote in said if vote[1] in named]
    members = tuple(sorted({member for _, member, _ in counted}))
    skills = _fitted(counted, members, known)
    weights = dict.fromkeys(members, _CHANCE)
    if skills is not None and skills.converged:  # one that has not come to rest says nothing of anybody
        weights = dict(zip(members, map(float, reliability(skills)), strict=True))
    return Meant(tuple(dict.fromkeys(place for place, _, _ in said)), members, skills, weights)


def put_together(
    votes: Sequence[tuple[Place, VoteRow]], meant: Meant
) -> dict[Place, tuple[Distribution, list[float]]]:
    """What is said of each item, each vote counted by its rater's weight; and those weights."""
    said = [(place, row.member, row.distribution) for place, row in votes if row.distribution is not None]
    arrays, places, members = _arrays(said)
    average = together(arrays, np.array([meant.weights.get(member, _CHANCE) for member in members]))
    counted: dict[Place, list[float]] = {}
    for place, member, _ in said:
        counted.setdefault(place, []).append(meant.weights.get(member, _CHANCE))
    return {
        place: (Distribution.from_sequence([float(p) for p in average[i]]), counted[place])
        for i, place in enumerate(places)
    }


_Vote = tuple[Place, str, Distribution]


def _arrays(said: Sequence[_Vote]) -> tuple[Votes, list[Place], list[str]]:
    """Votes as arrays, with the items and the raters in the order of their numbers."""
    places = list(dict.fromkeys(place for place, _, _ in said))
    members = sorted({member for _, member, _ in said})
    place_of, member_of = {p: i for i, p in enumerate(places)}, {m: i for i, m in enumerate(members)}
    arrays = Votes(
        np.array([place_of[place] for place, _, _ in said], dtype=np.int64),
        np.array([member_of[member] for _, member, _ in said], dtype=np.int64),
        np.array([words.probabilities for _, _, words in said]).reshape(-1, len(EMOTIONS)),
        len(places),
        len(members),
    )
    return arrays, places, members


def _fitted(said: Sequence[_Vote], members: Sequence[str], known: dict[Place, Distribution]) -> Skills | None:
    """What can be learned of raters; None where no item has two of them and none of theirs is known."""
    if not said:
        return None
    arrays, places, _ = _arrays(said)
    answers = np.full((len(places), len(EMOTIONS)), np.nan)
    for i, place in enumerate(places):
        if place in known:
            answers[i] = known[place].probabilities
    if not arrays.overlapping and np.isnan(answers).all():
        return None
    return dawid_skene(arrays, known=answers, coin=COIN, most=TURNS)


def answers_of(found: Gathered) -> dict[Place, Distribution]:
    """Every answer that is known: set beforehand, or decided."""
    decided = {
        place: d.distribution
        for place, d in found.decided.items()
        if d.verdict is Verdict.EMOTION and d.distribution is not None
    }
    return found.known | decided
