"""Builders of what many tests need: an installation, people with grants, observations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import make_url

from tests import templates
from tests.templates import LONG_AGO, MASTER
from tracker import shipped
from tracker.access import Access
from tracker.access.migrating import MigrationKeys
from tracker.domain.affect import EMOTIONS, Distribution, Emotion
from tracker.domain.consent import Recorder, Scope, Use
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.series import Estimate, Observation, Observed, Reason, TimeSource
from tracker.privacy.keys import Vault
from tracker.store import schema
from tracker.store.database import Database
from tracker.store.keystore import KeyStore
from tracker.store.series import Stored, store_observed
from tracker.workflows import consenting, enrolment, members, studies

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
ALL = tuple(Scope)
NETWORK = "default@0123456789ab"


def installation(url: str, folder: Path) -> Access:
    """A migrated database with a key store of its own."""
    path = make_url(url).database if url.startswith("sqlite") else None
    of_keys = folder / "test.keys.db"
    copied = path is not None and not Path(path).exists() and templates.place(Path(path), of_keys)
    database = Database(url, create=True)
    keys = KeyStore(of_keys, create=True)
    access = Access(database, Vault(MASTER, keys), keys)
    if schema.current(database) is None:
        schema.migrate(database, shipped.migrations(), sealing=MigrationKeys(access.vault))
    consenting.publish(access, LONG_AGO)
    if copied:
        templates.remember(access)
    return access


def person(
    access: Access,
    name: str = "ada",
    scopes: Iterable[Scope] = ALL,
    *,
    now: datetime = NOW,
    zone: str = "Europe/Berlin",
    covers_from: datetime | None = None,
    simulated: bool = False,
) -> Person:
    """A participant who granted scopes in person, covering the 60 days before `now` unless stated."""
    chosen = list(scopes)
    what = ("person", name, tuple(chosen), now, zone, covers_from, simulated)
    return templates.first(
        access, what, lambda: _person(access, name, chosen, now, zone, covers_from, simulated)
    )


def _person(
    access: Access,
    name: str,
    chosen: list[Scope],
    now: datetime,
    zone: str,
    covers_from: datetime | None,
    simulated: bool,
) -> Person:
    enrolled = enrolment.enrol(access, name, zone, now, simulated=simulated)
    if chosen:
        start = covers_from or now - timedelta(days=60)
        consenting.grant(
            access, enrolled.person, chosen, now, recorder=Recorder.PARTICIPANT, covers_from=start
        )
    return enrolled.person


def member(
    access: Access, name: str = "kim", *roles: Role, study: str | None = None, now: datetime = NOW
) -> Member:
    """A member of the staff, a rater unless roles are given, in the study in force unless another is named."""
    where = study if study is not None else studies.in_force(access).id
    return members.add(access, name, roles or (Role.RATER,), where, now)


def leaning(emotion: Emotion, p: float = 0.65) -> Distribution:
    """A distribution with `p` on one emotion and the rest spread evenly."""
    rest = (1 - p) / (len(EMOTIONS) - 1)
    return Distribution.from_sequence([p if e is emotion else rest for e in EMOTIONS])


def observed(
    at: datetime,
    emotion: Emotion | None = Emotion.SADNESS,
    *,
    source: str = "a" * 64,
    pts_us: int | None = None,
    reason: Reason | None = None,
    network: str = NETWORK,
) -> Observed:
    """One observation of the machine; without an emotion it has a reason instead."""
    if emotion is None:
        reason = reason or Reason.NO_FACE
    observation = Observation(
        source=source,
        pts_us=pts_us if pts_us is not None else int(at.timestamp() * 1_000_000),
        at=at,
        time_source=TimeSource.STATED,
        reason=reason,
        faces=0 if reason is Reason.NO_FACE else 1,
        box=None if emotion is None else (10.0, 20.0, 60.0, 80.0),
        detector=None if emotion is None else "yunet",
        score=None if emotion is None else 0.9,
        sharpness=None if emotion is None else 0.5,
        aligned=None if emotion is None else True,
    )
    estimates = () if emotion is None else (Estimate(network, leaning(emotion)),)
    return Observed(observation, estimates)


def store(access: Access, who: Person, batch: Sequence[Observed], now: datetime = NOW) -> Stored:
    """Store a batch as `track` does, through the gate."""
    with access.write(who.id, now) as unit:
        return store_observed(
            unit.connection,
            unit.capture_permit(),
            who.subject,
            unit.person.zone,
            batch,
            now,
            learn=unit.allowed(Use.LEARN),
        )
