"""A grant is bound to the exact text that was shown; another text asks again; a receipt says so offline."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.builders import NOW, observed, person, store
from tests.invariants import held
from tests.invariants.conftest import Tell
from tests.invariants.ruling import ruled
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, Recorder, Scope, Use
from tracker.domain.people import Person
from tracker.privacy import signed
from tracker.privacy.signed import ForgedError
from tracker.privacy.verifying import verify
from tracker.store import tables
from tracker.study.parts import Retention
from tracker.workflows import consenting, receipts

DAY = timedelta(days=1)


def test_every_event_names_a_text_that_is_kept_word_for_word(access: Access) -> None:
    who = person(access)
    with access.read(who.id, NOW) as unit:
        notices = {e.notice for e in unit.events}
    with access.database.read() as connection:
        kept = connection.execute(select(tables.notices)).mappings().all()
    assert {n.sha256 for n in notices} <= {row["sha256"] for row in kept}
    for row in kept:
        canonical = (
            json.dumps(row["document"], sort_keys=True, separators=separators, ensure_ascii=ascii)
            for separators in ((",", ":"), None)
            for ascii in (False, True)
        )
        assert row["sha256"] in {hashlib.sha256(text.encode()).hexdigest() for text in canonical}


def test_another_text_asks_again_and_nothing_is_carried_over(access: Access) -> None:
    who = person(access)
    assert store(access, who, [observed(NOW)]).observations == 1
    # What a card says of how long things are kept is another text.
    ruled(access, NOW + DAY, retention=Retention(affect_series=400))
    now = NOW + 2 * DAY
    before = held.counts(access)
    with pytest.raises(ConsentMissingError):
        store(access, who, [observed(now)], now)
    with access.read(who.id, now) as unit:
        assert [use for use in Use if unit.allowed(use)] == []
    assert held.counts(access) == before
    consenting.grant(access, who, [Scope.AFFECT_SERIES], now, recorder=Recorder.PARTICIPANT)
    assert store(access, who, [observed(now)], now).observations == 1
    with access.read(who.id, now) as unit:
        assert set(unit.grants()) == {Scope.AFFECT_SERIES}
        newest = unit.grants()[Scope.AFFECT_SERIES].notice
        assert newest.sha256 != unit.events[0].notice.sha256
    with access.database.read() as connection:
        kept = set(connection.execute(select(tables.notices.c.sha256)).scalars())
    assert {newest.sha256, unit.events[0].notice.sha256} <= kept


def receipt_of(access: Access, who: Person) -> str:
    return signed.written(receipts.receipt(access, who, NOW))


def test_a_receipt_verifies_offline_and_every_change_is_found(access: Access, figure: Tell) -> None:
    who = person(access, "ada")
    other = person(access, "canary-other")
    text = receipt_of(access, who)
    with access.read(who.id, NOW) as unit:
        texts = {e.notice.sha256 for e in unit.events}
    key = signed.fingerprint(access.vault.public_key())
    assert verify(text, key)
    assert all(sha256 in text for sha256 in texts)
    for secret in (other.id, other.subject, other.name, who.subject):
        assert secret not in text
    found = 0

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(st.integers(0, len(text) - 1), st.integers(1, 90))
    def holds(place: int, turn: int) -> None:
        nonlocal found
        letter = text[place]
        other = chr((ord(letter) - 32 + turn) % 95 + 32) if 32 <= ord(letter) < 127 else "x"
        broken = text[:place] + other + text[place + 1 :]
        if other == letter or _same(broken, text):
            return
        with pytest.raises((ForgedError, ValueError)):
            verify(broken, key)
        found += 1

    holds()
    figure(f"{found} changed letters of a receipt of {len(text):,}, all found offline")


def test_another_installations_receipt_is_none_of_this_one(access: Access) -> None:
    who = person(access)
    document = signed.read(receipt_of(access, who))
    key = signed.fingerprint(access.vault.public_key())
    with pytest.raises((ForgedError, ValueError)):
        verify(signed.written(document), "0" * len(key))


def _same(one: str, other: str) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False
