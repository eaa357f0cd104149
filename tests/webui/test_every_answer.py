"""What stands at the head of every answer, page or program, whoever asks: walked over the table of roles."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.webui import walking
from tests.webui.site import Site, Visitor
from tests.webui.walking import Door
from tracker.domain.members import Role
from tracker.store import tables
from webui.headers import CAMERA_ENDPOINT, CHART_ENDPOINT
from webui.roles import RULES

TLS = "https://study.example.org"
CHARSET = re.compile(r"^(text/|application/(xml|.*\+xml))")


def directives(response: TestResponse) -> dict[str, str]:
    """The content security policy, by directive."""
    parts = response.headers["Content-Security-Policy"].split("; ")
    return dict(part.partition(" ")[::2] for part in parts)


def visitor_of(site: Site, who: str) -> Visitor:
    if who == "ada":
        return site.logged_in("ada")
    if who == "kim":
        return walking.with_session(site, walking.member(site.access, "kim", *walking.STAFF))
    return site.visitor()


def answers(site: Site, who: str) -> Iterator[tuple[Door, TestResponse]]:
    """Every endpoint's answer over TLS; a log-out in between changes nothing of what is looked at here."""
    visitor = visitor_of(site, who)
    for door in walking.doors(site):
        yield door, visitor.client.open(door.path, method=door.verb, base_url=TLS)
    for path, verb in (("/nowhere", "GET"), ("/api/v1/nowhere", "GET"), ("/login", "DELETE"), ("/", "TRACE")):
        yield Door("", verb, path), visitor.client.open(path, method=verb, base_url=TLS)


@pytest.mark.parametrize("who", ["nobody", "ada", "kim"])
def test_every_answer_says_how_it_may_be_used(lite: Site, who: str) -> None:
    lite.person("ada")
    asked = set()
    for door, answer in answers(lite, who):
        guarded(door, answer)
        closed(door, answer)
        typed(door, answer)
        named(door, answer)
        asked.add(door.endpoint)
    assert asked >= {rule.endpoint for rule in lite.app.url_map.iter_rules()}


def guarded(door: Door, answer: TestResponse) -> None:
    """What a browser may do with it: to load, to embed, to keep."""
    said, csp = answer.headers, directives(answer)
    assert said["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains", door
    assert said["X-Content-Type-Options"] == "nosniff", door
    assert said["Referrer-Policy"] == "no-referrer", door
    assert said["Cross-Origin-Opener-Policy"] == "same-origin", door
    assert said["Cross-Origin-Resource-Policy"] == "same-origin", door
    camera = "(self)" if door.endpoint == CAMERA_ENDPOINT else "()"
    assert said["Permissions-Policy"].startswith(f"camera={camera},"), door
    for name in ("default-src", "object-src", "base-uri"):
        assert csp[name] == "'none'", door
    assert csp["script-src"] == csp["form-action"] == csp["frame-ancestors"] == "'self'", door
    if door.endpoint != CHART_ENDPOINT:
        assert "unsafe" not in said["Content-Security-Policy"], door
    kept = "immutable" in said["Cache-Control"] and door.endpoint == "assets.file"
    assert kept or said["Cache-Control"] == "no-store, private", door


def closed(door: Door, answer: TestResponse) -> None:
    """It opens itself to no other origin, and names nothing that serves it."""
    for name, _ in answer.headers:
        assert not name.lower().startswith("access-control-"), door
        assert name.lower() not in ("server", "x-powered-by", "via"), door


def typed(door: Door, answer: TestResponse) -> None:
    """A body says what it is, and text in which characters."""
    kind = answer.headers.get("Content-Type", "")
    if not answer.data:
        return
    assert kind, door
    if CHARSET.match(kind):
        assert "charset=utf-8" in kind.lower(), (door, kind)
    if "json" in kind:
        answer.get_data().decode("utf-8")


def named(door: Door, answer: TestResponse) -> None:
    """What is taken away has a name of ours, and is attached where a browser asks for it."""
    said, kind = answer.headers.get("Content-Disposition", ""), answer.headers.get("Content-Type", "")
    assert not said or re.fullmatch(r'attachment; filename="?[a-z0-9-]+\.(csv|json|zip)"?', said), (
        door,
        said,
    )
    file = kind.partition(";")[0] in ("text/csv", "application/zip", "application/ld+json")
    program = door.endpoint in RULES and RULES[door.endpoint].program
    assert said or program or not file or answer.status_code != 200, door


@pytest.mark.parametrize("verb", ["TRACE", "CONNECT", "PROPFIND", "X"])
def test_a_verb_that_nobody_uses_is_refused(lite: Site, verb: str) -> None:
    for path in ("/", "/login", "/api/v1/token", "/healthz"):
        assert lite.visitor().client.open(path, method=verb).status_code in (403, 405)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://study.example.org.evil.example"])
def test_no_origin_is_let_in_by_its_name(lite: Site, origin: str) -> None:
    lite.person("ada")
    visitor = lite.logged_in("ada")
    for verb in ("GET", "OPTIONS"):
        answer = visitor.client.open(
            "/my-data", method=verb, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        )
        closed(Door("mydata.page", verb, "/my-data"), answer)


def test_what_is_downloaded_is_named_by_us_and_attached(lite: Site) -> None:
    name = 'a"; filename=x.html; Set-Cookie: x=y;'
    lite.person(name)
    visitor = lite.logged_in(name)
    answer = visitor.post("/my-data/download")
    assert re.fullmatch(
        r'attachment; filename="my-data-\d{4}-\d\d-\d\d\.zip"', answer.headers["Content-Disposition"]
    )
    assert "x=y" not in str(answer.headers)
    answer.close()
    receipt = visitor.get("/consent/receipt")
    assert re.fullmatch(
        r"attachment; filename=consent-receipt-\d{4}-\d\d-\d\d\.json", receipt.headers["Content-Disposition"]
    )


@pytest.mark.parametrize(("who", "notes"), [("ada", set()), ("kim", {"access_events", "access_log"})])
def test_who_only_asks_changes_nothing_but_what_says_who_looked(
    lite: Site, who: str, notes: set[str]
) -> None:
    lite.series(lite.person("ada"))
    visitor = visitor_of(lite, who)

    def stored() -> dict[str, list[tuple[object, ...]]]:
        with lite.access.database.read() as connection:
            return {
                table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
                for table in tables.metadata.sorted_tables
            }

    before, asked = stored(), 0
    for door in walking.doors(lite):
        if door.verb == "GET":
            asked += visitor.get(door.path).status_code == 200
    after = stored()
    assert asked > 12
    assert {name for name in before if before[name] != after[name]} <= notes


def test_no_role_is_asked_for_in_an_address_or_a_field(lite: Site) -> None:
    """What decides is what the store says of the session's person, whatever is sent along."""
    lite.person("ada")
    visitor = lite.logged_in("ada")
    sent = {"role": Role.RESEARCHER.value, "is_admin": "1", "participant": "someone", "who": "someone"}
    assert visitor.get("/study/exports", query_string=sent).status_code == 403
    assert visitor.post("/study/exports", sent).status_code == 403
    headers = {"X-User-ID": "someone", "X-Original-URL": "/study/exports", "X-HTTP-Method-Override": "DELETE"}
    assert visitor.get("/my-data", headers=headers).status_code == 200
