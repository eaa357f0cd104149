"""Ask every endpoint of the app as everybody: what test_roles and invariant 26 walk."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from werkzeug.test import TestResponse

from tests import builders
from tests.webui.site import TODAY, Site, Visitor
from tracker.access import Access
from tracker.domain.members import STAFF as STAFF
from tracker.domain.members import Member, Role
from tracker.workflows import accounts, studies

LIMITED = frozenset(
    {"entering.log_in", "leaving.withdraw", "passkeys.check", "invited.page", "invited.come_in"}
)
"""Endpoints that an address may ask ten times a minute."""

ENDING = frozenset({"entering.log_out", "entering.log_in", "entering.enter", "mydata.erase", "rate.erase"})
"""Endpoints after which a session may be another, or none."""

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FILLED: Mapping[str, object] = {
    "scope": "context",
    "unit": "day",
    "last": TODAY,
    "at": 0,
    "token": "x" * 43,
    "version": "x",
    "name": "style.css",
    "observation": 1,
    "offset": 0,
    "item": "0" * 32,
    "who": "0" * 32,
    "upload": "0" * 32,
    "job": "0" * 32,
}
"""What stands for the blanks of an address where nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class Door:
    """One endpoint with one verb, at one address."""

    endpoint: str
    verb: str
    path: str


def doors(site: Site, **blanks: object) -> Iterator[Door]:
    """Every endpoint with each of its verbs; its blanks filled in."""
    for rule in site.app.url_map.iter_rules():
        values: dict[str, Any] = {
            name: blanks.get(name, FILLED.get(name, 1 if f"<int:{name}>" in rule.rule else "x"))
            for name in rule.arguments
        }
        with site.app.test_request_context():
            path = site.app.url_for(rule.endpoint, **values)
        for verb in VERBS:
            if verb in (rule.methods or ()):
                yield Door(rule.endpoint, verb, path)


def strange_doors(site: Site, number: int, text: str) -> Iterator[Door]:
    """Every endpoint whose address has blanks, with a number in each that takes one and a text in the others.

    Each kind of blank is filled so by itself too: an id that is none hides what a number would have done.
    """
    rules = list(site.app.url_map.iter_rules())
    numbers = {name: number for rule in rules for name in rule.arguments if f"<int:{name}>" in rule.rule}
    texts = {name: text for rule in rules for name in rule.arguments if name not in numbers}
    plain = {door.path for door in doors(site)}
    for blanks in (numbers, texts, numbers | texts):
        yield from (door for door in doors(site, **blanks) if door.path not in plain)


class Somebody:
    """One of those who ask, with one session as long as it lasts.

    Parameters
    ----------
    begin
        Makes a visitor with a session of theirs.
    """

    def __init__(self, begin: Callable[[], Visitor]) -> None:
        self._begin = begin
        self._visitor: Visitor | None = None

    def asks(self, door: Door) -> TestResponse:
        """Ask; whoever was logged out by it comes in again before they ask next."""
        if self._visitor is None:
            self._visitor = self._begin()
        if door.verb != "GET" and not self._visitor._token:
            self._visitor.get("/login")
        answer = knock(self._visitor, door)
        if door.endpoint in ENDING:
            self._visitor = None
        return answer


def knock(visitor: Visitor, door: Door) -> TestResponse:
    """Ask, with the token of the visitor's session where something would change."""
    if door.endpoint in LIMITED:
        visitor.site.wait(timedelta(seconds=7))
    if door.verb == "GET":
        return visitor.get(door.path)
    return visitor.client.open(door.path, method=door.verb, data={"csrf_token": visitor._token})


def member(access: Access, name: str, *roles: Role, study: str | None = None, second: bool = True) -> Member:
    """A member; with a second factor, so that nothing else is asked of them first."""
    made = builders.member(access, name, *roles, study=study)
    if second:
        accounts.add_app(access, made, secrets.token_hex(16), 0, builders.NOW)
    return made


def with_session(site: Site, who: Member) -> Visitor:
    """A visitor with a session of a member's: their version, begun now."""
    visitor = site.visitor()
    version, _ = accounts.standing(site.access, who, site.now)
    since = site.now.timestamp()
    with visitor.client.session_transaction() as session:
        session.update(_user_id=f"m.{who.id}.{version}", _fresh=True, since=since, fresh=since)
    visitor.get("/account")
    return visitor


def in_force(access: Access) -> str:
    """The id of the study in force."""
    return studies.in_force(access).id
