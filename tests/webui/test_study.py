"""What the web says of the study in force: its notice, in the reader's language; whom to ask; that it is closed."""

from __future__ import annotations

import re
from pathlib import Path

from tests.builders import NOW
from tests.webui.site import Site, Visitor
from tracker.domain.consent import Scope
from tracker.domain.notice import CARDS
from tracker.domain.people import Person
from tracker.study import Study, notice_texts, parse
from tracker.workflows import studies

_CARDS = "\n".join(
    f"""[languages.de.cards.{card.scope.value}]
title = "Karte {card.scope.value}"
what = "Was"
why = "Warum"
who = "Wer"
how_long = "Wie lange"
"""
    for card in CARDS
)
STUDY = f"""
id = "sleep"
title = "Sleep and mood"
version = "1"
help_contact = "Dr. Example, +49 30 1234567"
deployment_context = "research_home"
[controller]
name = "Example University"
contact = "privacy@example.org"
[[purposes]]
text = "To learn how sleep and mood go together."
[languages.en]
[languages.de]
title = "Schlaf und Stimmung"
preamble = "Diese Software schaut auf Gesichter und liegt oft falsch."
purposes = ["Um zu lernen, wie Schlaf und Stimmung zusammenhängen."]
{_CARDS}
"""


def apply(site: Site, study: Study) -> None:
    studies.apply(site.access, study, "ops", NOW)


def granted(site: Site, who: Person) -> dict[Scope, str]:
    with site.access.read(who.id, site.now) as unit:
        return {scope: event.notice.language for scope, event in unit.grants().items()}


def shown(visitor: Visitor, **options: object) -> str:
    page = visitor.get("/consent", **options).text
    found = re.search(r'name="notice" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def test_a_new_notice_is_shown_again_before_anything_else(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    assert visitor.get("/consent").status_code == 200
    apply(lite, parse(STUDY))
    assert visitor.get("/consent").location == "/notice"
    page = visitor.get("/notice").text
    for said in ("Sleep and mood", "Example University", "how sleep and mood go together"):
        assert said in page
    visitor.post("/notice")
    page = visitor.get("/consent").text
    assert page.count(">Allow again</button>") == len(Scope), "nothing is carried over"


def test_every_page_names_the_studys_help_contact(lite: Site) -> None:
    apply(lite, parse(STUDY))
    lite.person()
    visitor = lite.logged_in()
    for path in ("/consent", "/my-data", "/timeline/day/2026-03-20", "/nowhere"):
        assert "Dr. Example, +49 30 1234567" in visitor.get(path).text, path
    assert "Dr. Example, +49 30 1234567" in lite.visitor().get("/login").text


def test_whom_to_ask_is_said_even_without_a_database(sqlite_url: str, tmp_path: Path) -> None:
    site = Site(sqlite_url, tmp_path)
    visitor = site.visitor()
    site.access.database.close()
    path = site.access.database.path
    assert path is not None
    path.rename(path.with_suffix(".away"))
    path.write_bytes(b"no database" * 1000)
    page = visitor.get("/login")
    assert "the people who gave you your code" in page.text


def test_what_is_agreed_to_is_what_was_read_in_its_language(lite: Site) -> None:
    apply(lite, parse(STUDY))
    who = lite.person(scopes=())
    visitor = lite.logged_in()
    visitor.get("/notice")
    visitor.post("/notice")
    german = {"headers": {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}}
    assert "Karte affect_series" in visitor.get("/consent", **german).text
    by_language = {text.language: text.notice().sha256 for text in notice_texts(parse(STUDY))}
    assert (shown(visitor), shown(visitor, **german)) == (by_language["en"], by_language["de"])
    visitor.post("/consent/affect_series/grant", {"notice": by_language["de"]})
    visitor.post("/consent/context/grant", {"notice": by_language["en"]})
    assert granted(lite, who) == {Scope.AFFECT_SERIES: "de", Scope.CONTEXT: "en"}


def test_a_notice_that_changed_between_reading_and_choosing_is_read_again(lite: Site) -> None:
    who = lite.person(scopes=())
    visitor = lite.logged_in()
    visitor.get("/notice")
    visitor.post("/notice")
    old = shown(visitor)
    apply(lite, parse(STUDY))
    visitor.get("/notice")
    visitor.post("/notice")
    answer = visitor.post("/consent/context/grant", {"notice": old})
    assert answer.status_code == 403
    assert "has changed since you read it" in answer.text
    assert granted(lite, who) == {}


def test_a_closed_study_says_so_and_lets_go(lite: Site) -> None:
    who = lite.person()
    visitor = lite.logged_in()
    studies.close(lite.access, "ops", NOW)
    assert "This study is closed" in visitor.get("/consent").text
    answer = visitor.post("/consent/context/grant")
    assert answer.status_code == 403
    assert "This study is closed" in answer.text
    assert visitor.post("/consent/context/withdraw").status_code == 303
    assert Scope.CONTEXT not in granted(lite, who)
    assert visitor.post("/my-data/download").status_code == 200
