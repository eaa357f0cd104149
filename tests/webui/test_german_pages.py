"""Pages in German say nothing in English: neither what has a translation, nor what was never wrapped."""

import re
from datetime import timedelta

import pytest

from tests.webui import rating, translating, walking
from tests.webui.reading import texts
from tests.webui.site import TODAY, Site, Visitor
from tests.webui.walking import Door
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.consent import Scope
from tracker.domain.members import Role
from tracker.domain.notice import CARDS
from tracker.domain.series import Context, Correction
from tracker.workflows import feedback

ENGLISH = re.compile(
    r"\b(the|you|your|and|with|is|are|not|this|that|of|for|from|nothing|nobody|what|how|when|which)\b",
    re.IGNORECASE,
)
"""Words without which English says little, and of which none is German."""

NAMES = ["· affect-tracker", "affect-tracker", *(card.title for card in CARDS)]
DATA = re.compile("|".join([*map(re.escape, NAMES), r"\{\w+\}", r"\b[\w.]+@[\w.]+"]))
"""What is no language's: names, the titles of the study's cards, what scripts fill in, addresses."""


def untranslated() -> dict[str, re.Pattern[str]]:
    """Texts of the source whose German is another, as patterns in which anything may be filled in."""
    pairs = list(translating.pairs("de"))
    # A German word that happens to be an English text as well ("Passkey") is no finding.
    spoken = {german for _, german in pairs}
    found = {}
    for source, german in pairs:
        plain = re.sub(r"<[^>]+>", "", source).replace("%%", "%")
        parts = re.split(r"%\(\w+\)[sd]|\{\w+\}", plain)
        if source != german and source not in spoken and any(len(part.strip()) > 3 for part in parts):
            found[source] = re.compile(".+".join(map(re.escape, parts)))
    return found


def in_german(visitor: Visitor) -> Visitor:
    visitor.get("/privacy")
    assert visitor.post("/language", {"language": "de", "back": "/privacy"}).status_code == 303
    return visitor


def english_of(visitor: Visitor, door: Door, patterns: dict[str, re.Pattern[str]]) -> list[str]:
    """What a page says in English, where it claims to speak German."""
    answer = visitor.get(door.path)
    if answer.mimetype != "text/html" or 300 <= answer.status_code < 400:
        return []
    assert '<html lang="de"' in answer.text, door.path
    found = []
    for text in texts(answer.text, "de"):
        bare = DATA.sub("", text).strip()
        wrapped = any(pattern.fullmatch(bare) for pattern in patterns.values())
        if wrapped or ENGLISH.search(bare):
            found.append(f"{door.path}: {bare}")
    return found


def lived(site: Site) -> Visitor:
    """A participant with a series, contexts, corrections and answers; most of what pages can show is there."""
    who = site.person()
    instants = site.series(who, 50)
    feedback.add_context(
        site.access, who, Context(instants[3], place="home", activity="working", company="alone"), site.now
    )
    for at in (instants[5], instants[20]):
        said = Distribution.said(Emotion.FEAR, Emotion.SADNESS)
        feedback.correct(site.access, who, Correction(at, "emotion", said, suggestion_shown=True), site.now)
    site.wait(timedelta(minutes=1))
    return site.logged_in()


def rater(site: Site) -> Visitor:
    rating.shown_person(site, "bo")
    return rating.at_desk(site, rating.member(site))


def test_pages_of_participants(lite: Site) -> None:
    visitor, patterns = in_german(lived(lite)), untranslated()
    moment = int((lite.now - timedelta(minutes=30)).timestamp())
    found = []
    for door in walking.doors(lite, at=moment):
        if door.verb == "GET" and not door.endpoint.startswith(("rate.", "assets.", "entering.enter")):
            found += english_of(visitor, door, patterns)
    for unit in ("week", "month"):
        found += english_of(visitor, Door("timeline.page", "GET", f"/timeline/{unit}/{TODAY}"), patterns)
    assert found == []


def test_pages_of_somebody_who_allows_nothing(lite: Site) -> None:
    lite.person(scopes=())
    visitor, patterns = in_german(lite.logged_in()), untranslated()
    paths = ["/consent", f"/timeline/day/{TODAY}", "/learned", "/capture", "/answer", "/my-data", "/account"]
    found = [line for path in paths for line in english_of(visitor, Door("", "GET", path), patterns)]
    assert found == []


@pytest.mark.parametrize("role", sorted(walking.STAFF, key=str))
def test_pages_of_the_staff(lite: Site, role: Role) -> None:
    visitor = (
        rater(lite)
        if role is Role.RATER
        else walking.with_session(
            lite, walking.member(lite.access, "kim", role, study=walking.in_force(lite.access))
        )
    )
    in_german(visitor)
    patterns, found = untranslated(), []
    for door in walking.doors(lite):
        if door.verb == "GET" and door.endpoint.startswith(
            ("rate.", "account.", "confirming.", "entering.home")
        ):
            found += english_of(visitor, door, patterns)
    assert found == []


def test_pages_of_nobody(lite: Site) -> None:
    visitor, patterns = in_german(lite.visitor()), untranslated()
    paths = ["/login", "/withdraw", "/privacy", "/answer/offline", "/no-such-page"]
    found = [line for path in paths for line in english_of(visitor, Door("", "GET", path), patterns)]
    assert found == []


def test_pages_after_an_erasure(lite: Site) -> None:
    visitor, patterns = in_german(lived(lite)), untranslated()
    assert visitor.post("/consent/context/withdraw").status_code == 303
    assert visitor.post("/consent/answer", {"answer": "erase_scope"}).status_code == 303
    found = english_of(visitor, Door("mydata.page", "GET", "/my-data"), patterns)
    assert visitor.post("/my-data/erase", {"word": "erase"}).status_code == 303
    found += english_of(visitor, Door("erased.page", "GET", "/erased"), patterns)
    assert "Alles über dich ist gelöscht" in visitor.get("/erased").text
    assert found == []


def test_what_goes_wrong_is_said_in_german(lite: Site) -> None:
    lite.person(scopes=(Scope.AFFECT_SERIES,))
    visitor = in_german(lite.logged_in())
    at = lite.now.isoformat()
    assert "keine der acht Emotionen" in visitor.post("/correct", {"at": at, "emotion": "joy"}).text
    assert (
        "Sag mindestens eines"
        in visitor.post("/answer", {"key": "0" * 8 + "-0000-4000-8000-" + "0" * 12}).text
    )
    stale = visitor.client.post("/pause", data={"csrf_token": "x"})
    assert stale.status_code == 403
    assert "Dieses Formular ist zu alt" in stale.text


def test_days_numbers_and_plurals_are_written_as_the_language_writes_them(lite: Site) -> None:
    visitor = in_german(lived(lite))
    day = visitor.get(f"/timeline/day/{TODAY}").text
    assert "Freitag, 20. März 2026" in day
    assert "du hast 2 Momente berichtigt" in day
    assert re.search(r'<td class="num">[+−]0,\d\d</td>', day)
    assert "zu Hause, arbeiten, allein" in day
    week = visitor.get(f"/timeline/week/{TODAY}").text
    assert "Von 14. März bis 20. März 2026" in week
    assert "Fr., 20. März" in visitor.get(f"/timeline/month/{TODAY}").text


def test_nobody_is_called_sie() -> None:
    # Du throughout; a Sie at the beginning of a sentence speaks of a thing.
    for _, german in translating.pairs("de"):
        assert not re.search(r"\b(Ihnen|Ihre[mnrs]?|Ihr)\b", german), german
        assert not re.search(r"[^.:?!„ ] Sie\b", german), german


def test_a_face_looks_like_something_and_nobody_is_anything() -> None:
    names = "neutral|Freude|Überraschung|Trauer|Ärger|Ekel|Angst|Verachtung"
    said = dict(translating.pairs("de"))
    assert said["looks like %(first)s"] == "sieht aus wie %(first)s"
    assert [said[emotion.value] for emotion in Emotion] == names.split("|")
    assert not [
        text for text in said.values() if re.search(rf"\bdu (bist|fühlst) ({names})\b", text, re.IGNORECASE)
    ]
