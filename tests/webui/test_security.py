"""Every endpoint: headers, nobody in without a session, no change without a token, no markup from text."""

import re
from datetime import timedelta

import pytest

from tests import builders
from tests.webui.site import TODAY, Site
from tracker.domain.consent import Scope
from webui.auth import JSON
from webui.headers import CHART_ENDPOINT, policy
from webui.roles import RULES

VALUES = {
    "scope": "context",
    "unit": "day",
    "last": TODAY,
    "at": "0",
    "token": "none",
    "name": "style.css",
    "observation": "1",
    "item": "0" * 32,
    "job": "0" * 32,
    "who": "0" * 32,
}
OPEN = {endpoint for endpoint, rule in RULES.items() if rule.anybody}


def endpoints(site: Site) -> list[tuple[str, str, str]]:
    """Every (endpoint, method, path) of the app."""
    found = []
    for rule in site.app.url_map.iter_rules():
        values = {
            name: VALUES.get(name, "1" if f"<int:{name}>" in rule.rule else "x") for name in rule.arguments
        }
        with site.app.test_request_context():
            path = site.app.url_for(rule.endpoint, **values)
        found += [(rule.endpoint, method, path) for method in rule.methods or () if method in ("GET", "POST")]
    return found


def test_every_endpoint_has_the_headers_and_none_allows_what_is_unsafe(lite: Site) -> None:
    lite.person()
    for visitor in (lite.visitor(), lite.logged_in()):
        for endpoint, method, path in endpoints(lite):
            response = visitor.client.open(path, method=method)
            headers = response.headers
            csp = headers["Content-Security-Policy"]
            if endpoint != CHART_ENDPOINT:
                assert "unsafe" not in csp
            assert "'unsafe-eval'" not in csp
            assert "script-src 'self';" in csp
            assert "default-src 'none'" in csp
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            if endpoint != "assets.file":
                assert "no-store" in headers["Cache-Control"]


def test_nobody_gets_in_without_a_session(lite: Site) -> None:
    for endpoint, method, path in endpoints(lite):
        if endpoint in OPEN:
            continue
        visitor = lite.visitor()
        response = visitor.post(path) if method == "POST" else visitor.get(path)
        json = endpoint in JSON or RULES[endpoint].program
        assert response.status_code == (401 if json else 303), endpoint
        if not json:
            assert response.location == "/login"


def test_every_post_needs_the_token_of_its_session(lite: Site) -> None:
    lite.person()
    stranger = lite.logged_in()
    for endpoint, method, path in endpoints(lite):
        if method == "POST":
            visitor = lite.logged_in()
            lite.wait(timedelta(seconds=10))
            if RULES[endpoint].program:
                # No session of anybody's does anything there, whatever token of a form it brings along.
                assert visitor.client.post(path, data={"csrf_token": visitor._token}).status_code == 401
                continue
            assert visitor.client.post(path).status_code == 403
            assert visitor.client.post(path, data={"csrf_token": "x"}).status_code == 403
            assert visitor.client.post(path, data={"csrf_token": stranger._token}).status_code == 403


def test_a_request_that_another_site_makes_is_refused_even_with_the_token(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    assert visitor.post("/pause", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert visitor.post("/pause", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_cookies_are_for_http_alone_and_for_tls_where_there_is_tls(lite: Site) -> None:
    lite.person()
    visitor = lite.visitor()
    visitor.get("/login")
    answer = visitor.client.get("/login").headers.get("Set-Cookie") or ""
    cookie = visitor.client.get_cookie("affect_session")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert "affect_session" not in answer
    lite.app.config["SESSION_COOKIE_SECURE"] = True
    fresh = lite.visitor().client.get("/login").headers["Set-Cookie"]
    assert "Secure" in fresh


def test_a_name_is_text_and_never_markup(lite: Site) -> None:
    name = '"><b onclick=x>&<img src=x onerror=y>'
    lite.person(name)
    visitor = lite.logged_in(name)
    for path in ("/consent", "/my-data", "/timeline", "/nowhere"):
        text = visitor.get(path, follow_redirects=True).text
        assert "<b onclick" not in text
        assert "<img" not in text
    failed = lite.visitor().log_in(name, "wrong")
    assert "<b onclick" not in failed.text


def test_pages_have_no_inline_script_or_style(lite: Site) -> None:
    lite.series(lite.person())
    visitor = lite.logged_in()
    for path in (f"/timeline/{u}/{TODAY}" for u in ("day", "week", "month")):
        for page in (path, f"{path}/chart", "/consent", "/my-data", "/moment/1773998400"):
            text = visitor.get(page).text
            assert not re.search(r"<script(?![^>]*\bsrc=)", text)
            assert not re.search(r"\sstyle=|<style|\son[a-z]+=", text)
            assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text)


def test_the_frame_of_the_chart_holds_no_text_of_users(lite: Site) -> None:
    lite.series(lite.person("a very particular name"))
    visitor = lite.logged_in("a very particular name")
    assert "particular" in visitor.get(f"/timeline/day/{TODAY}").text
    for page in (f"/timeline/day/{TODAY}/chart", f"/timeline/day/{TODAY}/data"):
        assert "particular" not in visitor.get(page).text
    assert "unsafe" not in policy("timeline.page")


def test_a_request_that_is_too_large_is_refused(lite: Site) -> None:
    lite.person()
    answer = lite.logged_in().post("/correct", {"emotion": "x" * 100_000})
    assert answer.status_code == 413
    assert "too large" in answer.text


def test_nothing_but_our_files_is_served(lite: Site) -> None:
    for path in ("/assets/x/style.css", "/assets/x/../app.py", "/assets/x/bokeh.js", "/static/style.css"):
        assert lite.visitor().get(path).status_code in (303, 404)


def test_files_are_cached_for_long_and_compressed(lite: Site) -> None:
    page = lite.visitor().get("/login").text
    found = re.search(r'href="(/assets/[^"]+style\.css)"', page)
    assert found is not None
    answer = lite.visitor().get(found[1], headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "path", ["/timeline/day/2026-13-01", "/timeline/year/2026-03-01", "/consent/x/grant"]
)
def test_an_address_that_names_nothing_is_not_found(lite: Site, path: str) -> None:
    lite.person()
    visitor = lite.logged_in()
    answer = visitor.post(path) if path.startswith("/consent") else visitor.get(path)
    assert answer.status_code == 404


def test_healthz_says_whether_it_can_serve_and_nothing_else(site: Site) -> None:
    answer = site.visitor().get("/healthz")
    assert answer.status_code == 200
    assert answer.get_json().keys() == {"status", "schema"}


def test_an_operators_grant_shows_to_its_person_alone(lite: Site) -> None:
    lite.person("ada", (Scope.AFFECT_SERIES,))
    lite.person("bob", ())
    assert "allowed</span>" in lite.logged_in("ada").get("/consent").text
    assert "allowed</span>" not in lite.logged_in("bob").get("/consent").text


def test_another_persons_series_cannot_be_asked_for(site: Site) -> None:
    site.series(site.person("ada"))
    site.person("bob")
    bob = site.logged_in("bob")
    assert bob.get(f"/timeline/day/{TODAY}/data").get_json()["points"]["x"] == []
    at = int((builders.NOW - timedelta(minutes=30)).timestamp())
    assert "No face was read" in bob.get(f"/moment/{at}").text
