"""The evidence of consent and of erasure outlives the person, and cannot be joined back to them."""

from __future__ import annotations

import hashlib
import itertools
from datetime import timedelta

from sqlalchemy import select

from tests.builders import NOW
from tests.invariants import held
from tests.invariants.conftest import Tell
from tests.lives import lived
from tracker.access import Access
from tracker.store import tables, tombstones
from tracker.workflows import erasure

LATER = NOW + timedelta(minutes=1)


def test_the_log_stays_and_says_nothing(access: Access, figure: Tell) -> None:
    lived(access, "somebody else")
    who = lived(access)
    before = held.rows(access)
    mine = [row for row in before["consent_events"] if who.id in row]
    salts = {
        bytes(cell)
        for row in before["consent_events"]
        for cell in row
        if isinstance(cell, bytes) and len(cell) == 16
    }
    erasure.erase_person(access, who, LATER)
    after = held.rows(access)
    assert after["consent_log"] == before["consent_log"]
    assert after["access_log"] == before["access_log"]
    assert access.audit() is None
    with access.database.read() as connection:
        (tombstone,) = tombstones.every(connection)
    assert access.vault.verify(tombstone.evidence(), tombstone.signature)
    assert len(tombstone.log) == len(mine)
    # Nothing in what stays names them, and no salt of theirs is left with which a guess could be checked.
    kept = repr([after[name] for name in ("consent_log", "access_log", "tombstones", "exports")])
    for secret in (who.id, who.subject, who.name):
        assert secret not in kept
    gone = [salt for salt in salts if not any(salt in row for row in after["consent_events"])]
    files = held.database_bytes(access) | held.key_store_bytes(access)
    assert len(gone) >= len(mine)
    assert [n for n, some in files.items() for salt in gone if salt in some] == []
    figure(f"{len(after['consent_log'])} log rows stay and verify, {len(gone)} salts gone from every file")


def test_every_event_has_a_salt_of_its_own(access: Access) -> None:
    for name in ("a", "b"):
        lived(access, name)
    with access.database.read() as connection:
        salts = [
            bytes(salt)
            for table in (tables.consent_events, tables.access_events)
            for salt in connection.execute(select(table.c.salt)).scalars()
        ]
    assert len(set(salts)) == len(salts) >= 26
    assert all(len(salt) >= 16 for salt in salts)
    # Not counted up or derived from one another: half of the bits differ.
    for one, other in itertools.pairwise(salts):
        assert bin(int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).count("1") > 16


def test_somebody_who_said_the_same_has_another_commitment(access: Access) -> None:
    """Two equal histories cannot be matched: whoever knows one learns nothing about the other."""
    for name in ("a", "b"):
        lived(access, name)
    with access.database.read() as connection:
        found = connection.execute(select(tables.consent_log.c.commitment)).scalars().all()
    assert len(set(found)) == len(found)
    assert hashlib.sha256(b"").hexdigest() not in found
