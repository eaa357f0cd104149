"""What the study's file says, the pages do: its own questions, words, scopes."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any

from sqlalchemy import select

from tests.webui.site import Site
from tracker.domain.consent import Recorder, Scope
from tracker.store import tables
from tracker.study import Study, parse
from tracker.workflows import consenting, studies

FILE = """\
id: own
title: Our own
version: "{version}"
help_contact: Dr. Example
deployment_context: research_home
controller: {{name: Example University, contact: privacy@example.org}}
purposes: [{{text: To learn something.}}]
{more}
"""
OWN = """\
contexts:
  place: [the bridge, the engine room]
targets:
  - {name: "number:stress", question: "How stressed are you?", low: not at all, high: very}
  - {name: "yes_no:tired", question: "Are you tired?"}
languages:
  en: {questions: {"yes_no:tired": "Feeling tired?"}}
"""


def govern(site: Site, more: str, version: str = "1") -> Study:
    study = parse(FILE.format(more=more, version=version), "own.yaml")
    studies.apply(site.access, study, "ops", site.now)
    return study


def granted(site: Site, *scopes: Scope) -> None:
    who = site.access.person("ada")
    consenting.grant(site.access, who, scopes, site.now, recorder=Recorder.PARTICIPANT)


def words(site: Site) -> dict[str, float]:
    c = tables.corrections.c
    with site.access.database.read() as connection:
        return {row.target: row.value for row in connection.execute(select(c.target, c.value))}


def sent(visitor: Any, **fields: str) -> Any:
    return visitor.json("/answer", {"key": str(uuid.uuid4()), **fields})


def test_the_form_asks_the_studys_own_questions_and_offers_its_words(site: Site) -> None:
    site.person()
    govern(site, OWN)
    granted(site, Scope.AFFECT_SERIES, Scope.CONTEXT, Scope.PERSONAL_LEARNING)
    visitor = site.logged_in()
    page = unescape(visitor.get("/answer").text)
    assert "How stressed are you?" in page
    assert "Feeling tired?" in page
    assert "not at all" in page
    assert re.findall(r'name="place" value="([^"]+)"', page) == ["the bridge", "the engine room"]
    assert 'name="company" value="alone"' in page, "what the study does not say stays"
    assert len(re.findall(r'name="number:stress"', page)) == 7
    reply = sent(visitor, **{"number:stress": "7", "yes_no:tired": "either", "place": "the bridge"})
    assert reply.status_code == 200, reply.text
    assert words(site) == {"number:stress": 1.0, "yes_no:tired": 0.5}
    assert "How stressed are you?" in reply.json["html"]
    shell = unescape(visitor.get("/answer/shell").text)
    assert "How stressed are you?" in shell, "without a connection too"
    assert visitor.json("/capture/context", {"place": "the engine room"}).status_code == 200
    assert visitor.json("/capture/context", {"place": "home"}).status_code == 400


def test_what_the_study_does_not_ask_is_no_answer(site: Site) -> None:
    site.person()
    govern(site, OWN)
    granted(site, Scope.AFFECT_SERIES)
    visitor = site.logged_in()
    for fields, told in (
        ({"number:joy": "3"}, "does not ask for"),
        ({"number:stress": "8"}, "from 1 to 7"),
        ({"number:stress": "x"}, "no whole number"),
        ({"yes_no:tired": "perhaps"}, "none of yes, either and no"),
    ):
        reply = sent(visitor, **fields)
        assert reply.status_code == 400
        assert told in reply.json["error"]
    assert words(site) == {}


def test_a_form_without_scripts_stores_the_same(site: Site) -> None:
    site.person()
    govern(site, OWN)
    granted(site, Scope.AFFECT_SERIES)
    visitor = site.logged_in()
    page = visitor.get("/answer")
    (made,) = re.findall(r'name="key" value="([^"]+)"', page.text)
    assert visitor.post("/answer", {"key": made, "yes_no:tired": "yes"}).status_code == 200
    assert words(site) == {"yes_no:tired": 1.0}


def test_what_is_not_asked_for_is_not_shown_and_cannot_be_granted(site: Site) -> None:
    site.person()
    govern(site, "scopes: [affect_series, context]")
    visitor = site.logged_in()
    visitor.get("/notice")
    visitor.post("/notice")
    page = visitor.get("/consent").text
    assert 'id="affect_series"' in page
    assert 'id="notes"' in page, "allowed before, so it can be withdrawn"
    assert 'action="/consent/notes/grant"' not in page
    assert 'action="/consent/notes/withdraw"' in page
    assert 'action="/consent/context/grant"' in page
    reply = visitor.post("/consent/notes/grant", {})
    assert reply.status_code == 403
    assert "does not ask for that" in reply.text
    site.wait(timedelta(minutes=1))
    assert visitor.post("/consent/notes/withdraw", {}).status_code in (200, 303)
    for address in ("/answer", "/privacy", "/timeline", "/capture"):
        assert visitor.get(address, follow_redirects=True).status_code == 200
