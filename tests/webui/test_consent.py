"""The consent page: nothing chosen in advance, one step each way, what operators record, withdrawal."""

from datetime import timedelta

import pytest

from tests import builders
from tests.webui.site import Site
from tracker.domain.consent import Recorder, Scope
from tracker.domain.notice import CARDS
from tracker.domain.people import Person
from tracker.store import requests
from tracker.workflows import consenting


def granted(site: Site, who: Person) -> set[Scope]:
    with site.access.read(who.id, site.now) as unit:
        return set(unit.grants())


def test_nothing_is_chosen_in_advance_and_every_scope_has_its_card(lite: Site) -> None:
    who = lite.person(scopes=())
    visitor = lite.logged_in()
    visitor.get("/notice")
    visitor.post("/notice")
    page = visitor.get("/consent").text
    assert granted(lite, who) == set()
    assert "checked" not in page
    for card in CARDS:
        assert card.title in page
        assert f'id="{card.scope.value}"' in page


def test_each_thing_is_given_and_withdrawn_in_one_step_in_the_same_place(site: Site) -> None:
    who = site.person(scopes=(Scope.AFFECT_SERIES,))
    visitor = site.logged_in()
    answer = visitor.post("/consent/context/grant")
    assert answer.location == "/consent#context"
    assert granted(site, who) == {Scope.AFFECT_SERIES, Scope.CONTEXT}
    answer = visitor.post("/consent/context/withdraw")
    assert answer.location == "/consent#context"
    assert granted(site, who) == {Scope.AFFECT_SERIES}
    visitor.post("/consent/prompts/refuse")
    assert "you said no" in visitor.get("/consent").text


def test_a_grant_can_cover_earlier_recordings_but_not_later_ones(site: Site) -> None:
    who = site.person(scopes=(Scope.CONTEXT,))
    visitor = site.logged_in()
    visitor.post("/consent/affect_series/grant", {"since": "2026-03-01"})
    with site.access.read(who.id, site.now) as unit:
        event = unit.grants()[Scope.AFFECT_SERIES]
    assert event.covers_from.isoformat() == "2026-02-28T23:00:00+00:00"
    assert event.recorded_at == site.now
    for bad, says in (("2026-04-01", "future"), ("tomorrow", "no date")):
        answer = visitor.post("/consent/prompts/grant", {"since": bad})
        assert answer.status_code == 400
        assert says in answer.text
    assert Scope.PROMPTS not in granted(site, who)


def test_what_an_operator_recorded_waits_and_is_confirmed_in_one_step(site: Site) -> None:
    who = site.person(scopes=())
    start = site.now - timedelta(days=5)
    consenting.grant(
        site.access,
        who,
        [Scope.AFFECT_SERIES, Scope.CONTEXT, Scope.PROMPTS],
        site.now,
        recorder=Recorder.OPERATOR,
        covers_from=start,
        evidence="binder <A>",
    )
    visitor = site.logged_in()
    visitor.get("/notice")
    visitor.post("/notice")
    assert visitor.get("/").location == "/consent"
    timeline = visitor.get("/timeline", follow_redirects=True).text
    assert "An operator recorded 3 choices for you" in timeline
    page = visitor.get("/consent").text
    assert page.count("recorded for you, not confirmed") == 3
    assert "binder &lt;A&gt;" in page
    visitor.post("/consent/confirm", {"scope": "context"})
    assert visitor.get("/consent").text.count("recorded for you, not confirmed") == 2
    visitor.post("/consent/confirm")
    assert "not confirmed" not in visitor.get("/consent").text
    assert visitor.get("/").location == "/timeline"
    assert "An operator recorded" not in visitor.get("/timeline", follow_redirects=True).text
    with site.access.read(who.id, site.now) as unit:
        assert {e.covers_from for e in unit.grants().values()} == {start}
    assert visitor.post("/consent/confirm", {"scope": "notes"}).status_code == 400


def test_withdrawal_asks_and_an_unanswered_one_says_when_it_is_erased(site: Site) -> None:
    site.person()
    visitor = site.logged_in()
    visitor.post("/consent/context/withdraw")
    page = visitor.get("/consent").text
    assert "What should happen with what is stored?" in page
    assert "erased on Friday 27 March 2026" in page
    visitor.post("/consent/answer", {"answer": "keep"})
    page = visitor.get("/consent").text
    assert "What should happen" not in page
    assert "kept for you alone" in page


def test_erase_this_erases_at_once(site: Site) -> None:
    who = site.person()
    site.series(who)
    visitor = site.logged_in()
    visitor.post("/consent/affect_series/withdraw")
    assert visitor.post("/consent/answer", {"answer": "erase_scope"}).status_code == 303
    with site.access.read(who.id, site.now) as unit:
        assert [r for r in requests.of(unit.connection, who.id) if r.answer == "unanswered"] == []
    assert "Your timeline is empty" in visitor.get("/timeline", follow_redirects=True).text


def test_erase_everything_leads_to_where_it_is_confirmed(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    visitor.post("/consent/context/withdraw")
    assert visitor.post("/consent/answer", {"answer": "erase_all"}).location == "/my-data#erase"
    for bad in ("", "unanswered", "burn"):
        assert visitor.post("/consent/answer", {"answer": bad}).status_code == 400


def test_nothing_can_be_read_by_others_nor_corrected_after_withdrawal(site: Site) -> None:
    who = site.person()
    at = site.series(who)[-5]
    visitor = site.logged_in()
    visitor.post("/consent/affect_series/withdraw")
    answer = visitor.post("/correct", {"at": at.isoformat(), "emotion": "fear"})
    assert answer.status_code == 403
    assert "You have not allowed “Keep my series of estimates”; nothing was saved." in answer.text
    assert "affect-tracker consent" not in answer.text
    assert "ada has" not in answer.text
    with pytest.raises(Exception, match="was refused or withdrawn"):
        builders.store(site.access, who, [builders.observed(site.now)], site.now)


def test_the_record_lists_every_choice(lite: Site) -> None:
    lite.person(scopes=(Scope.AFFECT_SERIES,))
    visitor = lite.logged_in()
    visitor.post("/consent/affect_series/withdraw")
    page = visitor.get("/consent").text
    assert "every choice so far (2)" in page
