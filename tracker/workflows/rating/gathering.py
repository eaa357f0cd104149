"""All votes that may be looked at now, of everybody who lets raters see them, and what they mean together.

Votes are opened person by person, each under that person's own consent at this instant. Raters who do not let their
agreement be computed are one rater together, of whom nothing is known.
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
from tracker.learning.agreement_skills import Skills, Votes, dawid_skene, reliability
from tracker.store import feedback, raters, rating_decisions, rating_items, rating_votes
from tracker.store.rating_decisions import Adjudication
from tracker.store.rating_votes import VoteRow
from tracker.study import StudyClosedError
from tracker.workflows.rating import doors
from tracker.workflows.rating.queue import CROP

UNCOUNTED = ""
"""In the place of a rater's id: those whose agreement is not computed."""

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
        The items with an emotion said of them, in the order of `skills.posterior`.
    members
        The raters in the order of `skills.confusion`; `UNCOUNTED` for those together.
    skills
        Posteriors and confusion matrices; None where no item has two raters and none is known, so that nothing can be
        learned of any rater.
    weights
        How much each rater's word counts, by member.
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
                r.observation: r for r in rating_items.rateable(connection, doors.permit_of(unit), subject)
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
    said = [(place, row, row.distribution) for place, row in votes if row.distribution is not None]
    items = tuple(dict.fromkeys(place for place, _, _ in said))
    members = tuple(sorted({_name(row, named) for _, row, _ in said}))
    chance = 1 / len(EMOTIONS)
    if not said:
        return Meant((), (), None, {})
    place_of, member_of = {p: i for i, p in enumerate(items)}, {m: i for i, m in enumerate(members)}
    arrays = Votes(
        np.array([place_of[place] for place, _, _ in said]),
        np.array([member_of[_name(row, named)] for _, row, _ in said]),
        np.array([words.probabilities for _, _, words in said]),
        len(items),
        len(members),
    )
    answers = np.full((len(items), len(EMOTIONS)), np.nan)
    for place, answer in known.items():
        if place in place_of:
            answers[place_of[place]] = answer.probabilities
    if not arrays.overlapping and np.isnan(answers).all():
        return Meant(items, members, None, dict.fromkeys(members, chance))
    skills = dawid_skene(arrays, known=answers)
    weights = dict(zip(members, map(float, reliability(skills)), strict=True))
    if UNCOUNTED in weights:
        weights[UNCOUNTED] = chance
    return Meant(items, members, skills, weights)


def answers_of(found: Gathered) -> dict[Place, Distribution]:
    """Every answer that is known: set beforehand, or decided."""
    decided = {
        place: d.distribution
        for place, d in found.decided.items()
        if d.verdict is Verdict.EMOTION and d.distribution is not None
    }
    return found.known | decided


def _name(row: VoteRow, named: frozenset[str]) -> str:
    return row.member if row.member in named else UNCOUNTED
