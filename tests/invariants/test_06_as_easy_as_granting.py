"""Withdrawing takes no more steps, fields or rights than granting, also in a closed study or a locked account."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.builders import NOW
from tests.invariants.conftest import Tell
from tests.invariants.ruling import ruled
from tests.webui.site import Site, Visitor
from tracker.domain.consent import ConsentError, Recorder, Scope
from tracker.domain.people import Person
from tracker.workflows import consenting

CHOICES = [Scope.AFFECT_SERIES, Scope.CONTEXT, Scope.FACE_CROPS, Scope.EXPORT_PUBLIC]


class Forms(HTMLParser):
    """The forms of a page: where each goes, and the fields that somebody has to fill in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: dict[str, list[str]] = {}
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = dict(attributes)
        if tag == "form":
            self._open = told.get("action") or ""
            self.forms.setdefault(self._open, [])
        elif tag in ("input", "select", "textarea") and self._open and "required" in told:
            self.forms[self._open].append(told.get("name") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = ""


def granted(site: Site, who: Person) -> set[Scope]:
    with site.access.read(who.id, site.now) as unit:
        return set(unit.grants())


def to(visitor: Visitor, scope: Scope, verb: str) -> list[str]:
    """Go to the page, find the one form that does it, send it; return what had to be filled in."""
    page = visitor.get("/consent")
    assert page.status_code == 200
    fields = Forms(page.text).forms[f"/consent/{scope.value}/{verb}"]
    assert visitor.post(f"/consent/{scope.value}/{verb}").status_code in (302, 303)
    return fields


def test_one_request_and_no_field_each_way(site: Site, figure: Tell) -> None:
    who = site.person(scopes=())
    visitor = site.logged_in()
    visitor.get("/notice")
    visitor.post("/notice")
    for scope in CHOICES:
        to_grant = to(visitor, scope, "grant")
        assert scope in granted(site, who)
        to_withdraw = to(visitor, scope, "withdraw")
        assert scope not in granted(site, who)
        assert len(to_withdraw) <= len(to_grant) == 0
    figure(f"{len(CHOICES)} scopes: 1 request and 0 fields to grant, 1 request and 0 fields to withdraw")


def test_a_closed_study_takes_withdrawals_and_no_grants(site: Site) -> None:
    ruled(site.access, site.now)
    who = site.person(scopes=(Scope.AFFECT_SERIES, Scope.CONTEXT))
    visitor = site.logged_in()
    ruled(site.access, site.now, closed=True)
    with pytest.raises(ConsentError):
        consenting.grant(site.access, who, [Scope.NOTES], site.now, recorder=Recorder.PARTICIPANT)
    to(visitor, Scope.CONTEXT, "withdraw")
    assert granted(site, who) == {Scope.AFFECT_SERIES}


def test_whoever_is_locked_out_can_withdraw(site: Site) -> None:
    who = site.with_password(scopes=(Scope.AFFECT_SERIES, Scope.CONTEXT))
    visitor = site.visitor()
    for _ in range(6):
        visitor.log_in("ada", "a wrong password")
    code = site.code(who)
    # What an operator hands over opens the way out although the password's way is locked.
    page = visitor.get("/withdraw")
    assert page.status_code == 200
    fields = re.findall(r'name="(\w+)"', page.text)
    said = {"name": "ada", "code": code, "secret": code}
    answer = visitor.post("/withdraw", {key: value for key, value in said.items() if key in fields})
    assert answer.status_code in (200, 302, 303)
    assert granted(site, who) == set(), "everything ends in one step"


def test_a_withdrawal_needs_no_right_and_no_evidence(site: Site) -> None:
    for recorder in (Recorder.PARTICIPANT, Recorder.OPERATOR):
        who = site.person(f"by {recorder}")
        consenting.withdraw(site.access, who, list(Scope), NOW, recorder=recorder)
        assert granted(site, who) == set()
