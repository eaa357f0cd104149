"""Sessions that somebody made up, copied or bent: none lets anybody in."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import builders
from tests.webui.site import Site
from tracker.workflows import accounts
from webui.cookies import Sessions

COOKIE = "affect_session"


def signed(secret: bytes | str, content: dict[str, Any]) -> str:
    """A cookie as we sign it."""
    app = Flask(__name__)
    app.secret_key = secret
    serializer = Sessions().get_signing_serializer(app)
    assert serializer is not None
    text = serializer.dumps(content)
    assert isinstance(text, str)
    return text


def lets_in(site: Site, cookie: str) -> bool:
    visitor = site.visitor()
    visitor.client.set_cookie(COOKIE, cookie)
    answer = visitor.get("/my-data")
    assert answer.status_code < 500
    return answer.status_code == 200


def own(site: Site, **changed: Any) -> dict[str, Any]:
    """What the server would have put into a session of Ada's."""
    who = site.access.person("ada")
    version, _ = accounts.standing(site.access, who, site.now)
    since = site.now.timestamp()
    made = {"_user_id": f"p.{who.id}.{version}", "_fresh": True, "since": since, "fresh": since}
    return made | changed


def test_the_same_session_lets_in_when_it_is_ours_alone(site: Site) -> None:
    site.person()
    ours = site.app.secret_key
    assert ours
    assert lets_in(site, signed(ours, own(site)))
    assert not lets_in(site, signed(secrets.token_bytes(32), own(site)))
    good = signed(ours, own(site))
    assert not lets_in(site, good[:-5] + ("A" if good[-5] != "A" else "B") + good[-4:])


def test_a_session_of_another_kind_or_version_or_of_nobody_lets_nobody_in(site: Site) -> None:
    who, kim = site.person(), builders.member(site.access)
    ours = site.app.secret_key
    assert ours
    version, _ = accounts.standing(site.access, who, site.now)
    for named in (
        f"m.{who.id}.{version}",
        f"p.{kim.id}.1",
        f"p.{who.id}.{version + 1}",
        f"p.{who.id}",
        "p..1",
        f"p.{secrets.token_hex(16)}.1",
        "",
        7,
        None,
        ["p"],
    ):
        assert not lets_in(site, signed(ours, own(site, _user_id=named))), named


@pytest.mark.parametrize("since", [None, "now", [], {}, -1, True, float("nan")])
def test_a_session_that_says_no_instant_is_too_old(lite: Site, since: Any) -> None:
    lite.person()
    ours = lite.app.secret_key
    assert ours
    assert not lets_in(lite, signed(ours, own(lite, since=since)))


def test_no_text_at_all_lets_anybody_in(lite: Site) -> None:
    lite.person()

    @settings(max_examples=60, deadline=None)
    @given(st.text(st.characters(codec="ascii", exclude_characters=';," \\', exclude_categories=["C"])))
    def none(text: str) -> None:
        assert not lets_in(lite, text)

    none()
