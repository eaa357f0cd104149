"""Second factors, passkeys, invitations, freshness: of participants and of members, on both databases."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import session
from hypothesis import given
from hypothesis import strategies as st
from passlib.totp import TOTP

from tests import builders
from tests.webui.authenticator import Authenticator
from tests.webui.site import PASSWORD, Site, Visitor
from tracker.access.credentials import Whom
from tracker.domain.entering import Kind
from tracker.domain.members import Role
from tracker.domain.passwords import hash_password, is_outdated, matches
from tracker.store import people
from tracker.workflows import accounts, members, retention
from webui import auth
from webui.account import ceremonies

HALF_MINUTE = timedelta(seconds=30)


def kim(site: Site, *roles: Role) -> Whom:
    """A member with `PASSWORD`."""
    found = builders.member(site.access, "kim", *roles)
    accounts.choose_password(site.access, found, PASSWORD, site.now)
    return found


def somebody(site: Site, kind: str) -> Whom:
    return site.with_password("kim") if kind == "participant" else kim(site)


BOTH = pytest.mark.parametrize("kind", ["participant", "member"])


def entered(site: Site, name: str = "kim") -> Visitor:
    """A visitor who gave the right password."""
    visitor = site.visitor()
    visitor.get("/login")
    assert visitor.post("/login", {"name": name, "secret": PASSWORD}).status_code == 303
    visitor._token = ""
    visitor.get("/account")
    if not visitor._token:
        visitor.get("/login/second")
    return visitor


class App:
    """An authenticator app that was given a key."""

    def __init__(self, page: str) -> None:
        found = re.search(r"<code>([A-Z2-7-]+)</code>", page)
        assert found is not None
        self.key = found[1].replace("-", "")

    def code(self, site: Site) -> str:
        return str(TOTP(key=self.key).generate(time=int(site.now.timestamp())).token)


def with_app(site: Site, visitor: Visitor) -> tuple[App, list[str]]:
    """Set up an app; return it, and the recovery codes that were shown."""
    app = App(visitor.get("/account/app").text)
    page = visitor.post("/account/app", {"code": app.code(site)})
    assert page.status_code == 200
    return app, re.findall(r"<code>([A-Z0-9-]{14})</code>", page.text)


def with_passkey(visitor: Visitor, key: Authenticator) -> Any:
    options = visitor.json("/account/passkey/options", {}).get_json()
    return visitor.json("/account/passkey", {"credential": key.make(options), "name": "My phone"})


def use_passkey(visitor: Visitor, key: Authenticator) -> Any:
    return visitor.json("/passkey", key.use(visitor.json("/passkey/options", {}).get_json()))


# --- passwords ------------------------------------------------------------------------------------------------------


def test_a_password_of_before_is_still_right_and_is_hashed_anew(site: Site) -> None:
    who = site.person()
    made = hashlib.scrypt(PASSWORD.encode(), salt=bytes(16), n=2**17, r=8, p=1, maxmem=2**28, dklen=32)
    old = f"scrypt${bytes(16).hex()}${base64.b64encode(made).decode()}"
    with site.access.write(who.id, site.now) as unit:
        people.set_account(unit.connection, who.id, password_hash=old)
    with pytest.raises(accounts.LoginError):
        accounts.log_in(site.access, "ada", PASSWORD + "!", site.now)
    assert accounts.log_in(site.access, "ada", PASSWORD, site.now).whom.id == who.id
    with site.access.read(who.id, site.now) as unit:
        stored = people.account(unit.connection, who.id)
    assert stored is not None
    assert stored.password_hash is not None
    assert stored.password_hash.startswith("$argon2id$")
    assert not is_outdated(stored.password_hash)
    assert accounts.log_in(site.access, "ada", PASSWORD, site.now).whom.id == who.id


def test_hashes_are_salted_and_take_no_other_password() -> None:
    one, two = hash_password(PASSWORD), hash_password(PASSWORD)
    assert one != two
    assert matches(one, PASSWORD)
    assert not matches(one, PASSWORD + " ")
    assert not matches(None, PASSWORD)


# --- the authenticator app ------------------------------------------------------------------------------------------


@BOTH
def test_an_app_is_asked_for_after_the_password_and_each_code_works_once(site: Site, kind: str) -> None:
    whom = somebody(site, kind)
    visitor = entered(site)
    app, codes = with_app(site, visitor)
    assert len(codes) == 10
    site.wait(HALF_MINUTE * 3)
    half = entered(site)
    assert half.get("/account").location == "/login", "a password alone opens nothing"
    half.get("/login/second")
    assert half.post("/login/second", {"code": "000000"}).status_code == 401
    code = app.code(site)
    assert half.post("/login/second", {"code": code}).status_code == 303
    assert half.get("/account").status_code == 200
    again = entered(site)
    assert again.post("/login/second", {"code": code}).status_code == 401, "it was used"
    site.wait(HALF_MINUTE)
    assert again.post("/login/second", {"code": app.code(site)}).status_code == 303
    assert [s.how for s in accounts.sign_ins(site.access, whom, site.now)][:2] == ["app", "app"]


@BOTH
def test_a_recovery_code_takes_its_place_once(site: Site, kind: str) -> None:
    whom = somebody(site, kind)
    _, codes = with_app(site, entered(site))
    half = entered(site)
    assert half.post("/login/second", {"code": codes[0].lower().replace("-", " ")}).status_code == 303
    again = entered(site)
    assert again.post("/login/second", {"code": codes[0]}).status_code == 401
    assert accounts.codes_left(site.access, whom, site.now) == 9
    assert again.post("/login/second", {"code": codes[1]}).status_code == 303
    again.get("/account")
    page = again.post("/account/codes").text
    fresh = re.findall(r"<code>([A-Z0-9-]{14})</code>", page)
    assert len(fresh) == 10
    assert not set(fresh) & set(codes)
    third = entered(site)
    assert third.post("/login/second", {"code": codes[2]}).status_code == 401, "those before stop working"
    assert third.post("/login/second", {"code": fresh[2]}).status_code == 303


def test_wrong_codes_lock_the_account_and_the_password_buys_no_more_tries(site: Site) -> None:
    kim(site)
    app, _ = with_app(site, entered(site))
    site.wait(HALF_MINUTE * 2)
    tries = 0
    for _ in range(accounts.TRIES):
        half = entered(site)  # the right password again and again
        assert half.post("/login/second", {"code": "000000"}).status_code == 401
        tries += 1
        site.wait(HALF_MINUTE)
    assert site.visitor().log_in("kim", PASSWORD).status_code == 401, f"locked after {tries} wrong codes"
    site.wait(accounts.LOCKED_FOR)
    half = entered(site)
    assert half.post("/login/second", {"code": "000000"}).status_code == 401
    assert half.post("/login/second", {"code": app.code(site)}).status_code == 303, (
        "one wrong code locks no more"
    )


def test_a_second_factor_is_waited_for_five_minutes(lite: Site) -> None:
    kim(lite)
    app, _ = with_app(lite, entered(lite))
    half = entered(lite)
    lite.wait(auth.HALF + HALF_MINUTE)
    assert half.post("/login/second", {"code": app.code(lite)}).location == "/login"
    assert half.get("/account").location == "/login"


def test_an_app_is_kept_only_with_a_code_that_proves_it(lite: Site) -> None:
    whom = kim(lite)
    visitor = entered(lite)
    page = visitor.get("/account/app").text
    answer = visitor.post("/account/app", {"code": "123456"})
    assert answer.status_code == 400
    assert App(answer.text).key == App(page).key, "the same key once more"
    assert accounts.factors(lite.access, whom, lite.now) == []


def test_what_is_secret_of_an_app_lies_nowhere_in_the_open(lite: Site) -> None:
    kim(lite)
    app, codes = with_app(lite, entered(lite))
    assert lite.access.database.path is not None
    with lite.access.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    stored = lite.access.database.path.read_bytes()
    for secret in (app.key, *codes, *(code.replace("-", "") for code in codes)):
        assert secret.encode() not in stored


# --- passkeys -------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("counts", [True, False], ids=["counting", "in the cloud"])
def test_a_passkey_logs_in_without_a_password(site: Site, kind: str, counts: bool) -> None:
    whom = somebody(site, kind)
    visitor, key = entered(site), Authenticator(counts=counts)
    assert with_passkey(visitor, key).get_json() == {"next": "/account#passkeys"}
    assert "My phone" in visitor.get("/account").text
    for _ in range(2):
        another = site.visitor()
        another.get("/login")
        assert use_passkey(another, key).get_json() == {"next": "/"}
        assert another.get("/account").status_code == 200
    assert accounts.sign_ins(site.access, whom, site.now)[0].how == "passkey"


def test_a_passkey_is_the_second_factor_after_a_password(lite: Site) -> None:
    kim(lite)
    key = Authenticator()
    with_passkey(entered(lite), key)
    half = entered(lite)
    assert half.get("/account").location == "/login"
    half.get("/login/second")
    assert use_passkey(half, key).status_code == 200
    assert half.get("/account").status_code == 200


def answers(visitor: Visitor, key: Authenticator, fault: str) -> dict[str, Any]:
    """What a passkey answers when something is wrong."""
    options = visitor.json("/passkey/options", {}).get_json()
    if fault == "another challenge":
        options["challenge"] = "A" * 43
    if fault == "another site":
        key.origin = "https://evil.example"
    if fault == "another domain":
        return key.use(options, rp="evil.example")
    if fault == "nobody verified":
        key.verifies = False
    if fault == "a count of before":
        key.count = 0
    given = key.use(options)
    if fault == "another signature":
        given["response"]["signature"] = given["response"]["signature"][:-4] + "AAAA"
    if fault == "unknown":
        given["id"] = given["rawId"] = "AAAA"
    return given


@pytest.mark.parametrize(
    "fault",
    [
        "another challenge",
        "another site",
        "another domain",
        "nobody verified",
        "a count of before",
        "another signature",
        "unknown",
    ],
)
def test_an_answer_that_is_not_right_lets_nobody_in(lite: Site, fault: str) -> None:
    kim(lite)
    key = Authenticator()
    with_passkey(entered(lite), key)
    for _ in range(2):
        visitor = lite.visitor()
        visitor.get("/login")
        assert use_passkey(visitor, key).status_code == 200
    visitor = lite.visitor()
    visitor.get("/login")
    assert visitor.json("/passkey", answers(visitor, key, fault)).status_code == 400
    assert visitor.get("/account").location == "/login"


def test_an_answer_is_good_once_and_not_for_long(lite: Site) -> None:
    kim(lite)
    key = Authenticator(counts=False)
    with_passkey(entered(lite), key)
    visitor = lite.visitor()
    visitor.get("/login")
    options = visitor.json("/passkey/options", {}).get_json()
    given = key.use(options)
    assert visitor.json("/passkey", given).status_code == 200
    visitor = lite.visitor()
    visitor.get("/login")
    assert visitor.json("/passkey", given).status_code == 400, "replayed in another session"
    options = visitor.json("/passkey/options", {}).get_json()
    lite.wait(timedelta(minutes=6))
    assert visitor.json("/passkey", key.use(options)).status_code == 400, "too late"


@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_is_sent_as_a_passkey_is_refused_and_breaks_nothing(body: Any) -> None:
    with _SITE.app.test_request_context("/", method="POST"):
        for call in (lambda: ceremonies.used(body), lambda: ceremonies.made(body, "x")):
            session["challenge"] = ["AAAA", _SITE.now.timestamp()]
            with pytest.raises(ceremonies.PasskeyError):
                call()


_SITE: Site


@pytest.fixture(autouse=True)
def _one_site(request: pytest.FixtureRequest) -> None:
    if "whatever_is_sent" in request.node.name:
        global _SITE
        _SITE = request.getfixturevalue("lite")


def test_a_passkey_of_somebody_else_confirms_nobody(lite: Site) -> None:
    kim(lite)
    lite.with_password("ada")
    key = Authenticator()
    with_passkey(entered(lite, "ada"), key)
    visitor = entered(lite)
    lite.wait(auth.FRESH + HALF_MINUTE)
    visitor.get("/confirm")
    assert use_passkey(visitor, key).status_code == 400
    assert visitor.get("/account/app").location == "/confirm"


# --- who must have one ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.RESEARCHER, Role.OPERATOR])
def test_researchers_and_operators_set_up_a_second_factor_before_anything_else(
    site: Site, role: Role
) -> None:
    kim(site, role, Role.RATER)
    visitor = entered(site)
    for path in ("/rate", "/rate/me"):
        assert visitor.get(path).location == "/account"
    assert "before anything else" in visitor.get("/account").text
    with_app(site, visitor)
    assert "before anything else" not in visitor.get("/account").text
    assert visitor.get("/rate").location != "/account"
    number = re.findall(r'name="factor" value="([0-9a-f]+)"', visitor.get("/account").text)[0]
    assert visitor.post("/account/remove", {"factor": number}).status_code == 400, "the last one stays"
    with_passkey(visitor, Authenticator())
    assert visitor.post("/account/remove", {"factor": number}).status_code == 303


def test_a_rater_is_offered_one_and_may_do_without(lite: Site) -> None:
    kim(lite)
    visitor = entered(lite)
    assert visitor.get("/rate/me").location != "/account"
    with_app(lite, visitor)
    number = re.findall(r'name="factor" value="([0-9a-f]+)"', visitor.get("/account").text)[0]
    assert visitor.post("/account/remove", {"factor": number}).status_code == 303
    whom = members.find(lite.access, "kim")
    assert accounts.factors(lite.access, whom, lite.now) == []
    assert accounts.codes_left(lite.access, whom, lite.now) == 0, "recovery codes go with the last factor"


def test_another_persons_factor_cannot_be_removed(site: Site) -> None:
    kim(site)
    ada = site.with_password("ada")
    with_app(site, entered(site, "ada"))
    number = accounts.factors(site.access, ada, site.now)[0].id
    visitor = entered(site)
    assert visitor.post("/account/remove", {"factor": number}).status_code == 404
    assert accounts.factors(site.access, ada, site.now)[0].kind is Kind.APP


# --- invitations ----------------------------------------------------------------------------------------------------


@BOTH
def test_a_link_lets_in_once_to_choose_a_password(site: Site, kind: str) -> None:
    whom: Whom = site.person("kim") if kind == "participant" else builders.member(site.access, "kim")
    token = accounts.invite(site.access, whom, site.now)
    visitor = site.visitor()
    for _ in range(2):  # looking at it uses nothing up
        assert "kim" in visitor.get(f"/invited/{token}").text
    assert visitor.post(f"/invited/{token}").status_code == 303
    assert visitor.get("/account").location == "/password"
    visitor.get("/password")
    assert visitor.post("/password", {"password": PASSWORD, "again": PASSWORD}).status_code == 303
    assert visitor.get("/account").status_code == 200
    other = site.visitor()
    assert other.get(f"/invited/{token}").status_code == 404
    assert other.post(f"/invited/{token}").status_code == 404
    assert entered(site).get("/account").status_code == 200


def test_a_link_is_no_way_around_the_second_factor(lite: Site) -> None:
    whom = kim(lite, Role.OPERATOR)
    app, _ = with_app(lite, entered(lite))
    lite.wait(HALF_MINUTE * 2)
    token = accounts.invite(lite.access, whom, lite.now)
    visitor = lite.visitor()
    visitor.get(f"/invited/{token}")
    assert visitor.post(f"/invited/{token}").location == "/login/second"
    assert visitor.get("/account").location == "/login"
    visitor.get("/login/second")
    assert visitor.post("/login/second", {"code": app.code(lite)}).status_code == 303
    assert visitor.get("/account").location == "/password"


def test_a_link_grows_old_and_a_new_one_ends_it(site: Site) -> None:
    whom = builders.member(site.access, "kim")
    first = accounts.invite(site.access, whom, site.now)
    second = accounts.invite(site.access, whom, site.now)
    assert site.visitor().get(f"/invited/{first}").status_code == 404
    site.wait(accounts.INVITATION_HOLDS + HALF_MINUTE)
    assert site.visitor().get(f"/invited/{second}").status_code == 404


def test_a_password_ends_the_link_that_was_not_used(lite: Site) -> None:
    whom = lite.person("ada")
    token = accounts.invite(lite.access, whom, lite.now)
    accounts.choose_password(lite.access, whom, PASSWORD, lite.now)
    assert lite.visitor().get(f"/invited/{token}").status_code == 404


def test_links_are_not_guessed_fast_and_lie_as_digests(lite: Site) -> None:
    token = accounts.invite(lite.access, builders.member(lite.access, "kim"), lite.now)
    with lite.access.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT digest FROM invitations").scalars().all()
    assert len(rows) == 1
    assert token not in rows[0]
    statuses = [lite.visitor().get("/invited/x").status_code for _ in range(11)]
    assert statuses == [404] * 10 + [429]


# --- freshness ------------------------------------------------------------------------------------------------------


def test_what_is_taken_along_is_asked_for_shortly_after_one_said_who_one_is(site: Site) -> None:
    site.with_password("kim")
    visitor = entered(site)
    assert visitor.post("/my-data/download").status_code == 200
    site.wait(auth.FRESH + HALF_MINUTE)
    assert visitor.post("/my-data/download").location == "/confirm"
    assert visitor.get("/my-data").status_code == 200, "looking goes on"
    visitor.get("/confirm")
    assert visitor.post("/confirm", {"password": "wrong"}).status_code == 401
    assert visitor.post("/my-data/download").location == "/confirm"
    visitor.get("/confirm")
    assert visitor.post("/confirm", {"password": PASSWORD}).location == "/my-data"
    assert visitor.post("/my-data/download").status_code == 200


def test_how_one_logs_in_is_changed_shortly_after_one_said_who_one_is(site: Site) -> None:
    kim(site)
    visitor = entered(site)
    key = Authenticator()
    with_passkey(visitor, key)
    site.wait(auth.FRESH + HALF_MINUTE)
    assert visitor.get("/account/app").location == "/confirm"
    assert visitor.json("/account/passkey/options", {}).status_code == 403
    assert visitor.post("/account/remove", {"factor": "x"}).location == "/confirm"
    visitor.get("/confirm?back=account.page")
    assert use_passkey(visitor, key).get_json() == {"next": "/account"}
    assert visitor.get("/account/app").status_code == 200


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "entering.log_out", ""])
def test_confirming_leads_nowhere_else(lite: Site, back: str) -> None:
    kim(lite)
    visitor = entered(lite)
    visitor.get("/confirm", query_string={"back": back})
    assert visitor.post("/confirm", {"password": PASSWORD}).location == "/"


def test_wrong_passwords_at_confirming_lock_the_account(lite: Site) -> None:
    kim(lite)
    visitor = entered(lite)
    visitor.get("/confirm")
    for _ in range(accounts.TRIES):
        assert visitor.post("/confirm", {"password": "wrong"}).status_code == 401
        lite.wait(HALF_MINUTE)
    assert visitor.post("/confirm", {"password": PASSWORD}).status_code == 401


def test_a_new_password_ends_every_other_session(site: Site) -> None:
    kim(site)
    here, there = entered(site), entered(site)
    here.get("/password")
    new = "another long password"
    fields = {"current": PASSWORD, "password": new, "again": new}
    assert here.post("/password", fields).location == "/account"
    assert here.get("/account").status_code == 200
    assert there.get("/account").location == "/login"
    assert site.visitor().log_in("kim", PASSWORD).status_code == 401


@BOTH
def test_logging_out_everywhere_ends_all_of_ones_own_sessions_and_no_others(site: Site, kind: str) -> None:
    somebody(site, kind)
    site.with_password("ada")
    here, there, other = entered(site), entered(site), entered(site, "ada")
    assert here.post("/logout", {"everywhere": "1"}).status_code == 303
    assert there.get("/account").location == "/login"
    assert other.get("/account").status_code == 200


@pytest.mark.parametrize("kind", ["participant", "member"])
def test_a_copied_session_ends_with_the_log_out_and_others_of_the_same_person_go_on(
    site: Site, kind: str
) -> None:
    somebody(site, kind)
    here, there, copy = entered(site), entered(site), site.visitor()
    cookie = here.client.get_cookie("affect_session")
    assert cookie is not None
    copy.client.set_cookie("affect_session", cookie.value)
    assert copy.get("/account").status_code == 200
    assert here.post("/logout").location == "/login"
    assert copy.get("/account").location == "/login"
    assert there.get("/account").status_code == 200


def test_a_member_who_was_removed_is_out_at_once(site: Site) -> None:
    kim(site)
    visitor = entered(site)
    members.remove(site.access, members.find(site.access, "kim"))
    assert visitor.get("/account").location == "/login"
    assert site.visitor().log_in("kim", PASSWORD).status_code == 401


def test_a_role_that_was_taken_is_gone_at_the_next_request(site: Site) -> None:
    whom = builders.member(site.access, "kim")
    accounts.choose_password(site.access, whom, PASSWORD, site.now)
    visitor = entered(site)
    assert visitor.get("/rate/me").status_code != 403
    study = next(iter(whom.roles))
    members.revoke_role(site.access, whom, Role.RATER, study, site.now)
    assert visitor.get("/rate/me").status_code == 403


def test_ones_own_sign_ins_are_listed_with_the_kind_of_browser(site: Site) -> None:
    site.with_password("kim")
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    visitor = site.visitor()
    visitor.get("/login")
    visitor.post("/login", {"name": "kim", "secret": PASSWORD}, headers={"User-Agent": agent})
    page = visitor.get("/account", headers={"User-Agent": "x"}).text
    assert "Firefox, Linux" in page
    assert "140.0" not in page


def test_sign_ins_and_links_are_forgotten_in_time(site: Site) -> None:
    whom = kim(site)
    entered(site)
    accounts.invite(site.access, whom, site.now)
    site.wait(timedelta(days=8))
    assert retention.run(site.access, site.now)["invitations"] == 1
    assert len(accounts.sign_ins(site.access, whom, site.now)) == 1
    site.wait(timedelta(days=83))
    retention.run(site.access, site.now)
    assert accounts.sign_ins(site.access, whom, site.now) == []


def test_the_demos_door_changes_nothing_about_logging_in(lite: Site) -> None:
    lite.person("ada")
    visitor = lite.logged_in("ada")
    visitor.get("/account")
    assert visitor.get("/account/app").status_code == 403
    assert visitor.get("/password").status_code == 403
    assert visitor.json("/account/passkey/options", {}).status_code == 403
