"""How much there is to rate: counted over everybody who shows their pictures to raters now."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from tracker.access import Access
from tracker.domain.consent import ConsentMissingError
from tracker.domain.people import UnknownParticipantError
from tracker.learning.queueing import Overlap, entropies, top_decile, wanted
from tracker.store import rating_decisions, rating_items
from tracker.store.rating_items import Standing
from tracker.study import StudyClosedError
from tracker.workflows.rating import doors
from tracker.workflows.rating.queue import CROP

_NOTHING = Standing()


@dataclass(frozen=True, slots=True)
class Waiting:
    """What there is to rate.

    Attributes
    ----------
    people, items
        How many people show how many pictures.
    rated
        How many of these somebody has said something about.
    waiting
        How many words are wanted still, by the study's overlap.
    held
        How many items are kept for somebody at this instant.
    gold, decided
        How many have a known answer, or were decided.
    """

    people: int = 0
    items: int = 0
    rated: int = 0
    waiting: int = 0
    held: int = 0
    gold: int = 0
    decided: int = 0


def waiting(access: Access, now: datetime) -> Waiting:
    """Count what there is to rate now."""
    people = items = rated = left = held = gold = decided = 0
    for person in access.everyone():
        with (
            suppress(ConsentMissingError, UnknownParticipantError, StudyClosedError),
            access.read(person.id, now) as unit,
        ):
            connection, subject = unit.connection, person.subject
            shown = rating_items.rateable(connection, doors.permit_of(unit), subject)
            standings = rating_items.standings(connection, subject, CROP, now)
            known = {
                *rating_decisions.gold_of(connection, subject),
                *(settled := rating_decisions.adjudicated(connection, subject)),
            }
            unsure = entropies([item.probabilities for item in shown])
            decile = top_decile(unsure)
            people, items = people + bool(shown), items + len(shown)
            for item, entropy in zip(shown, unsure, strict=True):
                stands = standings.get(item.observation, _NOTHING)
                rated += bool(stands.said)
                held += bool(stands.held)
                gold += item.observation in known and item.observation not in settled
                decided += item.observation in settled
                if item.observation not in known:
                    said, overlap = list(stands.said.values()), Overlap(unit.study.rating.second_share)
                    most = wanted(subject, item.observation, entropy, decile, said, overlap)
                    left += max(most - len(said), 0)
    return Waiting(people, items, rated, left, held, gold, decided)
