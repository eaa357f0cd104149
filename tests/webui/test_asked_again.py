"""The consent page when the notice has changed, a guardian has to agree, time is over, or the study is closed."""

from __future__ import annotations

import json
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from tests.invariants.ruling import ruled
from tests.webui.site import Site, Visitor
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.privacy import signed
from tracker.privacy.verifying import Verified, verify
from tracker.store import requests
from tracker.study.parts import CardWords, Words
from tracker.workflows import consenting

DAY = timedelta(days=1)
CHANGED = {"en": Words(cards={Scope.CONTEXT: CardWords(why="Because a <new> question came up.")})}


class Forms(HTMLParser):
    """The forms of a page: by address, the fields that a person can fill in, and how many buttons send it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.buttons: dict[str, int] = {}
        self._open: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = dict(attributes)
        if tag == "form":
            self._open = told.get("action") or ""
            self.fields.setdefault(self._open, [])
            self.buttons.setdefault(self._open, 0)
        elif self._open is not None and tag == "button":
            self.buttons[self._open] += 1
        elif (
            self._open is not None and tag in ("input", "select", "textarea") and told.get("type") != "hidden"
        ):
            self.fields[self._open].append(told.get("name") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def granted(site: Site, who: Person) -> set[Scope]:
    with site.access.read(who.id, site.now) as unit:
        return set(unit.grants())


def entered(site: Site, name: str = "ada") -> Visitor:
    visitor = site.logged_in(name)
    visitor.get("/notice")
    visitor.post("/notice")
    return visitor


def test_a_changed_notice_asks_again_says_what_changed_and_ticks_nothing(site: Site) -> None:
    ruled(site.access, site.now)
    who = site.person(scopes=(Scope.AFFECT_SERIES, Scope.CONTEXT))
    site.wait(DAY)
    ruled(site.access, site.now, languages=CHANGED)
    visitor = site.logged_in()
    assert visitor.get("/consent").location == "/notice", "the new text comes first"
    visitor.get("/notice")
    visitor.post("/notice")
    page = visitor.get("/consent").text
    assert "you are asked again" in page
    assert "Because a &lt;new&gt; question came up." in page
    assert "The same face means different things at work, at home and alone." in page
    assert "Saturday 21 March 2026" in page
    assert page.count(">asked again<") == 2
    assert "checked" not in page
    assert granted(site, who) == set()
    visitor.post("/consent/context/grant")
    assert granted(site, who) == {Scope.CONTEXT}
    assert visitor.get("/consent").text.count(">asked again<") == 1


def test_whoever_is_asked_again_can_withdraw_and_is_asked_what_becomes_of_the_data(site: Site) -> None:
    ruled(site.access, site.now)
    who = site.person(scopes=(Scope.AFFECT_SERIES,))
    visitor = site.logged_in()
    ruled(site.access, site.now, languages=CHANGED)
    # The page was open when the notice changed: the button on it works all the same.
    assert visitor.post("/consent/affect_series/withdraw").status_code == 303
    with site.access.read(who.id, site.now) as unit:
        assert [r.answer for r in requests.of(unit.connection, who.id)] == ["unanswered"]
    visitor.get("/notice")
    visitor.post("/notice")
    assert "What should happen with what is stored?" in visitor.get("/consent").text


def test_a_choice_under_a_text_that_does_not_stand_any_more_is_not_taken(site: Site) -> None:
    ruled(site.access, site.now)
    who = site.person(scopes=(Scope.AFFECT_SERIES,))
    visitor = site.logged_in()
    with site.access.read(who.id, site.now) as unit:
        old = unit.events[0].notice.sha256
    ruled(site.access, site.now, languages=CHANGED)
    visitor.get("/notice")
    visitor.post("/notice")
    answer = visitor.post("/consent/context/grant", {"notice": old})
    assert answer.status_code == 403
    assert granted(site, who) == set()


def test_a_guardian_is_shown_and_does_not_stand_in_for_anybody(site: Site) -> None:
    ruled(site.access, site.now, consent={"guardians": True})
    who = site.person(scopes=())
    visitor = entered(site)
    assert "a guardian has to agree as well" in visitor.get("/consent").text
    visitor.post("/consent/context/grant")
    visitor.post("/consent/affect_series/grant")
    assert granted(site, who) == set()
    page = visitor.get("/consent").text
    assert page.count("waits for your guardian") == 2
    for scope in (Scope.CONTEXT, Scope.NOTES):
        consenting.grant(
            site.access, who, [scope], site.now, recorder=Recorder.GUARDIAN, evidence="form 3, a parent"
        )
    assert granted(site, who) == {Scope.CONTEXT}
    page = visitor.get("/consent").text
    assert "Your guardian agreed on" in page
    assert "your guardian: form 3, a parent" in page
    visitor.post("/consent/context/withdraw")
    assert granted(site, who) == set(), "without them"


def test_what_ended_by_itself_says_so_and_can_be_allowed_again_or_withdrawn(site: Site) -> None:
    ruled(site.access, site.now, consent={"expires_after_days": 30})
    who = site.person(scopes=(Scope.AFFECT_SERIES, Scope.CONTEXT))
    assert "ends by itself on Sunday 19 April 2026" in entered(site).get("/consent").text
    site.wait(31 * DAY)
    assert granted(site, who) == set()
    visitor = entered(site)
    page = visitor.get("/consent").text
    assert page.count("its time is over") == 2
    assert page.count("Allow again: ") == 2
    assert visitor.post("/consent/context/refuse").status_code == 400
    visitor.post("/consent/context/withdraw")
    visitor.post("/consent/affect_series/grant")
    assert granted(site, who) == {Scope.AFFECT_SERIES}


def test_a_closed_study_offers_only_the_ways_out(site: Site) -> None:
    ruled(site.access, site.now)
    who = site.person(scopes=(Scope.AFFECT_SERIES,))
    ruled(site.access, site.now, closed=True)
    visitor = entered(site)
    forms = Forms(visitor.get("/consent").text)
    assert [a for a in forms.fields if a.endswith(("/grant", "/refuse", "/confirm"))] == []
    assert visitor.post("/consent/context/grant").status_code in (403, 409)
    visitor.post("/consent/affect_series/withdraw")
    assert granted(site, who) == set()
    assert visitor.get("/consent/receipt").status_code == 200


def test_withdrawing_takes_no_more_than_granting(lite: Site) -> None:
    lite.person(scopes=())
    visitor = entered(lite)
    for scope in Scope:
        give = Forms(visitor.get("/consent").text)
        address = f"/consent/{scope.value}/grant"
        visitor.post(address)
        take = Forms(visitor.get("/consent").text)
        back = f"/consent/{scope.value}/withdraw"
        assert take.buttons[back] == give.buttons[address] == 1, "one click each"
        assert take.fields[back] == []
        assert len(take.fields[back]) <= len(give.fields[address])
        answer = visitor.post(back)
        assert (answer.status_code, answer.location) == (303, f"/consent#{scope.value}"), "one request each"


def test_the_receipt_is_ones_own_and_verifies(site: Site) -> None:
    site.person()
    other = site.person("bob", scopes=(Scope.NOTES,))
    assert site.visitor().get("/consent/receipt").location == "/login"
    visitor = site.logged_in()
    answer = visitor.get("/consent/receipt")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Disposition"] == "attachment; filename=consent-receipt-2026-03-20.json"
    key = signed.fingerprint(site.access.vault.public_key())
    seen = verify(answer.text, key)
    assert isinstance(seen, Verified)
    assert (seen.name, seen.events) == ("ada", len(Scope))
    assert other.id not in answer.text
    assert "bob" not in answer.text
    assert len(json.loads(answer.text)["dpv:hasRecordOfActivity"]) == len(Scope)


def test_without_choices_there_is_no_receipt(lite: Site) -> None:
    lite.person(scopes=())
    visitor = entered(lite)
    assert "Download my receipt" not in visitor.get("/consent").text
    answer = visitor.get("/consent/receipt")
    assert answer.status_code == 404
    assert "You have not chosen anything yet" in answer.text


@pytest.mark.parametrize("path", ["/privacy", "/withdraw"])
def test_pages_without_a_session_are_open(lite: Site, path: str) -> None:
    assert lite.visitor().get(path).status_code == 200
