"""Correct a moment: by form, by panel and by JSON; what is wrong with a value is said."""

import re
from datetime import timedelta

import numpy as np
import pytest

from tests.webui.site import Site
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.series import Observation, TimeSource
from tracker.vision.covering import CoveredFrame
from tracker.workflows import consenting
from tracker.workflows.ingest.filming import keep_frames
from tracker.workflows.ingest.keeping import keep


def test_a_moment_is_corrected_in_two_steps_and_shows_before_and_after(site: Site) -> None:
    at = site.series(site.person())[40]
    visitor = site.logged_in()
    panel = visitor.get(f"/moment/{int(at.timestamp())}?within=60").text
    assert "How was it really?" in panel
    assert "looks like" in panel
    for emotion in Emotion:
        assert f"<kbd>{emotion.key}</kbd>" in panel
    result = visitor.post("/correct", {"at": at.isoformat(), "emotion": "disgust"}).text
    assert "You said disgust." in result
    assert "Before" in result
    assert "After" in result
    again = visitor.post("/correct", {"at": at.isoformat(), "emotion": "fear"}).text
    assert "It takes the place of what you said before." in again


def test_json_returns_before_and_after_and_the_correction_moves_the_estimate(site: Site) -> None:
    at = site.series(site.person())[40]
    visitor = site.logged_in()
    answer = visitor.json("/correct", {"at": at.isoformat(), "emotion": "anger", "second": "sadness"})
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["after"]["anger"] > body["before"]["anger"]
    assert (
        body["after"]["anger"] + body["after"]["sadness"]
        > body["before"]["anger"] + body["before"]["sadness"]
    )
    assert body["missing"] == []
    assert body["not_covered_since"] is None
    assert not body["superseded"]
    assert visitor.json("/correct", {"at": at.isoformat(), "emotion": "fear"}).get_json()["superseded"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"at": "2026-03-20T09:00:00+00:00", "emotion": "joy"}, "'joy' is none of the eight emotions"),
        ({"at": "2026-03-20T09:00:00+00:00"}, "None is none of the eight emotions"),
        ({"at": "2026-03-20T09:00:00+00:00", "emotion": "fear", "second": "fear"}, "choose another or none"),
        ({"at": "2026-03-20T09:00:00", "emotion": "fear"}, "has no UTC offset"),
        ({"at": "yesterday", "emotion": "fear"}, "is not an ISO 8601 time"),
        ({"emotion": "fear"}, "is not an ISO 8601 time"),
        ({"at": "2027-03-20T09:00:00+00:00", "emotion": "fear"}, "lies in the future"),
        (["fear"], "Send an object"),
        ("fear", "Send an object"),
    ],
)
def test_a_bad_value_is_named_and_nothing_is_stored(lite: Site, body: object, says: str) -> None:
    lite.series(lite.person())
    visitor = lite.logged_in()
    answer = visitor.json("/correct", body)
    assert answer.status_code == 400
    assert says in answer.get_json()["error"]
    assert visitor.get("/timeline/day/2026-03-20/data").get_json()["corrections"] == []


def test_broken_json_is_a_bad_request(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    answer = visitor.client.post(
        "/correct", data="{", content_type="application/json", headers={"X-CSRF-Token": visitor._token}
    )
    assert answer.status_code == 400
    assert "error" in answer.get_json()


def test_without_the_scope_for_learning_it_is_kept_and_said(lite: Site) -> None:
    at = lite.series(lite.person(scopes=(Scope.AFFECT_SERIES,)))[10]
    answer = lite.logged_in().post("/correct", {"at": at.isoformat(), "emotion": "fear"})
    assert "nothing was learned from it" in answer.text


def test_what_learning_does_not_cover_is_kept_and_said(lite: Site) -> None:
    who = lite.person(scopes=(Scope.AFFECT_SERIES,))
    at = lite.series(who)[10]
    consenting.grant(lite.access, who, [Scope.PERSONAL_LEARNING], lite.now, recorder=Recorder.PARTICIPANT)
    visitor = lite.logged_in()
    said = {"at": at.isoformat(), "emotion": "fear"}
    assert "you allow learning only from" in visitor.post("/correct", said).text
    assert visitor.json("/correct", said).get_json()["not_covered_since"] == lite.now.isoformat()


def test_a_moment_before_what_is_covered_is_refused(lite: Site) -> None:
    lite.person()
    early = lite.now - timedelta(days=90)
    answer = lite.logged_in().json("/correct", {"at": early.isoformat(), "emotion": "fear"})
    assert answer.status_code == 403
    assert "before the time from which you allow storing" in answer.get_json()["error"]


def test_a_moment_without_a_reading_can_be_corrected_too(lite: Site) -> None:
    lite.person()
    at = lite.now - timedelta(hours=5)
    visitor = lite.logged_in()
    assert "No face was read" in visitor.get(f"/moment/{int(at.timestamp())}").text
    assert visitor.json("/correct", {"at": at.isoformat(), "emotion": "fear"}).get_json()["machine"] is None


@pytest.mark.parametrize("at", ["99999999999999999999", "-5", "now"])
def test_a_moment_that_is_none_is_not_found(lite: Site, at: str) -> None:
    lite.person()
    assert lite.logged_in().get(f"/moment/{at}").status_code == 404


def test_the_panel_is_a_part_of_a_page_and_the_page_a_whole_one(lite: Site) -> None:
    at = int(lite.series(lite.person())[10].timestamp())
    visitor = lite.logged_in()
    assert "<html" in visitor.get(f"/moment/{at}").text
    assert "<html" not in visitor.get(f"/moment/{at}", headers={"X-Panel": "1"}).text


WORDS = "Slept <badly> & worked late\nstill, a good evening"
SHOWN = "Slept &lt;badly&gt; &amp; worked late\nstill, a good evening"


def test_a_note_is_kept_with_the_correction_and_shown_to_its_writer_alone(lite: Site) -> None:
    at = lite.series(lite.person())[40]
    page = f"/moment/{int(at.timestamp())}"
    visitor = lite.logged_in()
    assert "<textarea" in visitor.get(page).text
    answer = visitor.post("/correct", {"at": at.isoformat(), "emotion": "fear", "note": f" {WORDS}\r\n"})
    assert "Your note is kept, encrypted" in answer.text
    # The field begins with what stands, so that choosing another emotion does not lose it.
    assert f">{SHOWN}</textarea>" in answer.text
    again = visitor.get(page)
    assert f">{SHOWN}</textarea>" in again.text
    assert again.headers["Cache-Control"] == "no-store, private"
    lite.series(lite.person("bob"))
    assert "badly" not in lite.logged_in("bob").get(page).text
    assert "badly" not in visitor.get("/timeline/day/2026-03-20/data").text


@pytest.mark.parametrize("note", ["", "  \r\n "])
def test_an_empty_field_is_no_note(lite: Site, note: str) -> None:
    at = lite.series(lite.person())[40]
    visitor = lite.logged_in()
    answer = visitor.post("/correct", {"at": at.isoformat(), "emotion": "fear", "note": note})
    assert "You said fear." in answer.text
    assert "Your note is kept" not in answer.text
    assert visitor.json("/correct", {"at": at.isoformat(), "emotion": "fear"}).get_json()["noted"] is False


@pytest.mark.parametrize(
    ("note", "says"),
    [("x" * 2001, "has 2,001 characters"), ("a\0b", "U+0000"), (["a"], "A note is a text"), (7, "is a text")],
)
def test_what_is_no_note_is_named_and_nothing_is_stored(lite: Site, note: object, says: str) -> None:
    at = lite.series(lite.person())[40]
    visitor = lite.logged_in()
    answer = visitor.json("/correct", {"at": at.isoformat(), "emotion": "fear", "note": note})
    assert answer.status_code == 400
    assert says in answer.get_json()["error"]
    assert visitor.get("/timeline/day/2026-03-20/data").get_json()["corrections"] == []


def test_without_its_grant_there_is_no_field_and_a_note_sent_all_the_same_is_refused(lite: Site) -> None:
    who = lite.person()
    at = lite.series(who)[40]
    visitor = lite.logged_in()
    visitor.post("/correct", {"at": at.isoformat(), "emotion": "fear", "note": WORDS})
    consenting.withdraw(lite.access, who, [Scope.NOTES], lite.now, recorder=Recorder.PARTICIPANT)
    page = visitor.get(f"/moment/{int(at.timestamp())}").text
    assert "<textarea" not in page
    assert f'<q class="own-note">{SHOWN}</q>' in page  # what is kept stays theirs to read
    answer = visitor.post("/correct", {"at": at.isoformat(), "emotion": "anger", "note": "more"})
    assert answer.status_code == 403
    assert "nothing was saved" in answer.text
    told = visitor.get(f"/moment/{int(at.timestamp())}").text
    (said,) = re.findall(r"<span>You said</span>(.*?)</li>", told)
    assert "fear" in said
    assert "anger" not in said


def test_the_kept_frame_is_shown_to_its_owner_alone(lite: Site) -> None:
    who = lite.person()
    at = lite.series(who)[40]
    data = b"\xff\xd8\xff a frame"
    with lite.access.write(who.id, lite.now) as unit:
        seen = Observation("a" * 64, int(at.timestamp() * 1_000_000), at, TimeSource.STATED, None, 1)
        assert keep_frames(lite.access, unit, {seen: CoveredFrame(data)}).kept == 1
    visitor = lite.logged_in()
    page = visitor.get(f"/moment/{int(at.timestamp())}").text
    (picture,) = re.findall(r'<img class="own-frame" src="([^"]+)"', page)
    response = visitor.get(picture)
    assert (response.mimetype, response.data) == ("image/jpeg", data)
    assert response.headers["Cache-Control"] == "no-store, private"
    number = int(picture.rsplit("/", 1)[1])
    assert visitor.get(f"/moment/frame/{number + 1}").status_code == 404
    lite.person("bob")
    assert lite.logged_in("bob").get(picture).status_code == 404
    assert data not in lite.visitor().get(picture).data
    assert "own-frame" not in visitor.get(f"/moment/{int(at.timestamp()) + 600}?within=60").text


def test_the_kept_picture_is_shown_to_its_owner_alone(lite: Site) -> None:
    who = lite.person()
    at = lite.series(who)[40]
    with lite.access.write(who.id, lite.now) as unit:
        seen = Observation("a" * 64, int(at.timestamp() * 1_000_000), at, TimeSource.STATED, None, 1)
        assert keep(lite.access, unit, {seen: np.full((48, 48, 3), 77, np.uint8)}) == 1
    visitor = lite.logged_in()
    page = visitor.get(f"/moment/{int(at.timestamp())}").text
    (picture,) = re.findall(r'<img class="own-face" src="([^"]+)"', page)
    response = visitor.get(picture)
    assert response.mimetype == "image/png"
    assert response.data.startswith(b"\x89PNG")
    assert response.headers["Cache-Control"] == "no-store, private"
    number = int(picture.rsplit("/", 1)[1])
    assert visitor.get(f"/moment/picture/{number + 1}").status_code == 404  # seen, and no picture kept
    lite.person("bob")
    assert lite.logged_in("bob").get(picture).status_code == 404
    stranger = lite.visitor().get(picture)
    assert stranger.status_code in {302, 303, 401}
    assert b"PNG" not in stranger.data
    assert "own-face" not in visitor.get(f"/moment/{int(at.timestamp()) + 600}?within=60").text
