from datetime import datetime, timedelta

import pytest

from tests.builders import NOW, observed, person, store
from tests.lives import exported, lived
from tracker.access import Access
from tracker.domain.consent import (
    NEEDS_CONFIRMATION,
    ConsentMissingError,
    NotCoveredError,
    Recorder,
    Scope,
    State,
    Use,
)
from tracker.domain.instants import InstantError
from tracker.domain.people import EnrolmentError, Person
from tracker.store import exports, requests
from tracker.workflows import consenting, enrolment, erasure
from tracker.workflows.consenting import Answer

SELF, OPERATOR = Recorder.PARTICIPANT, Recorder.OPERATOR
DAY = timedelta(days=1)


def asked(access: Access, who: Person) -> dict[Scope, str]:
    with access.read(who.id, NOW) as unit:
        return {r.scope: r.answer for r in requests.of(unit.connection, who.id)}


def test_an_operators_record_needs_evidence(access: Access) -> None:
    who = person(access, scopes=[])
    for evidence in ("", "  "):
        with pytest.raises(consenting.EvidenceError, match="--evidence"):
            consenting.grant(access, who, [Scope.NOTES], NOW, recorder=OPERATOR, evidence=evidence)
    consenting.grant(access, who, [Scope.NOTES], NOW, recorder=OPERATOR, evidence="form 12")
    with access.read(who.id, NOW) as unit:
        assert [e.evidence for e in unit.events] == ["form 12"]


def test_an_operators_record_shows_nothing_to_others_until_it_is_confirmed(access: Access) -> None:
    who = person(access, scopes=[])
    consenting.grant(
        access, who, list(Scope), NOW, recorder=OPERATOR, evidence="form 12", covers_from=NOW - DAY
    )
    with access.read(who.id, NOW) as unit:
        for use in Use:
            assert (unit.allowed(use) is None) is (use in NEEDS_CONFIRMATION)
        with pytest.raises(ConsentMissingError, match="consent confirm ada --code"):
            unit.permit(Use.EXPORT)
    assert len(consenting.confirm(access, who, NOW)) == len(Scope)
    with access.read(who.id, NOW) as unit:
        for use in Use:
            assert unit.permit(use).covers_from == NOW - DAY
        assert {s.confirmed for s in consenting.show(unit)} == {True}
    assert consenting.confirm(access, who, NOW) == []


def test_a_grant_covers_from_when_it_says(access: Access) -> None:
    who = person(access, scopes=[])
    consenting.grant(access, who, [Scope.AFFECT_SERIES], NOW, recorder=SELF)
    with pytest.raises(NotCoveredError):
        store(access, who, [observed(NOW - timedelta(microseconds=1))])
    consenting.grant(access, who, [Scope.AFFECT_SERIES], NOW, recorder=SELF, covers_from=NOW - DAY)
    assert store(access, who, [observed(NOW - DAY)]).observations == 1


def test_a_grant_cannot_cover_from_the_future_or_from_no_instant(access: Access) -> None:
    who = person(access, scopes=[])
    for start, told in ((NOW + DAY, "future"), (NOW.replace(tzinfo=None), "naive")):
        with pytest.raises(InstantError, match=told):
            consenting.grant(access, who, [Scope.NOTES], NOW, recorder=SELF, covers_from=start)
    with access.read(who.id, NOW) as unit:
        assert unit.events == ()


def test_the_last_word_counts_even_in_one_instant(access: Access) -> None:
    who = person(access, scopes=[])
    for _ in range(3):
        consenting.grant(access, who, [Scope.NOTES], NOW, recorder=SELF)
        with access.read(who.id, NOW) as unit:
            assert Scope.NOTES in unit.grants()
        consenting.withdraw(access, who, [Scope.NOTES], NOW, recorder=SELF)
        with access.read(who.id, NOW) as unit:
            assert Scope.NOTES not in unit.grants()
    assert access.audit() is None


@pytest.mark.parametrize(
    ("answer", "due"), [(Answer.UNANSWERED, 7 * DAY), (Answer.ERASE_SCOPE, 0 * DAY), (Answer.KEEP, None)]
)
def test_a_withdrawal_keeps_what_the_participant_wants_done(
    access: Access, answer: Answer, due: timedelta | None
) -> None:
    who = person(access)
    consenting.withdraw(access, who, [Scope.NOTES], NOW, recorder=SELF, answer=answer)
    with access.read(who.id, NOW) as unit:
        (request,) = requests.of(unit.connection, who.id)
    assert (request.scope, request.answer) == (Scope.NOTES, answer.value)
    assert request.due_at == (None if due is None else NOW + due)


def test_an_answer_after_the_withdrawal_counts(access: Access) -> None:
    who = person(access)
    consenting.withdraw(access, who, [Scope.NOTES, Scope.CONTEXT], NOW, recorder=SELF)
    assert consenting.answer_withdrawal(access, who, Answer.KEEP, NOW + DAY) == 2
    assert consenting.answer_withdrawal(access, who, Answer.ERASE_ALL, NOW + DAY) == 0
    with access.database.read() as connection:
        assert requests.due(connection, NOW + 30 * DAY) == []


def test_a_new_grant_makes_an_unanswered_request_void_but_not_a_wish_to_erase(access: Access) -> None:
    who = person(access)
    consenting.withdraw(access, who, [Scope.NOTES], NOW, recorder=SELF)
    consenting.withdraw(access, who, [Scope.CONTEXT], NOW, recorder=SELF, answer=Answer.ERASE_SCOPE)
    consenting.grant(access, who, [Scope.NOTES, Scope.CONTEXT], NOW, recorder=SELF)
    assert asked(access, who) == {Scope.CONTEXT: "erase_scope"}


def test_an_operators_slip_of_the_hand_erases_nothing_once_it_is_undone(access: Access) -> None:
    who = person(access)
    store(access, who, [observed(NOW)], NOW)
    consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW, recorder=OPERATOR)
    assert asked(access, who) == {Scope.AFFECT_SERIES: "unanswered"}
    consenting.grant(access, who, [Scope.AFFECT_SERIES], NOW + DAY, recorder=OPERATOR, evidence="a slip")
    assert asked(access, who) == {}
    store(access, who, [observed(NOW + DAY)], NOW + DAY)
    assert erasure.carry_out(access, NOW + 8 * DAY) == []


@pytest.mark.parametrize("between", ["nothing", "withdraw", "keep", "refuse", "grant and withdraw"])
def test_no_operator_cancels_or_puts_off_a_participants_own_withdrawal(access: Access, between: str) -> None:
    who = person(access)
    notes = [Scope.NOTES]
    consenting.withdraw(access, who, notes, NOW, recorder=SELF)
    if between == "refuse":
        consenting.refuse(access, who, notes, NOW + DAY, recorder=OPERATOR)
    if between == "grant and withdraw":
        consenting.grant(access, who, notes, NOW + DAY, recorder=OPERATOR, evidence="form 12")
    if between not in ("nothing", "refuse"):
        answer = Answer.KEEP if between == "keep" else Answer.UNANSWERED
        consenting.withdraw(access, who, notes, NOW + DAY, recorder=OPERATOR, answer=answer)
    consenting.grant(access, who, notes, NOW + 2 * DAY, recorder=OPERATOR, evidence="form 12")
    assert asked(access, who) == {Scope.NOTES: "unanswered"}
    with access.read(who.id, NOW + 2 * DAY) as unit:
        assert consenting.erasures_due(unit) == {Scope.NOTES: NOW + 7 * DAY}
    consenting.grant(access, who, notes, NOW + 3 * DAY, recorder=SELF)
    assert asked(access, who) == {}


def test_what_a_participant_keeps_is_not_erased_on_an_operators_bare_word(access: Access) -> None:
    who = person(access)
    consenting.withdraw(access, who, [Scope.NOTES], NOW, recorder=SELF, answer=Answer.KEEP)
    consenting.withdraw(access, who, [Scope.CONTEXT], NOW, recorder=OPERATOR)
    consenting.answer_withdrawal(access, who, Answer.KEEP, NOW + DAY)
    for scope in (Scope.NOTES, Scope.CONTEXT):
        consenting.withdraw(access, who, [scope], NOW + 2 * DAY, recorder=OPERATOR)
    assert set(asked(access, who).values()) == {"keep"}
    erase = Answer.ERASE_SCOPE
    consenting.withdraw(
        access, who, [Scope.NOTES], NOW + 3 * DAY, recorder=OPERATOR, answer=erase, evidence="letter"
    )
    assert asked(access, who)[Scope.NOTES] == "erase_scope"


def test_refusing_what_was_withdrawn_does_not_keep_the_data(access: Access) -> None:
    who = person(access)
    consenting.withdraw(access, who, [Scope.NOTES], NOW, recorder=SELF)
    consenting.refuse(access, who, [Scope.NOTES], NOW + DAY, recorder=SELF)
    with access.database.read() as connection:
        assert [r.due_at for r in requests.due(connection, NOW + 7 * DAY)] == [NOW + 7 * DAY]


def test_refusing_what_was_granted_is_a_withdrawal(access: Access) -> None:
    who = lived(access)
    consenting.refuse(access, who, [Scope.CONTEXT], NOW + DAY, recorder=SELF)
    with access.read(who.id, NOW + DAY) as unit:
        assert unit.allowed(Use.KEEP_CONTEXT) is None
    assert asked(access, who)[Scope.CONTEXT] == "unanswered"


def test_refusing_what_was_never_granted_asks_nothing(access: Access) -> None:
    who = person(access, scopes=[])
    (event,) = consenting.refuse(access, who, [Scope.NOTES], NOW, recorder=SELF)
    assert event.state is State.REFUSED
    assert asked(access, who) == {}


def test_a_withdrawal_outdates_exports(access: Access) -> None:
    who = person(access)
    export = exported(access, who)
    consenting.withdraw(access, who, [Scope.CONTEXT], NOW + DAY, recorder=SELF)
    assert outdated_at(access, export) == NOW + DAY


def outdated_at(access: Access, export: str) -> datetime | None:
    with access.database.read() as connection:
        row = exports.get(connection, export)
    assert row is not None
    return row.outdated_at


def test_what_no_export_rests_on_outdates_none(access: Access) -> None:
    who = person(access, scopes=set(Scope) - {Scope.PROMPTS})
    export = exported(access, who)
    consenting.withdraw(access, who, [Scope.NOTES, Scope.POOLED_LEARNING], NOW, recorder=SELF)
    for end in (consenting.refuse, consenting.withdraw):
        end(access, who, [Scope.PROMPTS], NOW, recorder=SELF)  # was not in force
    assert outdated_at(access, export) is None
    consenting.refuse(access, who, [Scope.NOTES, Scope.AFFECT_SERIES], NOW, recorder=SELF)
    assert outdated_at(access, export) == NOW


def since(access: Access, who: Person, scope: Scope) -> datetime:
    with access.read(who.id, NOW + 9 * DAY) as unit:
        return unit.grants()[scope].covers_from


def test_a_repeated_grant_does_not_narrow_what_is_covered(access: Access) -> None:
    who = person(access, scopes=[Scope.NOTES], covers_from=NOW - DAY)
    for recorder in (SELF, OPERATOR):
        consenting.grant(
            access, who, [Scope.NOTES, Scope.CONTEXT], NOW + DAY, recorder=recorder, evidence="form"
        )
        assert since(access, who, Scope.NOTES) == NOW - DAY
        assert since(access, who, Scope.CONTEXT) == NOW + DAY
    consenting.grant(access, who, [Scope.NOTES], NOW + DAY, recorder=SELF, covers_from=NOW)
    assert since(access, who, Scope.NOTES) == NOW
    consenting.withdraw(access, who, [Scope.NOTES], NOW + DAY, recorder=SELF)
    consenting.grant(access, who, [Scope.NOTES], NOW + 2 * DAY, recorder=SELF)
    assert since(access, who, Scope.NOTES) == NOW + 2 * DAY


@pytest.mark.parametrize("answer", [Answer.UNANSWERED, Answer.ERASE_SCOPE])
def test_an_operators_grant_cancels_no_erasure_that_waits(access: Access, answer: Answer) -> None:
    who = person(access)
    consenting.withdraw(access, who, [Scope.NOTES], NOW, recorder=SELF, answer=answer)
    consenting.withdraw(access, who, [Scope.CONTEXT], NOW, recorder=SELF, answer=Answer.KEEP)
    consenting.grant(access, who, [Scope.NOTES, Scope.CONTEXT], NOW, recorder=OPERATOR, evidence="form 12")
    assert asked(access, who) == {Scope.NOTES: answer.value}
    consenting.confirm(access, who, NOW)  # that is the participant's own grant
    assert asked(access, who) == ({} if answer is Answer.UNANSWERED else {Scope.NOTES: answer.value})


@pytest.mark.parametrize("answer", list(Answer))
def test_an_operator_needs_evidence_only_to_destroy(access: Access, answer: Answer) -> None:
    who = person(access)
    consenting.refuse(access, who, [Scope.CONTEXT], NOW, recorder=OPERATOR)
    if answer in (Answer.KEEP, Answer.UNANSWERED):
        consenting.withdraw(access, who, [Scope.NOTES], NOW, recorder=OPERATOR, answer=answer)
        assert asked(access, who)[Scope.NOTES] == answer.value
        return
    with pytest.raises(consenting.EvidenceError, match="--evidence"):
        consenting.withdraw(access, who, [Scope.NOTES], NOW, recorder=OPERATOR, answer=answer, evidence=" ")
    with access.read(who.id, NOW) as unit:
        assert Scope.NOTES in unit.grants()
    consenting.withdraw(access, who, [Scope.NOTES], NOW, recorder=OPERATOR, answer=answer, evidence="form")
    consenting.withdraw(access, who, [Scope.PROMPTS], NOW, recorder=SELF, answer=answer)
    assert asked(access, who)[Scope.NOTES] == asked(access, who)[Scope.PROMPTS] == answer.value


def test_a_code_is_used_up_only_with_the_confirmation(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = enrolment.enrol(access, "ada", "UTC", NOW)
    consenting.grant(access, made.person, [Scope.NOTES], NOW, recorder=OPERATOR, evidence="form")

    def confirmed(code: str) -> int:
        proof = lambda unit: enrolment.use_code(unit, code)  # noqa: E731
        return len(consenting.confirm(access, made.person, NOW, proof=proof))

    with pytest.raises(EnrolmentError, match="that code"):
        confirmed("ABCD-EFGH-JKLM")
    with monkeypatch.context() as broken:
        broken.setattr(access, "record", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            confirmed(made.code)
    assert confirmed(made.code) == 1
    with pytest.raises(EnrolmentError, match="that code"):
        confirmed(made.code)


def test_one_persons_withdrawal_is_nobody_elses(access: Access) -> None:
    ada, bob = person(access, "ada"), person(access, "bob")
    consenting.withdraw(access, ada, list(Scope), NOW, recorder=SELF)
    with access.read(bob.id, NOW) as unit:
        assert set(unit.grants()) == set(Scope)
    with access.read(ada.id, NOW) as unit:
        assert unit.grants() == {}


def test_several_scopes_are_recorded_whole_or_not_at_all(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = person(access, scopes=[])
    monkeypatch.setattr(consenting, "consent_changed", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        consenting.grant(access, who, [Scope.NOTES, Scope.CONTEXT], NOW, recorder=SELF)
    with access.read(who.id, NOW) as unit:
        assert unit.events == ()
    assert access.audit() is None


def test_where_every_scope_stands_is_shown(access: Access) -> None:
    who = person(access, scopes=[Scope.NOTES])
    consenting.grant(access, who, [Scope.CONTEXT], NOW, recorder=OPERATOR, evidence="form")
    consenting.withdraw(access, who, [Scope.NOTES], NOW, recorder=SELF)
    with access.read(who.id, NOW) as unit:
        shown = {s.scope: (s.in_force, s.confirmed, s.event and s.event.state) for s in consenting.show(unit)}
    assert set(shown) == set(Scope)
    assert shown[Scope.NOTES] == (False, False, State.WITHDRAWN)
    assert shown[Scope.CONTEXT] == (True, False, State.GIVEN)
    assert shown[Scope.PROMPTS] == (False, False, None)
