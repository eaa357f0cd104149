"""Hiding and deleting a stretch on the web: told before it is done, done once, taken back where it can be."""

from __future__ import annotations

import re
from datetime import timedelta

from tests import builders
from tests.webui.site import TODAY, Site, Visitor
from tracker.domain.consent import Scope
from tracker.domain.people import Person
from tracker.domain.series import Context
from tracker.workflows import feedback, hiding

FROM, TO = "2026-03-20T12:00", "2026-03-20T12:30"  # on ada's own clock: one hour ahead of UTC


def held(site: Site, who: Person) -> int:
    with site.access.read(who.id, site.now) as unit:
        return len(hiding.hidden(unit))


def choose(visitor: Visitor) -> dict[str, str]:
    """Choose a stretch; the fields of the two buttons that follow."""
    visitor.get("/stretch")
    page = visitor.post("/stretch", {"from": FROM, "to": TO})
    assert page.status_code == 200
    return dict(re.findall(r'name="(from|to)" value="([^"]+)"', page.text))


def test_it_is_told_what_lies_in_a_stretch_before_anything_is_done(site: Site) -> None:
    who = site.person()
    site.series(who)
    visitor = site.logged_in()
    page = visitor.post("/stretch", {"from": FROM, "to": TO}).text
    assert "Moments of recordings: 30" in page
    assert "Estimates: 27" in page
    assert held(site, who) == 0


def test_a_stretch_is_hidden_said_on_the_timeline_and_shown_again(site: Site) -> None:
    who = site.person()
    site.series(who)
    visitor = site.logged_in()
    fields = choose(visitor)
    assert fields["from"].startswith("2026-03-20T11:00")
    assert visitor.post("/stretch/hide", fields).status_code == 303
    assert held(site, who) == 1
    page = visitor.get(f"/timeline/day/{TODAY}").text
    assert "hidden by you from everybody else" in page
    assert "in 54 readings" in page, "it stays one's own"
    data = visitor.get(f"/timeline/day/{TODAY}/data").get_json()
    assert "hidden" in [b["why"] for b in data["blanks"]]
    listed = visitor.get("/stretch").text
    number = re.search(r'name="number" value="(\d+)"', listed)
    assert number is not None
    assert visitor.post("/stretch/show", {"number": number[1]}).status_code == 303
    assert held(site, who) == 0
    assert visitor.post("/stretch/show", {"number": number[1]}).status_code == 404


def test_nothing_is_deleted_without_the_tick_and_all_of_it_with_it(site: Site) -> None:
    who = site.person()
    site.series(who)
    visitor = site.logged_in()
    fields = choose(visitor)
    assert visitor.post("/stretch/delete", fields).status_code == 400
    assert "in 54 readings" in visitor.get(f"/timeline/day/{TODAY}").text
    done = visitor.post("/stretch/delete", {**fields, "sure": "1"}, follow_redirects=True)
    assert "it was looked for afterwards" in done.text
    page = visitor.get(f"/timeline/day/{TODAY}").text
    assert "in 27 readings" in page
    assert "erased by you" in page
    assert "What you deleted" in visitor.get("/stretch").text


def test_what_is_no_stretch_is_said_and_nothing_lost(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    for given, word in (
        ({"from": "yesterday", "to": TO}, "both ends"),
        ({"from": TO, "to": FROM}, "swap the two times"),
        ({"from": "0001-01-01T00:00", "to": TO}, "that long ago"),
        ({}, "both ends"),
    ):
        for path in ("/stretch", "/stretch/hide", "/stretch/delete"):
            answer = visitor.post(path, {**given, "sure": "1"})
            assert answer.status_code == 400, (path, given)
            assert word in answer.text
    future = visitor.post("/stretch/hide", {"from": "2026-03-21T10:00", "to": "2026-03-21T11:00"})
    assert future.status_code == 400
    assert "hide what has passed" in future.text


def test_nobody_shows_or_deletes_what_is_another_persons(lite: Site) -> None:
    ada, bob = lite.person("ada"), lite.person("bob")
    lite.series(ada)
    theirs = lite.logged_in("ada")
    theirs.post("/stretch/hide", choose(theirs))
    other = lite.logged_in("bob")
    assert other.post("/stretch/show", {"number": "1"}).status_code == 404
    assert other.post("/stretch/delete", {**choose(other), "sure": "1"}).status_code == 303
    assert held(lite, ada) == 1
    assert held(lite, bob) == 0
    assert "in 54 readings" in theirs.get(f"/timeline/day/{TODAY}").text


def test_why_a_day_is_empty_is_said_in_chart_table_and_sentence(site: Site) -> None:
    noon = site.now - timedelta(hours=2)
    who = site.person("ada", (Scope.AFFECT_SERIES, Scope.CONTEXT), covers_from=noon)
    builders.store(site.access, who, [builders.observed(noon + timedelta(minutes=5))], site.now)
    feedback.add_context(site.access, who, Context(noon + timedelta(minutes=1), place="garden"), site.now)
    visitor = site.logged_in()
    visitor.post("/pause")
    site.wait(timedelta(minutes=30))
    page = visitor.get(f"/timeline/day/{TODAY}").text
    [sentence] = re.findall(r'id="summary">([^<]+)<', page)
    table = page.split('id="table"')[1]
    data = visitor.get(f"/timeline/day/{TODAY}/data").get_json()
    for words in ("storing was not allowed", "paused by you"):
        assert words in sentence
        assert words in table
    assert {b["why"] for b in data["blanks"]} == {"not_allowed", "paused"}
    assert "<b>A</b> garden" in page
    assert [c["letter"] for c in data["contexts"]] == ["A"]
    assert "garden" not in str(data), "the chart's frame holds no text of anybody"
