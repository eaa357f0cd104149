"""Answer in seconds: by form and by JSON, once for each key, with what is granted and nothing else."""

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.webui.site import PASSWORD, Site, Visitor
from tracker.domain.consent import Recorder, Scope
from tracker.domain.series import Prompt
from tracker.store import tables
from tracker.workflows import accounts, consenting, prompts

WHOLE = {
    "emotion": "sadness",
    "second": "fear",
    "intensity": "4",
    "grid": "-3,2",
    "alone": "either",
    "place": "home",
    "activity": "relaxing",
    "company": "alone",
    "note": "Slept badly",
    "response_ms": "5400",
}


def key() -> str:
    return str(uuid.uuid4())


def sent(visitor: Visitor, **fields: Any) -> Any:
    """Send an answer as JSON, as pages with scripts do; its key where none is stated is a new one."""
    return visitor.json("/answer", {"key": key(), **fields})


def rows(site: Site, table: Any = tables.corrections) -> list[Any]:
    with site.access.database.read() as connection:
        return list(connection.execute(select(table).order_by(table.c.id)).mappings())


def nothing_is_stored(site: Site) -> bool:
    with site.access.database.read() as connection:
        return not any(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.corrections, tables.contexts, tables.notes, tables.learning_events)
        )


def test_one_press_stores_everything_together_and_tells_before_and_after(site: Site) -> None:
    site.series(site.person())
    visitor = site.logged_in()
    page = visitor.get("/answer")
    (made,) = re.findall(r'name="key" value="([^"]+)"', page.text)
    for emotion in ("neutral", "contempt"):
        assert f'name="emotion" value="{emotion}"' in page.text
    assert page.text.count('name="grid"') == 81
    result = visitor.post("/answer", {"key": made, **WHOLE})
    assert result.status_code == 200
    for told in (
        "Saved",
        "Before",
        "After",
        "Your note is kept",
        "left alone, your learner held for",
        "give or take",
    ):
        assert told in result.text
    said = {row["target"]: row for row in rows(site)}
    assert set(said) == {"emotion", "valence", "arousal", "leave_me_alone"}
    assert {row["key"] for row in said.values()} == {made}
    assert {row["response_ms"] for row in said.values()} == {5400}
    assert [said[t]["value"] for t in ("valence", "arousal", "leave_me_alone")] == [-0.75, 0.5, 0.5]
    assert said["emotion"]["intensity"] == 0.8
    assert said["valence"]["intensity"] is None
    assert said["emotion"]["p_sadness"] == pytest.approx(2 / 3)
    assert not said["emotion"]["suggestion_shown"]
    (context,) = rows(site, tables.contexts)
    assert (context["place"], context["activity"], context["company"], context["key"]) == (
        "home",
        "relaxing",
        "alone",
        made,
    )
    assert [note["correction"] for note in rows(site, tables.notes)] == [said["emotion"]["id"]]
    assert len(rows(site, tables.learning_events)) == 4


def test_the_same_key_again_returns_the_first_answer_and_stores_nothing(site: Site) -> None:
    site.series(site.person())
    visitor = site.logged_in()
    once = {"key": key(), **WHOLE}
    first = visitor.json("/answer", once).get_json()
    assert not first["again"]
    counts = [len(rows(site, t)) for t in (tables.corrections, tables.contexts, tables.notes)]
    site.wait(timedelta(minutes=20))
    other = {**once, "emotion": "happiness", "second": "", "note": "Another one"}
    for body in (once, other):
        again = visitor.json("/answer", body)
        assert again.status_code == 200
        told = again.get_json()
        assert told["again"]
        assert {k: told[k] for k in ("words", "at", "context", "noted")} == {
            k: first[k] for k in ("words", "at", "context", "noted")
        }
        assert "Saved already" in told["html"]
        assert "Before" in told["html"]
    assert [len(rows(site, t)) for t in (tables.corrections, tables.contexts, tables.notes)] == counts


def test_a_key_is_ones_own(site: Site) -> None:
    site.person()
    site.person("bob")
    once = {"key": key(), "emotion": "fear"}
    assert not site.logged_in().json("/answer", once).get_json()["again"]
    assert not site.logged_in("bob").json("/answer", once).get_json()["again"]
    assert len(rows(site)) == 2


def test_surroundings_alone_are_an_answer_and_counted_once(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    once = {"key": key(), "place": "work"}
    assert visitor.json("/answer", once).get_json()["context"]
    assert visitor.json("/answer", once).get_json()["again"]
    assert len(rows(lite, tables.contexts)) == 1
    assert rows(lite) == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "Say at least one thing"),
        ({"note": "only this"}, "Say at least one thing"),
        ({"emotion": "joy"}, "'joy' is none of the eight emotions"),
        ({"second": "fear"}, "first emotion before the second"),
        ({"emotion": "fear", "second": "fear"}, "choose another or none"),
        ({"emotion": "fear", "intensity": "6"}, "from 1 to 5"),
        ({"emotion": "fear", "intensity": "0"}, "from 1 to 5"),
        ({"emotion": "fear", "intensity": "much"}, "no whole number"),
        ({"emotion": "fear", "response_ms": "-4"}, "before the page is shown"),
        ({"emotion": "fear", "response_ms": "9" * 5000}, "too large"),
        ({"grid": "5,0"}, "not to 5"),
        ({"grid": "1"}, "no cell of the grid"),
        ({"grid": "a,b"}, "no whole number"),
        ({"alone": "maybe"}, "none of yes, either and no"),
        ({"emotion": 7}, "emotion is a text"),
        ({"emotion": "fear", "key": "1"}, "random UUID"),
        ({"emotion": "fear", "key": None}, "random UUID"),
        ({"emotion": "fear", "place": "x" * 65}, "at most 64 characters"),
        ({"emotion": "fear", "note": "x" * 2001}, "2,001 characters"),
    ],
)
def test_what_is_no_answer_is_named_and_nothing_is_stored(
    lite: Site, fields: dict[str, Any], says: str
) -> None:
    lite.series(lite.person())
    refused = sent(lite.logged_in(), **fields)
    assert refused.status_code == 400
    assert says in refused.get_json()["error"]
    assert nothing_is_stored(lite)


@pytest.mark.parametrize("body", [[], "fear", 7])
def test_json_that_is_no_object_is_a_bad_request(lite: Site, body: object) -> None:
    lite.person()
    refused = lite.logged_in().json("/answer", body)
    assert refused.status_code == 400
    assert "Send an object" in refused.get_json()["error"]


def test_a_refused_form_comes_back_with_everything_that_was_chosen(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    made = key()
    back = visitor.post("/answer", {"key": made, **WHOLE, "second": "sadness", "note": "<b>tired</b>"})
    assert back.status_code == 400
    assert "choose another or none" in back.text
    assert f'name="key" value="{made}"' in back.text
    for name, value in (("emotion", "sadness"), ("grid", "-3,2"), ("alone", "either"), ("place", "home")):
        assert re.search(rf'name="{name}" value="{value}"[^>]* checked', back.text), name
    assert "&lt;b&gt;tired&lt;/b&gt;</textarea>" in back.text


def test_only_what_is_granted_is_offered_with_the_reason_for_the_rest(lite: Site) -> None:
    lite.person(scopes=(Scope.AFFECT_SERIES,))
    page = lite.logged_in().get("/answer").text
    for absent in ('name="place"', 'name="company"', "<textarea"):
        assert absent not in page
    for told in (
        "Where you are and with whom is not asked",
        "no room for a note",
        "Nothing is learned from your answers",
    ):
        assert told in page
    assert '/consent#context"' in page


def test_with_everything_granted_nothing_is_excused(lite: Site) -> None:
    lite.person()
    page = lite.logged_in().get("/answer").text
    assert "because you do not allow" not in page
    assert "<textarea" in page


def test_without_the_series_nothing_can_be_said(lite: Site) -> None:
    lite.person(scopes=())
    visitor = lite.logged_in()
    visitor.post("/notice")
    page = visitor.get("/answer").text
    assert "Nothing can be saved yet" in page
    assert 'name="emotion"' not in page
    refused = sent(visitor, emotion="fear")
    assert refused.status_code == 403
    assert "nothing was saved" in refused.get_json()["error"]
    assert nothing_is_stored(lite)


def test_what_is_not_allowed_any_more_is_left_out_and_told_and_the_rest_is_kept(site: Site) -> None:
    who = site.person()
    visitor = site.logged_in()
    consenting.withdraw(
        site.access, who, [Scope.NOTES, Scope.CONTEXT], site.now, recorder=Recorder.PARTICIPANT
    )
    told = sent(visitor, **WHOLE).get_json()
    assert told["left_out"] == ["context", "notes"]
    assert "Your note was not kept" in told["html"]
    assert len(rows(site)) == 4
    assert rows(site, tables.contexts) == rows(site, tables.notes) == []


def test_without_learning_it_is_kept_and_said(lite: Site) -> None:
    lite.person(scopes=(Scope.AFFECT_SERIES,))
    told = sent(lite.logged_in(), emotion="fear", alone="yes").get_json()
    assert told["missing"] == ["personal_learning"]
    assert "nothing was learned from it" in told["html"]


def test_a_page_that_stood_open_for_hours_measured_nothing(lite: Site) -> None:
    lite.person()
    assert sent(lite.logged_in(), emotion="fear", response_ms=str(3_600_001)).status_code == 200
    assert [row["response_ms"] for row in rows(lite)] == [None]


# ---- delivered late ----


def at(site: Site, ago: timedelta, off: timedelta = timedelta()) -> dict[str, str]:
    """When it was given and sent, by a clock that is off."""
    return {"at": (site.now + off - ago).isoformat(), "clock": (site.now + off).isoformat()}


@pytest.mark.parametrize(
    "off", [timedelta(), timedelta(hours=3), -timedelta(hours=20), timedelta(seconds=-2)]
)
def test_an_answer_that_waited_is_stored_at_the_instant_it_was_given(site: Site, off: timedelta) -> None:
    site.series(site.person())
    told = sent(site.logged_in(), emotion="fear", **at(site, timedelta(minutes=30), off)).get_json()
    assert told["at"] == (site.now - timedelta(minutes=30)).isoformat()
    (row,) = rows(site)
    assert row["at"] == site.now - timedelta(minutes=30)
    assert row["recorded_at"] == site.now
    assert row["observation"] is not None


@pytest.mark.parametrize(
    ("ago", "off", "says"),
    [
        (timedelta(minutes=1), timedelta(days=3), "put right by the difference"),
        (timedelta(minutes=1), -timedelta(days=3), "put right by the difference"),
        (-timedelta(minutes=1), timedelta(), "lies in the future of your device"),
        (timedelta(days=8), timedelta(), "too old"),
    ],
)
def test_a_clock_far_off_and_an_answer_too_old_are_refused_in_words(
    lite: Site, ago: timedelta, off: timedelta, says: str
) -> None:
    lite.person()
    refused = sent(lite.logged_in(), emotion="fear", **at(lite, ago, off))
    assert refused.status_code == 400
    assert says in refused.get_json()["error"]
    told = refused.get_json().get("now")
    assert told == (lite.now.isoformat() if abs(off) > timedelta(days=1) else None), "what it is put right by"
    assert nothing_is_stored(lite)


def test_an_instant_without_the_clock_that_told_it_is_refused(lite: Site) -> None:
    lite.person()
    assert sent(lite.logged_in(), emotion="fear", at=lite.now.isoformat()).status_code == 400


def test_no_clock_of_a_phone_goes_back_behind_a_withdrawal(site: Site) -> None:
    """Given while it was allowed, sent after it was withdrawn, and after it was allowed anew from now on."""
    who = site.person()
    visitor = site.logged_in()
    given = site.now
    site.wait(timedelta(hours=1))
    consenting.withdraw(site.access, who, [Scope.AFFECT_SERIES], site.now, recorder=Recorder.PARTICIPANT)
    late = {"emotion": "fear", "at": given.isoformat()}
    assert sent(visitor, **late, clock=site.now.isoformat()).status_code == 403
    site.wait(timedelta(hours=1))
    consenting.grant(site.access, who, [Scope.AFFECT_SERIES], site.now, recorder=Recorder.PARTICIPANT)
    visitor.get("/consent")
    refused = sent(visitor, **late, clock=site.now.isoformat())
    assert refused.status_code == 403
    assert "before the time from which you allow" in refused.get_json()["error"]
    assert nothing_is_stored(site)


# ---- who is here, and the shell ----


def test_standing_tells_a_tag_and_a_token_that_posts_accept(lite: Site) -> None:
    who = lite.person()
    visitor = lite.logged_in()
    told = visitor.get("/answer/standing").get_json()
    assert f'data-owner="{told["owner"]}"' in visitor.get("/answer").text
    assert told["now"] == lite.now.isoformat()
    for secret in (who.id, who.subject, who.name):
        assert secret not in json.dumps(told)
    lite.person("bob")
    assert lite.logged_in("bob").get("/answer/standing").get_json()["owner"] != told["owner"]
    assert lite.logged_in().get("/answer/standing").get_json()["owner"] == told["owner"]
    headers = {"X-CSRF-Token": told["csrf"]}
    body = {"key": key(), "emotion": "fear"}
    assert visitor.client.post("/answer", json=body, headers=headers).status_code == 200


def test_a_session_that_grew_old_is_waited_for_and_one_that_was_ended_clears_the_phone(lite: Site) -> None:
    who = lite.person()
    old = lite.logged_in()
    tag = old.get("/answer/standing").get_json()["owner"]
    lite.wait(timedelta(hours=13))
    answer = old.get("/answer/standing")
    assert (answer.status_code, answer.get_json()["ended"]) == (401, False)
    assert "Clear-Site-Data" not in answer.headers
    assert sent(old, emotion="fear").status_code == 401
    ended = lite.logged_in()
    accounts.end_sessions(lite.access, who, lite.now)
    answer = ended.get("/answer/standing")
    assert (answer.status_code, answer.get_json()["ended"]) == (401, True)
    assert answer.get_json()["owner"] == tag, "whose answers go: nobody else's do"
    assert "Clear-Site-Data" not in answer.headers
    stranger = lite.visitor().get("/answer/standing")
    assert (stranger.status_code, stranger.get_json()["ended"]) == (401, False)
    assert nothing_is_stored(lite)


def test_logging_out_clears_the_phone(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    visitor.get("/answer")
    assert visitor.post("/logout").headers["Clear-Site-Data"] == '"storage"'
    assert "Clear-Site-Data" not in visitor.get("/login").headers


def test_logging_out_takes_nothing_of_others_who_wait_on_the_same_phone(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    tag = visitor.get("/answer/standing").get_json()["owner"]
    visitor.get("/answer")
    left = visitor.post("/logout", {"others": "1"})
    assert "Clear-Site-Data" not in left.headers
    assert f'data-left="{tag}"' in visitor.get("/login").text, "the script takes what is theirs"
    old = lite.logged_in()
    lite.wait(timedelta(hours=13))
    assert "Clear-Site-Data" not in old.post("/logout").headers, "answers of a session that grew old wait"


@pytest.mark.parametrize("way", ["password", "word", "withdraw"])
@pytest.mark.parametrize("others", [{}, {"others": "1"}])
def test_erasing_everything_clears_the_phone_and_nobody_elses_answers(
    lite: Site, way: str, others: dict[str, str]
) -> None:
    lite.person() if way == "word" else lite.with_password()
    visitor = lite.logged_in()
    tag = visitor.get("/answer/standing").get_json()["owner"]
    visitor.get("/my-data")
    wrong = visitor.post("/my-data/erase", {"word": "no", "password": "no"})
    assert (wrong.status_code, "Clear-Site-Data" in wrong.headers) == (400, False)
    if way == "withdraw":
        fields = {"name": "ada", "secret": PASSWORD, "answer": "erase_all"}
        gone = visitor.post("/withdraw", fields | others)
    else:
        gone = visitor.post("/my-data/erase", {"word": "erase", "password": PASSWORD} | others)
    assert (gone.status_code, gone.location) == (303, "/erased")
    assert gone.headers.get("Clear-Site-Data") == (None if others else '"storage"')
    assert f'data-left="{tag}"' in visitor.get("/erased").text
    told = visitor.get("/answer/standing")
    assert (told.status_code, told.get_json()["ended"], told.get_json()["owner"]) == (401, True, tag)


def test_the_shell_is_the_same_for_everybody_and_holds_nothing_of_anybody(lite: Site) -> None:
    who = lite.person()
    visitor = lite.logged_in()
    mine, theirs = visitor.get("/answer/shell").text, lite.visitor().get("/answer/shell").text
    assert mine == theirs
    for secret in (who.name, who.id, "csrf_token", "data-owner="):
        assert secret not in mine
    worker = lite.visitor().get("/answer/worker.js")
    assert worker.mimetype == "text/javascript"
    assert worker.headers["Service-Worker-Allowed"] == "/answer"
    for path in re.findall(r'"(/assets/[^"]+|/answer/shell)"', worker.text):
        assert lite.visitor().get(path).status_code == 200, path


def test_a_forged_answer_is_refused(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    body = {"key": key(), "emotion": "fear"}
    assert visitor.client.post("/answer", json=body).status_code == 403
    assert visitor.client.post("/answer", data=body).status_code == 403
    cross = {"X-CSRF-Token": visitor._token, "Sec-Fetch-Site": "cross-site"}
    assert visitor.client.post("/answer", json=body, headers=cross).status_code == 403
    assert nothing_is_stored(lite)


def test_a_question_that_waits_shows_on_every_page_until_it_ends(site: Site) -> None:
    who = site.person()
    visitor = site.logged_in()
    pages = (
        "/answer",
        "/timeline",
        "/capture",
        "/learned",
        "/consent",
        "/my-data",
        "/account",
        "/no-such-page",
    )

    def shown() -> list[str]:
        return [
            page
            for page in pages
            if 'class="asked"'
            in visitor.get(page, follow_redirects=True, headers={"Accept": "text/html"}).text
        ]

    assert shown() == []
    ends = site.now + timedelta(minutes=30)
    asked = Prompt("by-hand", site.now, site.now, None, None, "notified", expires_at=ends)
    assert prompts.record(site.access, who, asked, site.now) is not None
    assert shown() == list(pages)
    assert "A question waits for you." in visitor.get("/my-data").text
    site.wait(timedelta(hours=1))
    assert shown() == []
