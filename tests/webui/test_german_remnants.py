"""What a German page says in the very words of its English one was never translated: here is the whole list."""

import re
from datetime import timedelta

import pytest

from tests.webui import rating, walking
from tests.webui.reading import texts
from tests.webui.site import TODAY, Site, Visitor
from tests.webui.test_german_pages import lived, rater
from tests.webui.walking import Door
from tracker.domain.members import Role
from webui import roles

SAME = {
    "affect-tracker",
    "ada",  # a participant's name
    "CSV",
    "Name",
    "neutral",
    "Passkeys",
    "Pause",
    "erase",  # the word that a form sends, not one that is read
}
"""What is the same in both languages, or no language's."""

PAGES = ("week", "month")


def spoken(visitor: Visitor, doors: list[Door], language: str) -> dict[str, list[str]]:
    """What each page says in a language, without what has no letters."""
    visitor.get("/privacy")
    assert visitor.post("/language", {"language": language, "back": "/privacy"}).status_code == 303
    found = {}
    for door in doors:
        answer = visitor.get(door.path)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            said = texts(answer.text, language)
            found[door.path] = [text for text in said if re.search(r"[A-Za-z]{3}", text)]
    return found


def remnants(site: Site, visitor: Visitor, role: Role | None) -> list[str]:
    """Every text of every page that somebody may see which is the same in both languages."""
    here = frozenset({role}) if role is not None else frozenset[Role]()
    at = int((site.now - timedelta(minutes=30)).timestamp())
    doors = [
        door
        for door in walking.doors(site, at=at)
        if door.verb == "GET"
        and roles.rule(door.endpoint).allows(here)
        and not door.endpoint.startswith(("assets.", "entering.enter"))
    ]
    if role is Role.PARTICIPANT:
        doors += [Door("timeline.page", "GET", f"/timeline/{unit}/{TODAY}") for unit in PAGES]
    english, german = (spoken(visitor, doors, language) for language in ("en", "de"))
    assert german.keys() == english.keys()
    assert len(german) >= (4 if role is None else 8), "the walk finds pages"
    return sorted(
        {f"{path}: {text}" for path, said in german.items() for text in said if text in english[path]}
        - {f"{path}: {text}" for path in german for text in SAME}
    )


def test_nothing_of_a_participant_is_left_in_english(lite: Site) -> None:
    assert remnants(lite, lived(lite), Role.PARTICIPANT) == []


@pytest.mark.parametrize("role", sorted(walking.STAFF, key=str))
def test_nothing_of_the_staff_is_left_in_english(lite: Site, role: Role) -> None:
    if role is Role.RATER:
        visitor = rater(lite)
    else:
        rating.shown_person(lite, "bo")
        lite.series(lite.person())
        kim = walking.member(lite.access, "kim", role, study=walking.in_force(lite.access))
        visitor = walking.with_session(lite, kim)
    assert remnants(lite, visitor, role) == []


def test_nothing_of_nobody_is_left_in_english(lite: Site) -> None:
    assert remnants(lite, lite.visitor(), None) == []
