"""Every page is for its own person alone: another's objects are not there, and nothing tells whether they exist.

Raters' and researchers' doors do not stand yet (`catalogue.NOT_BUILT`).
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from tests.builders import NOW
from tests.invariants.conftest import Tell
from tests.lives import FACE, NOTE, PLACE, lived
from tests.webui.site import Site

OPEN = {"/login", "/healthz", "/withdraw", "/privacy"}
"""What anybody may ask for."""

FILLED = {
    "scope": "context",
    "unit": "day",
    "last": "2026-03-20",
    "token": "x" * 43,
    "version": "x",
    "name": "x",
}


def addresses(site: Site) -> list[tuple[str, str]]:
    """Every address of the app with every verb, its blanks filled in."""
    found = []
    for rule in site.app.url_map.iter_rules():
        path = str(rule)
        for blank in rule.arguments:
            for kind in ("", "int:", "string:"):
                path = path.replace(f"<{kind}{blank}>", FILLED.get(blank, "1"))
        for verb in sorted(set(rule.methods or ()) & {"GET", "POST", "PUT", "DELETE", "PATCH"}):
            found.append((verb, path))
    return found


def test_nobody_sees_anything_without_a_session(site: Site, figure: Tell) -> None:
    who = lived(site.access)
    canaries = [who.id, who.subject, who.name, PLACE, NOTE]
    seen = 0
    for verb, path in addresses(site):
        visitor = site.visitor()
        answer = visitor.get(path) if verb == "GET" else visitor.post(path)
        assert not [c for c in canaries if c in answer.text], (verb, path)
        if path.split("?")[0] not in OPEN and not path.startswith(("/assets/", "/enter/")):
            assert answer.status_code in (302, 303, 400, 401, 403, 404), (verb, path, answer.status_code)
            location = answer.headers.get("Location", "/login")
            assert location.startswith(("/login", "/")), (verb, path)
        seen += 1
    figure(f"{seen} addresses without a session")


def test_another_persons_objects_are_as_if_they_were_not(site: Site, figure: Tell) -> None:
    other = lived(site.access, "canary-other")
    site.person("ada")
    visitor = site.logged_in("ada")
    with site.access.database.read() as connection:
        objects = connection.execute(text("SELECT id FROM observations")).scalars().all()
        crops = connection.execute(text("SELECT observation FROM crops")).scalars().all()
    assert crops
    asked = 0
    for number in (*objects[:5], *crops):
        theirs, nobodys = (visitor.get(f"/moment/picture/{n}") for n in (number, 10**9 + number))
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.data == nobodys.data, "the answer tells whether it exists"
        assert FACE not in theirs.data
        asked += 2
    canaries = [other.id, other.subject, other.name, PLACE, NOTE]
    for verb, path in addresses(site):
        if "erase" in path or "logout" in path or path.startswith("/enter"):
            continue
        answer = visitor.get(path) if verb == "GET" else visitor.post(path)
        assert not [c for c in canaries if c.encode() in answer.data], (verb, path)
        asked += 1
    at = int((NOW - timedelta(minutes=40)).timestamp())
    page = visitor.get(f"/moment/{at}")
    assert not [c for c in canaries if c in page.text]
    figure(f"{asked} requests of one person find nothing of the other")
