"""The rater's desk over HTTP: blind, once, taken back, taken away, and whatever nonsense is sent."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from tests.webui.rating import at_desk, item_of, key, member, rating_study, shown_person
from tests.webui.site import Site, Visitor
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Role
from tracker.domain.people import Person
from tracker.domain.rating import Because
from tracker.store import tables
from tracker.workflows import consenting, rating, studies
from webui.rate import room


def rows(site: Site, table: str = "rating_votes") -> int:
    with site.access.database.read() as connection:
        counted: int = connection.execute(
            select(func.count()).select_from(tables.metadata.tables[table])
        ).scalar_one()
    return counted


def take_back(site: Site, who: Person, scope: Scope = Scope.SHARE_WITH_RATERS) -> None:
    consenting.withdraw(site.access, who, [scope], site.now, recorder=Recorder.PARTICIPANT)


def answered(
    visitor: Visitor, item: str, answer: object = "fear", **more: object
) -> tuple[int, dict[str, object]]:
    body = {"item": item, "answer": answer, "key": key(), "response_ms": 700, "wait_ms": 40} | more
    response = visitor.json("/rate/vote", body)
    return response.status_code, response.json or {}


def first(visitor: Visitor) -> str:
    return item_of(visitor.get("/rate").text)


def test_the_notice_comes_before_the_first_face_and_nothing_is_ticked_in_advance(site: Site) -> None:
    shown_person(site)
    kim = member(site, agreed=False)
    visitor = at_desk(site, kim)
    asked = visitor.get("/rate")
    assert (asked.status_code, asked.location) == (303, "/rate/notice")
    assert visitor.client.get("/rate/next", json={}).status_code == 403
    page = visitor.get("/rate/notice").text
    assert "checked" not in page
    sha = re.search(r'name="sha256" value="([0-9a-f]{64})"', page)
    assert sha is not None
    changed = visitor.post("/rate/notice", {"sha256": "0" * 64, "votes": "1"})
    assert changed.status_code == 409
    refused = visitor.post("/rate/notice", {"sha256": sha[1], "speed": "1"})
    assert "You cannot rate as long as" in refused.text
    assert visitor.get("/rate").status_code == 303
    begun = visitor.post("/rate/notice", {"sha256": sha[1], "votes": "1"})
    assert (begun.status_code, begun.location) == (303, "/rate")
    assert "What does this face look like?" in visitor.get("/rate").text


def test_a_face_is_shown_blind_and_tells_nothing_of_whose_it_is(site: Site) -> None:
    who = shown_person(site, "a very particular name")
    visitor = at_desk(site, member(site))
    page = visitor.get("/rate").text
    assert "particular" not in page
    assert who.id not in page
    assert who.subject not in page
    assert "looks like" not in page.split("<footer")[0], "no estimate before one's own word"
    assert "data-why" in page
    picture = visitor.get(f"/rate/picture/{item_of(page)}")
    assert picture.mimetype == "image/png"
    assert "no-store" in picture.headers["Cache-Control"]
    assert picture.data.startswith(b"\x89PNG")
    with site.access.read(who.id, site.now) as unit:
        assert [look.what for look in site.access.looks(unit)] == ["a picture of your face, to rate it"]


def test_it_works_without_scripts(site: Site) -> None:
    shown_person(site)
    visitor = at_desk(site, member(site))
    page = visitor.get("/rate").text
    item = item_of(page)
    fields = dict(re.findall(r'<input type="hidden" name="(item|key|shown_at)" value="([^"]+)"', page))
    site.wait(timedelta(seconds=2))
    voted = visitor.post("/rate/vote", {**fields, "item": item, "answer": "anger", "second": "fear"})
    assert (voted.status_code, voted.location) == (303, "/rate")
    again = visitor.get("/rate").text
    assert "anger and some fear" in again
    assert item_of(again) != item
    with site.access.database.read() as connection:
        took = connection.execute(select(tables.rating_votes.c.response_ms)).scalar_one()
    assert took == 2000
    assert visitor.post("/rate/undo", {"key": key()}).status_code == 303
    back = visitor.get("/rate").text
    assert "anger and some fear" not in back
    assert item_of(back) == item


@pytest.mark.parametrize("answer", ["contempt", "cannot_tell", "not_a_face", "uncomfortable"])
def test_every_kind_of_answer_is_stored_and_said(lite: Site, answer: str) -> None:
    shown_person(lite)
    visitor = at_desk(lite, member(lite))
    item = first(visitor)
    status, told = answered(visitor, item, answer)
    assert status == 200
    assert str(told["words"]).startswith("Skipped." if answer == "uncomfortable" else "Saved: ")
    assert first(visitor) != item
    with lite.access.database.read() as connection:
        verdict = connection.execute(select(tables.rating_votes.c.verdict)).scalar_one()
    assert verdict == ("emotion" if answer == "contempt" else answer)


def test_a_decision_that_is_sent_twice_is_stored_once(site: Site) -> None:
    shown_person(site)
    visitor = at_desk(site, member(site))
    item, once = first(visitor), key()
    for _ in range(2):
        assert answered(visitor, item, key=once)[0] == 200
        told = visitor.client.get("/rate/next", json={}).json
        assert told is not None
        assert told["progress"] == {"done": 1, "goal": 20, "words": "1 of 20 today"}
    assert rows(site) == 1


def test_undo_supersedes_and_the_last_ten_open_again(site: Site) -> None:
    shown_person(site, faces=14)
    visitor = at_desk(site, member(site))
    items = []
    for _ in range(12):
        items.append(first(visitor))
        answered(visitor, items[-1])
        site.wait(timedelta(seconds=1))
    page = visitor.get("/rate").text
    listed = re.findall(r'<a href="/rate\?item=(\w+)" data-item', page)
    assert listed == items[:1:-1]
    again = visitor.get(f"/rate?item={items[5]}").text
    assert item_of(again) == items[5]
    assert "You said: fear. Choosing again takes its place." in again
    assert visitor.get(f"/rate?item={items[0]}").status_code == 400
    once = key()
    for _ in range(2):
        back = visitor.json("/rate/undo", {"item": items[11], "key": once})
        assert back.json is not None
        assert back.json["item"]["id"] == items[11]
    assert rows(site) == 13, "a row that takes back, and none that went"
    status, _ = answered(visitor, items[11], "anger")
    assert status == 200
    assert rows(site) == 14
    assert visitor.get("/rate").text.count("anger</span>") >= 1


def test_what_is_withdrawn_is_gone_from_the_page_the_picture_and_the_vote(site: Site) -> None:
    ada, bob = shown_person(site), shown_person(site, "bob")
    visitor = at_desk(site, member(site))
    coming = visitor.client.get("/rate/next", json={}).json
    assert coming is not None
    held = [item["id"] for item in coming["items"]]
    on = first(visitor)
    take_back(site, ada)
    take_back(site, bob)
    assert visitor.client.get(f"/rate/closed?hold={','.join(held)}", json={}).json == {"gone": sorted(held)}
    assert visitor.get(f"/rate/picture/{on}").status_code == 410
    status, told = answered(visitor, on, hold=held)
    assert status == 410
    assert told["error"] == "One face was taken back by its participant, so it is not shown any more."
    assert rows(site) == 0
    sent = visitor.post("/rate/vote", {"item": on, "answer": "fear", "key": key()})
    assert (sent.status_code, sent.location) == (303, "/rate?gone=1")
    page = visitor.get("/rate?gone=1").text
    assert "taken back by its participant" in page
    assert "Nothing to rate right now" in page
    assert "<img" not in page


@pytest.mark.parametrize(
    "fields",
    [
        {"answer": "joy"},
        {"answer": None},
        {"answer": ["fear"]},
        {"answer": "undone"},
        {"answer": "emotion"},
        {"key": ""},
        {"key": "x" * 65},
        {"key": "with blanks in it"},
        {"second": ["surprise"]},
        {"second": "joy"},
        {"second": {"surprise": 1}},
        {"valence": 1.5},
        {"valence": "much"},
        {"valence": "nan"},
        {"arousal": {"a": 1}},
        {"response_ms": -1},
        {"response_ms": 10**12},
        {"wait_ms": "inf"},
    ],
)
def test_nonsense_is_refused_with_words_and_nothing_is_stored(lite: Site, fields: dict[str, object]) -> None:
    shown_person(lite)
    visitor = at_desk(lite, member(lite))
    status, told = answered(visitor, first(visitor), **fields)
    assert status == 400
    assert str(told["error"]).startswith("Nothing was saved: ")
    assert rows(lite) == 0


def test_a_request_that_is_no_object_is_refused(lite: Site) -> None:
    shown_person(lite)
    visitor = at_desk(lite, member(lite))
    for path in ("/rate/vote", "/rate/undo"):
        assert visitor.json(path, ["fear"]).status_code == 400
        assert visitor.client.post(path, json={"answer": "fear"}).status_code == 403, "no token"


def test_nobody_rates_in_anothers_place(site: Site) -> None:
    shown_person(site, faces=8)
    kim, lea = at_desk(site, member(site, "kim")), at_desk(site, member(site, "lea"))
    item = first(kim)
    assert lea.get(f"/rate/picture/{item}").status_code == 404
    status, _ = answered(lea, item)
    assert status == 404
    assert lea.get(f"/rate?item={item}").status_code == 404
    assert lea.client.get(f"/rate/closed?hold={item}", json={}).json == {"gone": [item]}
    assert rows(site) == 0


def test_a_researcher_who_is_no_rater_gets_no_face(lite: Site) -> None:
    shown_person(lite)
    visitor = at_desk(lite, member(lite, "res", Role.RESEARCHER))
    assert visitor.get("/rate").status_code == 403


def test_an_ended_session_is_a_status_for_a_script(lite: Site) -> None:
    shown_person(lite)
    visitor = at_desk(lite, member(lite))
    item = first(visitor)
    lite.wait(timedelta(hours=13))
    assert answered(visitor, item)[0] == 401
    assert visitor.client.get("/rate/token", json={}).status_code == 401
    assert visitor.get("/rate").status_code == 303
    assert rows(lite) == 0


def test_the_token_says_whose_session_it_is(lite: Site) -> None:
    kim = member(lite)
    told = at_desk(lite, kim).client.get("/rate/token", json={}).json
    assert told is not None
    assert told["member"] == kim.id
    assert told["csrf"]


def test_the_estimate_is_told_after_ones_own_word_where_the_study_says_so(lite: Site) -> None:
    shown_person(lite, faces=6)
    visitor = at_desk(lite, member(lite))
    _, told = answered(visitor, first(visitor))
    assert "network" not in str(told["words"])
    study = rating_study(lite, reveal=True)
    studies.apply(lite.access, study, "ops", lite.now)
    page = visitor.get("/rate").text
    assert "looks like" not in page.split("<footer")[0]
    _, told = answered(visitor, item_of(page))
    assert "The network: looks like" in str(told["words"])


def test_the_reason_is_said_in_the_language_of_the_page(lite: Site) -> None:
    assert {because: str(text) for because, text in room.BECAUSE.items()} == {
        because: because.words for because in Because
    }
    shown_person(lite)
    page = at_desk(lite, member(lite)).get("/rate", headers={"Accept-Language": "de"}).text
    assert "Wonach sieht dieses Gesicht aus?" in page
    assert not any(because.words in page for because in Because)


def test_an_empty_queue_says_what_to_do(lite: Site) -> None:
    page = at_desk(lite, member(lite)).get("/rate").text
    assert "Nothing to rate right now" in page
    assert "Look again" in page


def test_keys_are_kept_per_rater_and_two_things_never_share_one(site: Site) -> None:
    kim, lea = at_desk(site, member(site, "kim")), at_desk(site, member(site, "lea"))
    now = dict(re.findall(r'<input name="(\w+)" value="([^"]*)" maxlength="10"', kim.get("/rate/keys").text))
    assert now["undo"] == "u"
    assert len(now) == 21
    saved = kim.post("/rate/keys", {**now, "undo": "B", "last_ten": "", "on": "1"})
    assert saved.location == "/rate/keys?saved=1"
    page = kim.get("/rate/keys?saved=1").text
    assert "Saved." in page
    assert '<input name="undo" value="b"' in page
    clash = kim.post("/rate/keys", {**now, "undo": "x", "on": "1"})
    assert clash.status_code == 400
    assert "Not saved: the key &#39;x&#39; would do two things: uncomfortable and undo." in clash.text
    assert '<input name="undo" value="x"' in clash.text, "what was typed is still there"
    assert kim.post("/rate/keys", {**now, "undo": "Enter"}).status_code == 400
    assert kim.post("/rate/keys", now).status_code == 303
    off = kim.get("/rate/keys").text
    assert 'name="on" value="1">' in off
    shown_person(site)
    assert "&#34;on&#34;: false" in kim.get("/rate").text
    assert "<kbd>u</kbd>" not in kim.get("/rate").text, "a key that does nothing is not printed"
    assert '<input name="undo" value="u"' in lea.get("/rate/keys").text
    assert kim.post("/rate/keys", {"reset": "1"}).status_code == 303
    assert "&#34;on&#34;: true" in kim.get("/rate").text


def test_a_raters_page_has_their_figures_and_gives_and_erases_what_is_stored(site: Site) -> None:
    who = shown_person(site, faces=6)
    kim = member(site)
    visitor = at_desk(site, kim)
    for wait, answer in ((40, "fear"), (190, "cannot_tell"), (60, "anger")):
        answered(visitor, first(visitor), answer, wait_ms=wait)
        site.wait(timedelta(seconds=1))
    page = visitor.get("/rate/me").text
    assert "3 of 20 today" in page
    assert "190 ms" in page
    assert "1 of 3; between" in page
    for word in ("leaderboard", "ranking", "faster than"):
        assert word not in page
    taken = visitor.post("/rate/me/export")
    assert "attachment" in taken.headers["Content-Disposition"]
    assert taken.json is not None
    assert [vote["verdict"] for vote in taken.json["votes"]] == ["emotion", "cannot_tell", "emotion"]
    assert who.id not in taken.text
    assert who.subject not in taken.text
    assert visitor.post("/rate/me/erase", {"word": "yes"}).status_code == 400
    assert rows(site) == 3
    gone = visitor.post("/rate/me/erase", {"word": "erase"})
    assert gone.location == "/rate/me?erased=1"
    assert rows(site) == 0
    assert rating.stored(site.access, kim) == {}
    after = visitor.get("/rate/me?erased=1").text
    assert "What was stored about your ratings is erased." in after
    assert visitor.get("/rate").location == "/rate/notice"


def test_speed_that_a_rater_refused_is_neither_kept_nor_shown(lite: Site) -> None:
    shown_person(lite)
    visitor = at_desk(lite, member(lite, agreed=False))
    sha = rating.notice(lite.access).sha256
    visitor.get("/rate/notice")
    visitor.post("/rate/notice", {"sha256": sha, "votes": "1"})
    answered(visitor, first(visitor))
    with lite.access.database.read() as connection:
        v = tables.rating_votes.c
        assert connection.execute(select(v.response_ms, v.visible_ms)).one() == (None, None)
    assert " ms<" not in visitor.get("/rate/me").text


def test_pages_have_no_inline_script_or_style_and_headings_in_order(lite: Site) -> None:
    shown_person(lite, faces=6, apart=timedelta(seconds=5))
    visitor = at_desk(lite, member(lite, "both", Role.RATER, Role.RESEARCHER))
    clips = re.findall(r'href="(/rate/series/\w+)"', visitor.get("/rate/series").text)
    assert clips
    for path in (
        "/rate",
        "/rate/keys",
        "/rate/me",
        "/rate/notice",
        "/rate/series",
        "/rate/adjudicate",
        clips[0],
    ):
        response = visitor.get(path)
        assert response.status_code == 200, path
        assert not re.search(r"<script(?![^>]*\bsrc=)", response.text), path
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=", response.text), path
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert "blob:" not in response.headers["Content-Security-Policy"], (
            "pictures need no door of their own"
        )
        levels = [int(n) for n in re.findall(r"<h([1-6])", response.text)]
        assert levels[0] == levels.count(1) == 1, path
        assert all(b <= a + 1 for a, b in pairwise(levels)), path
