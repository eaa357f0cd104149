"""Withdrawing without logging in: locked or not, with a code or the password; nothing is said about who is enrolled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.webui.site import PASSWORD, Site
from tracker.domain import passwords
from tracker.domain.consent import Scope
from tracker.domain.people import Person, UnknownParticipantError
from tracker.store import requests
from tracker.workflows import accounts
from tracker.workflows.accounts import entering
from webui import limits


def granted(site: Site, who: Person) -> set[Scope]:
    with site.access.read(who.id, site.now) as unit:
        return set(unit.grants())


def waiting(site: Site, who: Person) -> set[str]:
    with site.access.read(who.id, site.now) as unit:
        return {row.answer for row in requests.of(unit.connection, who.id)}


def test_a_locked_account_hinders_no_withdrawal(site: Site) -> None:
    who = site.with_password(scopes=(Scope.AFFECT_SERIES, Scope.CONTEXT))
    for _ in range(accounts.TRIES):
        site.visitor().log_in("ada", "wrong")
        site.wait(timedelta(seconds=30))
    assert site.visitor().log_in("ada", PASSWORD).status_code == 401, "locked"
    code = site.code(who)
    assert site.visitor().log_in("ada", code).status_code == 401, "for the code as well"
    answer = site.visitor().post("/withdraw", {"name": "ada", "secret": code.lower()})
    assert answer.status_code == 200
    assert "Keep my series of estimates" in answer.text
    assert granted(site, who) == set()
    assert waiting(site, who) == {"unanswered"}
    again = site.visitor().post("/withdraw", {"name": "ada", "secret": code})
    assert again.status_code == 401, "the code is used up"


def test_tries_at_logging_in_use_up_none_of_those_at_withdrawing(lite: Site) -> None:
    who = lite.with_password(scopes=(Scope.AFFECT_SERIES,))
    statuses = {lite.visitor().log_in("nobody", "wrong").status_code for _ in range(limits.LOGINS + 1)}
    assert 429 in statuses, "from this address nobody logs in any more"
    wrong = {"name": "ada", "secret": "wrong"}
    assert lite.visitor().post("/withdraw", wrong).status_code == 401
    assert lite.visitor().post("/withdraw", {"name": "ada", "secret": PASSWORD}).status_code == 200
    assert granted(lite, who) == set()
    tries = [lite.visitor().post("/withdraw", wrong).status_code for _ in range(limits.LOGINS)]
    assert tries[-1] == 429, "and guessing there has a limit too"


def test_a_password_is_enough_though_its_code_is_used_up_and_the_account_is_locked(site: Site) -> None:
    who = site.person(scopes=(Scope.AFFECT_SERIES, Scope.CONTEXT))
    code = site.code(who)
    accounts.choose_password(
        site.access, accounts.log_in(site.access, "ada", code, site.now).person, PASSWORD, site.now
    )
    for _ in range(accounts.TRIES):
        site.visitor().log_in("ada", "wrong")
        site.wait(timedelta(seconds=30))
    assert site.visitor().log_in("ada", PASSWORD).status_code == 401, "locked"
    assert site.visitor().post("/withdraw", {"name": "ada", "secret": code}).status_code == 401, "used up"
    answer = site.visitor().post("/withdraw", {"name": "ada", "secret": PASSWORD})
    assert answer.status_code == 200
    assert "Keep my series of estimates" in answer.text
    assert granted(site, who) == set()
    assert waiting(site, who) == {"unanswered"}


def test_a_password_uses_up_no_code(lite: Site) -> None:
    who = lite.with_password()
    code = lite.code(who)
    for secret in (PASSWORD, code):
        form = {"name": "ada", "secret": secret, "scope": "notes"}
        assert lite.visitor().post("/withdraw", form).status_code == 200
    assert lite.visitor().post("/withdraw", {"name": "ada", "secret": code}).status_code == 401


def test_single_things_and_what_becomes_of_them(site: Site) -> None:
    who = site.person(scopes=(Scope.AFFECT_SERIES, Scope.CONTEXT, Scope.NOTES))
    form = {"name": "ada", "secret": site.code(who), "scope": "context", "answer": "keep"}
    assert "kept for you alone" in site.visitor().post("/withdraw", form).text
    assert granted(site, who) == {Scope.AFFECT_SERIES, Scope.NOTES}
    assert waiting(site, who) == {"keep"}
    form = {"name": "ada", "secret": site.code(who), "scope": "prompts"}
    assert "nothing to withdraw" in site.visitor().post("/withdraw", form).text
    form = {"name": "ada", "secret": site.code(who), "scope": "affect_series", "answer": "erase_scope"}
    assert "is erased" in site.visitor().post("/withdraw", form).text
    assert granted(site, who) == {Scope.NOTES}


def test_everything_can_be_erased_on_the_way_out(site: Site) -> None:
    who = site.person()
    form = {"name": "ada", "secret": site.code(who), "answer": "erase_all"}
    assert site.visitor().post("/withdraw", form).location == "/erased"
    with pytest.raises(UnknownParticipantError):
        site.access.person("ada")


def test_bad_words_change_nothing_and_use_up_no_code(lite: Site) -> None:
    who = lite.person()
    code = lite.code(who)
    for bad in ({"scope": "everything"}, {"answer": "burn"}):
        assert lite.visitor().post("/withdraw", {"name": "ada", "secret": code, **bad}).status_code == 400
    assert granted(lite, who) == set(Scope)
    assert lite.visitor().post("/withdraw", {"name": "ada", "secret": code}).status_code == 200


def test_a_wrong_name_a_wrong_code_and_an_old_one_get_the_same_answer(site: Site) -> None:
    who = site.person()
    site.with_password("bob")
    old = site.code(who)
    site.wait(timedelta(days=15))
    answers = set()
    for name, code in (("ada", "ABCD-EFGH-JKLM"), ("nobody", "ABCD-EFGH-JKLM"), ("ada", old), ("bob", old),
                       ("ada", PASSWORD), ("nobody", PASSWORD), ("bob", PASSWORD + "!")):  # fmt: skip
        answer = site.visitor().post("/withdraw", {"name": name, "secret": code})
        answers.add((answer.status_code, answer.text.replace(f'value="{name}"', "").split("<form class")[0]))
    assert len(answers) == 1
    assert answers.pop()[0] == 401
    assert granted(site, who) == set(Scope)


def test_a_wrong_code_takes_a_hash_whoever_it_was_for(lite: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lite.person()
    lite.with_password("bob")
    hashed: list[str | None] = []

    def noted(stored: str | None, secret: str) -> bool:
        hashed.append(stored)
        return passwords.matches(stored, secret)

    monkeypatch.setattr(entering, "matches", noted)
    for name in ("ada", "nobody", "bob"):
        hashed.clear()
        lite.visitor().post("/withdraw", {"name": name, "secret": "ABCD-EFGH-JKLM"})
        slow = [stored for stored in hashed if stored is None or stored.startswith("$argon2")]
        assert len(slow) == 1, "the slow hash that a login takes, once"


def test_an_address_that_tries_too_fast_has_to_wait(lite: Site) -> None:
    statuses = [
        lite.visitor().post("/withdraw", {"name": str(i), "secret": "x"}).status_code for i in range(11)
    ]
    assert statuses == [401] * 10 + [429]


def test_who_has_a_network_of_addresses_tries_no_faster(lite: Site) -> None:
    """No account is locked here, so the limit is all that stops guessing; of IPv6 everybody has 2^64 addresses."""
    statuses = [
        lite.visitor()
        .post(
            "/withdraw",
            {"name": "ada", "secret": "x"},
            environ_overrides={"REMOTE_ADDR": f"2001:db8::{i:x}:1"},
        )
        .status_code
        for i in range(limits.LOGINS + 1)
    ]
    assert statuses == [401] * limits.LOGINS + [429]
    other = {"REMOTE_ADDR": "2001:db8:0:1::1"}
    late = lite.visitor().post("/withdraw", {"name": "ada", "secret": "x"}, environ_overrides=other)
    assert late.status_code == 401


def test_a_withdrawal_is_no_login(lite: Site) -> None:
    who = lite.with_password()
    visitor = lite.visitor()
    visitor.post("/withdraw", {"name": "ada", "secret": PASSWORD})
    assert visitor.get("/consent").location == "/login"
    assert granted(lite, who) == set()


def test_a_forged_request_withdraws_nothing(lite: Site) -> None:
    who = lite.person()
    answer = lite.visitor().client.post("/withdraw", data={"name": "ada", "secret": lite.code(who)})
    assert answer.status_code == 403
    assert granted(lite, who) == set(Scope)
