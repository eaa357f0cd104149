"""What tests of rating share: people who show their pictures, raters who agreed, and answers."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select

from tests.builders import ALL, NOW, leaning, member, observed, person, store
from tracker.access import Access
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.consent import Scope, Use
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.rating import Ballot, Verdict
from tracker.domain.series import Estimate
from tracker.store import crops, tables
from tracker.workflows import rating

PICTURE = b"\x89PNG a face"


def shown(
    access: Access,
    name: str = "ada",
    faces: int = 12,
    *,
    scopes: Iterable[Scope] = ALL,
    now: datetime = NOW,
    every: timedelta = timedelta(minutes=4),
    sure: float | None = None,
) -> Person:
    """Somebody with faces of the last hours, whose pictures are kept; how sure the network is rises with time."""
    who = person(access, name, scopes, now=now)
    start = now - every * faces
    batch = []
    for i in range(faces):
        base = observed(start + every * i, Emotion.SADNESS)
        p = sure if sure is not None else 0.2 + 0.75 * i / max(faces - 1, 1)
        estimate = Estimate(base.estimates[0].network, leaning(Emotion.SADNESS, p))
        batch.append(type(base)(base.observation, (estimate,)))
    store(access, who, batch, now)
    keep_pictures(access, who, now)
    return who


def keep_pictures(access: Access, who: Person, now: datetime = NOW) -> None:
    """Keep a picture of each observation of somebody."""
    o = tables.observations.c
    with access.write(who.id, now) as unit:
        rows = unit.connection.execute(select(o.id, o.at).where(o.subject == who.subject)).all()
        new = []
        for number, at in rows:
            crop = secrets.token_hex(16)
            sealed = access.vault.seal(who.id, Scope.FACE_CROPS, PICTURE, crops.place(crop))
            new.append(crops.NewCrop(crop, number, at, sealed))
        crops.append(unit.connection, unit.permit(Use.KEEP_CROPS), who.subject, new, now)


def rater(access: Access, name: str = "kim", *roles: Role, now: datetime = NOW) -> Member:
    """A rater who agreed to everything."""
    made = member(access, name, *(roles or (Role.RATER,)), now=now)
    if not roles or Role.RATER in roles:
        rating.agree(access, made, rating.notice(access).sha256, now)
    return made


def said(
    emotion: Emotion | None = Emotion.ANGER,
    *,
    key: str | None = None,
    verdict: Verdict | None = None,
    now: datetime = NOW,
    ms: int | None = 900,
) -> Ballot:
    """An answer: an emotion, or another verdict."""
    chosen = verdict or (Verdict.EMOTION if emotion is not None else Verdict.CANNOT_TELL)
    words = Distribution.said(emotion) if emotion is not None and chosen is Verdict.EMOTION else None
    return Ballot(chosen, key or secrets.token_urlsafe(12), now, ms, words, visible_ms=80)


def given(access: Access, who: Member, n: int = 1, *, seed: int = 0, now: datetime = NOW) -> list[str]:
    """The ids of the next items of a rater."""
    return [item.id for item in rating.next_items(access, who, now, n, chance=random.Random(seed))]


def observation_of(access: Access, item: str) -> int:
    """Which moment an item is, which only a test may ask."""
    with access.database.read() as connection:
        t = tables.rating_tasks.c
        found: int = connection.execute(select(t.observation).where(t.id == item)).scalar_one()
        return found
