"""Choosing and changing a password: what is refused, what is asked, and that it is taken as it was typed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests import builders
from tests.webui.site import PASSWORD, Site, Visitor
from tests.webui.test_account import BOTH, entered, somebody, with_app
from tracker.workflows import members
from webui import auth

NEW = "another long password"


def choosing(site: Site) -> Visitor:
    """Somebody who came by a one-time code and has to choose."""
    code = site.code(builders.person(site.access, "kimberley"))
    visitor = site.visitor()
    visitor.log_in("kimberley", code)
    visitor.get("/password")
    return visitor


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("qwertyuiop", "known from break-ins"),
        ("Password123", "known from break-ins"),
        ("affect-tracker-2026", "little but your name"),
        ("Kimberley.1987", "little but your name"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused_and_another_taken(
    lite: Site, password: str, says: str
) -> None:
    visitor = choosing(lite)
    answer = visitor.post("/password", {"password": password, "again": password})
    assert answer.status_code == 400
    assert says in answer.text
    assert visitor.get("/").location == "/password", "there is still none"
    assert visitor.post("/password", {"password": NEW, "again": NEW}).status_code == 303


@BOTH
def test_changing_it_takes_the_one_of_now(site: Site, kind: str) -> None:
    somebody(site, kind)
    visitor = entered(site)
    assert 'name="current"' in visitor.get("/password").text
    for current in ("", "wrong", NEW):
        answer = visitor.post("/password", {"current": current, "password": NEW, "again": NEW})
        assert answer.status_code == 400
        assert "not your password of now" in answer.text
    assert site.visitor().log_in("kim", NEW).status_code == 401
    done = visitor.post("/password", {"current": PASSWORD, "password": NEW, "again": NEW})
    assert done.location == "/account"
    assert site.visitor().log_in("kim", NEW).status_code == 303


@BOTH
def test_who_has_a_second_factor_changes_it_shortly_after_saying_who_they_are_with_both(
    site: Site, kind: str
) -> None:
    somebody(site, kind)
    visitor = entered(site)
    app, _ = with_app(site, visitor)
    fields = {"current": PASSWORD, "password": NEW, "again": NEW}
    site.wait(auth.FRESH + timedelta(seconds=1))
    assert visitor.get("/password").location == "/confirm"
    assert visitor.post("/password", fields).location == "/confirm"
    assert site.visitor().log_in("kim", NEW).status_code == 401, "nothing was changed"
    visitor.get("/confirm")
    confirmed = visitor.post("/confirm", {"password": PASSWORD, "code": app.code(site)})
    assert confirmed.location == "/password"
    visitor.get("/password")
    assert visitor.post("/password", fields).location == "/account"


def test_the_password_of_now_buys_no_more_tries_at_the_code(site: Site) -> None:
    """Given with a new one that is too weak, it would change nothing and make every wrong code forgotten."""
    somebody(site, "member")
    visitor = entered(site)
    app, _ = with_app(site, visitor)
    site.wait(timedelta(minutes=1))
    weak = {"current": PASSWORD, "password": "short", "again": "short"}
    for path, fields in (("/confirm", {"password": PASSWORD, "code": "000000"}), ("/password", weak)) * 2:
        visitor.get(path)
        assert visitor.post(path, fields).status_code in (400, 401)
    visitor.get("/confirm")
    late = visitor.post("/confirm", {"password": PASSWORD, "code": app.code(site)})
    assert late.status_code == 401, "locked"


@pytest.mark.parametrize(
    "password", ["just small letters here", "1597530284613957", "ünïcödé ✓ „quoted“ \t <b>", "long " * 40]
)
def test_it_is_taken_as_it_was_typed_whatever_stands_in_it_and_however_long(
    lite: Site, password: str
) -> None:
    visitor = choosing(lite)
    assert visitor.post("/password", {"password": password, "again": password}).status_code == 303
    for other in (password[:-1], password.swapcase() + "x", password[:64] if len(password) > 64 else ""):
        assert lite.visitor().log_in("kimberley", other).status_code == 401
    assert lite.visitor().log_in("kimberley", password).status_code == 303


def test_fields_hide_what_is_typed_and_let_managers_and_the_clipboard_help(lite: Site) -> None:
    lite.with_password("kim")
    visitor = entered(lite)
    pages = {
        "/password": {"current": "current-password", "password": "new-password", "again": "new-password"},
        "/confirm": {"password": "current-password"},
    }
    for path, fields in pages.items():
        text = visitor.get(path).text
        for name, helped in fields.items():
            field = re.search(rf'<input[^>]*name="{name}"[^>]*>', text)
            assert field is not None, (path, name)
            assert 'type="password"' in field[0]
            assert f'autocomplete="{helped}"' in field[0]
            assert "readonly" not in field[0]
    secret = re.search(r'<input[^>]*name="secret"[^>]*>', lite.visitor().get("/login").text)
    assert secret is not None
    assert 'type="password"' in secret[0]


def test_no_script_of_ours_hears_of_the_clipboard(lite: Site) -> None:
    from webui.assets import OWN  # noqa: PLC0415

    for script in OWN.glob("*.js"):
        assert not re.search(r"""["'](paste|copy|cut)["']|onpaste""", script.read_text("utf-8")), script.name


def test_a_new_installation_knows_nobody(lite: Site) -> None:
    assert lite.access.everyone() == []
    assert members.everyone(lite.access) == []
    for name in ("admin", "root", "operator", "test", "demo"):
        for secret in ("", name, "admin", "password", "affect-tracker"):
            lite.wait(timedelta(minutes=1))
            assert lite.visitor().log_in(name, secret).status_code == 401


def test_a_password_stays_good_however_old_it_grows(lite: Site) -> None:
    lite.with_password("kim")
    lite.wait(timedelta(days=3 * 365))
    assert lite.visitor().log_in("kim", PASSWORD).status_code == 303
