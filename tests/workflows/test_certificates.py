"""The two stages of an erasure as they are shown, and the certificate of it."""

import json
from datetime import timedelta

import pytest

from tests.builders import NOW
from tests.lives import NOTE, PLACE, SOURCE, lived
from tests.personal.saying import talkative
from tracker import personal
from tracker.access import Access
from tracker.domain.consent import Scope
from tracker.domain.people import Person
from tracker.privacy import signed
from tracker.privacy.signed import ForgedError
from tracker.workflows import erasure

LATER = NOW + timedelta(minutes=1)


def erased(access: Access, who: Person, scope: Scope | None) -> erasure.Erased:
    if scope is None:
        return erasure.erase_person(access, who, LATER)
    return erasure.erase_scope(access, who, scope, LATER)


@pytest.mark.parametrize("scope", [None, Scope.CONTEXT])
def test_a_certificate_says_what_was_done_and_names_nobody(access: Access, scope: Scope | None) -> None:
    who = lived(access)
    document = erasure.certify(access, erased(access, who, scope), LATER)
    text = erasure.certificate.written(document)
    for secret in (who.id, who.subject, who.name, PLACE, NOTE, SOURCE):
        assert secret not in text
    found = signed.read(text)
    assert signed.require_signature(found) == signed.fingerprint(access.vault.public_key())
    assert found["scope"] == (scope.value if scope is not None else None)
    assert found["data_gone"] is True
    assert found["data_gone_at"] == LATER.isoformat()
    assert sum(found["rows"].values()) > 0
    assert any("handed out" in told for told in found["out_of_reach"])
    assert any("key store" in told for told in found["looked_at"])
    if not access.database.is_sqlite:
        assert any("archives, replicas" in told for told in found["out_of_reach"])
        assert "database: every table and index of PostgreSQL" in found["looked_at"]


def test_a_certificate_that_was_altered_does_not_pass(access: Access) -> None:
    who = lived(access)
    text = erasure.certificate.written(
        erasure.certify(access, erasure.erase_person(access, who, LATER), LATER)
    )
    forged = json.loads(text)
    forged["rows"]["observations"] = 32
    with pytest.raises(ForgedError):
        signed.require_signature(signed.read(json.dumps(forged)))


def test_the_second_stage_is_told_apart_from_the_first(access: Access) -> None:
    who = lived(access)  # a prior holds them, and no other learner
    done = erasure.erase_person(access, who, LATER)
    assert done.gone_at == LATER
    assert done.clean_at is None
    assert done.priors > 0
    assert "not yet clean" in " ".join(done.sentences())
    later = LATER + timedelta(minutes=5)
    clean = erasure.clean_learners(access, done, later)
    assert (clean.gone_at, clean.clean_at, clean.learners_left) == (LATER, later, 0)
    assert erasure.stages(access, done.tombstone) == clean
    assert erasure.clean_learners(access, clean, later + timedelta(minutes=5)) == clean
    with pytest.raises(LookupError):
        erasure.stages(access, "0" * 32)


def test_without_a_prior_both_stages_end_together(access: Access) -> None:
    who = lived(access)
    done = erasure.erase_scope(access, who, Scope.FACE_CROPS, LATER)
    assert done.clean_at == done.gone_at == LATER


def test_it_says_how_many_learners_are_left(access: Access) -> None:
    people = [talkative(access, f"person-{i}", ("leave_me_alone",), days=1, seed=i) for i in range(6)]
    personal.refit(access, NOW)
    for who in people:
        with access.write(who.id, NOW) as unit:
            personal.renew_all(unit)
    done = erasure.erase_person(access, people[0], LATER)
    assert done.learners_left == 5
    assert "5 learners of other people" in " ".join(done.sentences())
    clean = erasure.clean_learners(access, done, LATER)
    assert clean.learners_left == 0
    assert clean.learners_clean
