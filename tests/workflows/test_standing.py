"""Consent at any instant, computed again from what is stored, is what a model that lived through it saw then."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.builders import NOW, installation, person
from tracker.access import Access
from tracker.domain.consent import Recorder, Rules, Scope
from tracker.domain.instants import InstantError
from tracker.privacy import signed
from tracker.privacy.consent import in_force
from tracker.privacy.standing import Why, standing
from tracker.store import copies, notices, studies
from tracker.study import Study, parse
from tracker.workflows import consenting, receipts

HOUR = timedelta(hours=1)
PHASES = (Phase.explicit, Phase.generate)
"""Without shrinking: each example is a life in a real database."""
SCOPES = (Scope.AFFECT_SERIES, Scope.CONTEXT)
TEXT = """
id = "s"
title = "S {version}"
version = "{version}"
help_contact = "Dr. Example, +49 30 1234567"
deployment_context = "research_home"
[controller]
name = "Example University"
contact = "privacy@example.org"
[[purposes]]
text = "To study mood."
[consent]
guardians = {guardians}
{lasts}
"""

Step = tuple[str, Scope, int, int, bool]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["give", "operator", "guardian", "withdraw", "guardian ends", "study", "study"]),
        st.sampled_from(SCOPES),
        st.integers(0, 40),  # hours that pass before it
        st.integers(0, 2),  # which text a new study shows
        st.booleans(),  # whether it demands guardians
    ),
    min_size=2,
    max_size=10,
)


def study(text: int, guardians: bool, lasts: int | None) -> Study:
    """A study of one of a few texts: the same text again is the same notice again."""
    said = f"expires_after_days = {lasts}" if lasts is not None else ""
    return parse(TEXT.format(version=f"v{text}", guardians=str(guardians).lower(), lasts=said))


def apply(access: Access, made: Study, now: datetime) -> None:
    with access.database.write() as connection:
        studies.apply(connection, studies.StudyRow(made.sha256, made.document(), now, "test"))
        notices.stand(connection, made, now)


@dataclass
class Model:
    """What somebody knows who was there all the time."""

    text: int = 0
    guardians: bool = False
    lasts: int | None = None
    own: dict[Scope, tuple[int, datetime | None] | None] = field(default_factory=dict)
    theirs: dict[Scope, tuple[int, datetime | None] | None] = field(default_factory=dict)

    def holds(self, scope: Scope, at: datetime) -> bool:
        words = [self.own.get(scope)] + ([self.theirs.get(scope)] if self.guardians else [])
        return all(w is not None and w[0] == self.text and (w[1] is None or at < w[1]) for w in words)

    def word(self, at: datetime) -> tuple[int, datetime | None]:
        return self.text, at + timedelta(days=self.lasts) if self.lasts is not None else None


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    opened.close()


def test_any_past_instant_is_recomputable(access: Access) -> None:
    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=PHASES,
    )
    @given(STEPS, st.sampled_from([None, 1, 3]))
    def holds(steps: list[Step], lasts: int | None) -> None:
        with access.database.write() as connection, copies.guards_off(connection):
            connection.exec_driver_sql("DELETE FROM notices")
        now = holds.start  # type: ignore[attr-defined]
        model = Model(lasts=lasts)
        apply(access, study(0, False, lasts), now)
        who = person(access, secrets.token_hex(8), [], now=now)
        seen: list[tuple[datetime, dict[Scope, bool]]] = []
        for kind, scope, hours, text, guardians in steps:
            now += hours * HOUR + timedelta(minutes=1)
            _act(access, model, kind, scope, text, guardians, now, who.name)
            for at in (now, now + timedelta(seconds=30)):
                seen.append((at, {s: model.holds(s, at) for s in SCOPES}))
        for at, known in seen:
            again = receipts.consent_at(access, who, at, now + 1000 * HOUR)
            assert {s: again[s].why is Why.IN_FORCE for s in SCOPES} == known, (at, steps)
        with access.read(who.id, now) as unit:
            assert set(unit.grants()) == {s for s in SCOPES if seen[-2][1][s]}
        holds.start = now + HOUR  # type: ignore[attr-defined]

    holds.start = NOW  # type: ignore[attr-defined]
    holds()


def _act(
    access: Access,
    model: Model,
    kind: str,
    scope: Scope,
    text: int,
    guardians: bool,
    now: datetime,
    name: str,
) -> None:
    who = access.person(name)
    match kind:
        case "give":
            consenting.grant(access, who, [scope], now, recorder=Recorder.PARTICIPANT)
            model.own[scope] = model.word(now)
        case "operator":
            consenting.grant(access, who, [scope], now, recorder=Recorder.OPERATOR, evidence="form 1")
            model.own[scope] = model.word(now)
        case "guardian" if model.guardians:
            consenting.grant(access, who, [scope], now, recorder=Recorder.GUARDIAN, evidence="form 2")
            model.theirs[scope] = model.word(now)
        case "guardian ends" if model.guardians:
            consenting.withdraw(access, who, [scope], now, recorder=Recorder.GUARDIAN)
            model.theirs[scope] = None
        case "withdraw":
            consenting.withdraw(access, who, [scope], now, recorder=Recorder.PARTICIPANT)
            model.own[scope] = None
        case "study" if not model.theirs:
            # A guardian's word is the participant's own where none is asked for; the model does not mix the two.
            apply(access, study(text, guardians, model.lasts), now)
            model.text, model.guardians = text, guardians


def test_the_future_is_not_known(access: Access) -> None:
    with pytest.raises(InstantError, match="future"):
        receipts.consent_at(access, person(access), NOW + HOUR, NOW)


def test_of_two_words_in_one_instant_the_later_row_stands_and_it_is_said(access: Access) -> None:
    who = person(access, scopes=[Scope.CONTEXT])
    consenting.withdraw(access, who, [Scope.CONTEXT], NOW, recorder=Recorder.PARTICIPANT)
    stands = receipts.consent_at(access, who, NOW, NOW)[Scope.CONTEXT]
    assert stands.why is Why.ENDED
    assert stands.beaten is not None
    assert stands.own is not None
    assert stands.beaten.seq < stands.own.seq
    consenting.grant(access, who, [Scope.CONTEXT], NOW + HOUR, recorder=Recorder.PARTICIPANT)
    assert receipts.consent_at(access, who, NOW + HOUR, NOW + HOUR)[Scope.CONTEXT].beaten is None


def test_why_agrees_with_what_is_in_force(access: Access) -> None:
    who = person(access)
    with access.read(who.id, NOW) as unit:
        events = unit.events
    for rules in (Rules(), Rules(frozenset()), Rules(None, guardians=True), Rules(None, lasts_days=1)):
        for at in (NOW - HOUR, NOW, NOW + 100 * HOUR):
            told = standing(events, at, rules)
            assert {s for s, t in told.items() if t.why is Why.IN_FORCE} == set(in_force(events, at, rules))


def test_a_receipt_holds_nobody_else_and_no_secret(access: Access) -> None:
    ada = person(access, "ada")
    bob = person(access, "bob-the-other")
    text = signed.written(receipts.receipt(access, ada, NOW))
    for secret in (ada.id, ada.subject, bob.id, bob.subject, bob.name, access.vault.secret("signing").hex()):
        assert secret not in text
    assert '"ada"' in text
