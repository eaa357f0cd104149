"""Clips over HTTP: blind, keyed on observations and instants, traces as they were drawn, closed when taken back."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from html import unescape
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from tests import builders
from tests.webui.rating import SHOWS, at_desk, key, member, shown_person
from tests.webui.site import Site, Visitor
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.stretches import Stretch
from tracker.store import tables
from tracker.vision.covering import CoveredFrame
from tracker.workflows import consenting, erasure, hiding
from tracker.workflows.ingest.filming import keep_frames
from tracker.workflows.ingest.keeping import keep

EVERY = timedelta(milliseconds=700)
FILM = b"\xff\xd8\xff a frame of video "


def clip(visitor: Visitor) -> str:
    found = re.search(r'href="/rate/series/(\w+)"', visitor.get("/rate/series").text)
    assert found is not None
    return found[1]


def frames(page: str) -> list[dict[str, Any]]:
    found = re.search(r"data-frames='([^']+)'", page)
    assert found is not None
    listed: list[dict[str, Any]] = json.loads(unescape(found[1]))
    return listed


def drawn(shown: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    samples = [
        {"at": f["at"], "value": 0.1 * n, "observation": f["observation"]} for n, f in enumerate(shown)
    ]
    return {"dimension": "valence", "lag_s": 2, "samples": samples, "key": key()} | more


def test_a_clip_is_rated_blind_and_then_shows_what_the_network_said(site: Site) -> None:
    shown_person(site, faces=8, apart=EVERY)
    visitor = at_desk(site, member(site))
    item = clip(visitor)
    page = visitor.get(f"/rate/series/{item}").text
    assert "You see it after you said what the clip looks like" in page
    assert "looks like" not in page.split('id="estimates"')[1].split("<footer")[0].replace("looks like:", "")
    shown = frames(page)
    assert len(shown) == 8
    instants = [datetime.fromisoformat(f["at"]) for f in shown]
    assert all(later - earlier == EVERY for earlier, later in pairwise(instants))
    assert instants[-1] == site.now - EVERY
    for f in shown:
        picture = visitor.get(f["picture"])
        assert (picture.status_code, picture.mimetype) == (200, "image/png")
        assert "no-store" in picture.headers["Cache-Control"]
    voted = visitor.post(f"/rate/series/{item}/vote", {"answer": "sadness", "key": key()})
    assert voted.location == f"/rate/series/{item}"
    after = visitor.get(f"/rate/series/{item}").text
    assert "You said: sadness. Choosing again takes its place." in after
    assert "Of 8 pictures 1 look most like neutral to the network" in after
    assert after.count('<tr><th scope="row">') == 8
    assert "<polyline" in after


def test_a_trace_is_kept_as_it_was_drawn_with_the_lag_beside_and_once(site: Site) -> None:
    shown_person(site, faces=5, apart=EVERY)
    visitor = at_desk(site, member(site))
    item = clip(visitor)
    shown = frames(visitor.get(f"/rate/series/{item}").text)
    body = drawn(shown)
    for _ in range(2):
        assert visitor.json(f"/rate/series/{item}/trace", body).status_code == 200
    t = tables.rating_traces.c
    with site.access.database.read() as connection:
        row = connection.execute(select(t.dimension, t.lag_s, t.samples)).one()
    assert (row.dimension, row.lag_s) == ("valence", 2.0)
    micros = [int(datetime.fromisoformat(f["at"]).timestamp() * 1e6) for f in shown]
    assert [[at, round(value, 6), o] for at, value, o in row.samples] == [
        [at, round(0.1 * n, 6), f["observation"]] for n, (at, f) in enumerate(zip(micros, shown, strict=True))
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"samples": []},
        {"samples": "many"},
        {"samples": [1]},
        {"samples": [{"at": "yesterday", "value": 0.1}]},
        {"samples": [{"at": "2026-03-20T11:59:59", "value": 0.1}]},
        {"samples": [{"at": "2026-03-20T11:59:59+00:00", "value": 2}]},
        {"samples": [{"at": "2026-03-20T11:59:59+00:00"}]},
        {"samples": [{"at": "2026-03-20T11:59:59+00:00", "value": 0.1, "observation": 10**6}]},
        {"samples": [{"at": "2026-03-20T11:59:59+00:00", "value": 0.1, "observation": "1"}]},
        {"samples": [{"at": "2026-03-20T11:59:59+00:00", "value": 0.1, "observation": True}]},
        {"dimension": "dominance"},
        {"dimension": None},
        {"lag_s": 99},
        {"lag_s": "late"},
        {"key": ""},
    ],
)
def test_a_trace_that_cannot_be_is_refused_with_words(lite: Site, more: dict[str, Any]) -> None:
    shown_person(lite, faces=4, apart=EVERY)
    visitor = at_desk(lite, member(lite))
    item = clip(visitor)
    shown = frames(visitor.get(f"/rate/series/{item}").text)
    refused = visitor.json(f"/rate/series/{item}/trace", drawn(shown, **more))
    assert refused.status_code == 400, refused.text
    assert refused.json is not None
    assert refused.json["error"].startswith("Nothing was saved: ")
    with lite.access.database.read() as connection:
        assert connection.execute(select(tables.rating_traces.c.id)).first() is None


def test_a_clip_closes_at_the_instant_of_withdrawal(site: Site) -> None:
    who = shown_person(site, faces=5, apart=EVERY)
    visitor = at_desk(site, member(site))
    item = clip(visitor)
    shown = frames(visitor.get(f"/rate/series/{item}").text)
    assert visitor.client.get(f"/rate/series/{item}/open", json={}).json == {"open": True}
    consenting.withdraw(site.access, who, [Scope.FACE_CROPS], site.now, recorder=Recorder.PARTICIPANT)
    assert visitor.client.get(f"/rate/series/{item}/open", json={}).status_code == 410
    assert visitor.get(shown[0]["picture"]).status_code == 410
    assert visitor.json(f"/rate/series/{item}/trace", drawn(shown)).status_code == 410
    refused = visitor.json(f"/rate/series/{item}/vote", {"item": item, "answer": "fear", "key": key()})
    assert refused.status_code == 410
    assert visitor.get(f"/rate/series/{item}").location == "/rate?gone=1"
    assert "No clip waits" in visitor.get("/rate/series").text


def filmed_person(site: Site, scopes: tuple[Scope, ...], faces: int = 5) -> Person:
    """A participant of whom each moment has a frame of video, and a crop where they allow that too."""
    who = site.person("ada", scopes)
    source, span = "f" * 64, range(faces, 0, -1)
    rows = [builders.observed(site.now - EVERY * n, source=source) for n in span]
    builders.store(site.access, who, rows, site.now)
    with site.access.write(who.id, site.now) as unit:
        seen = {row.observation: CoveredFrame(FILM + str(n).encode()) for n, row in enumerate(rows)}
        assert keep_frames(site.access, unit, seen).kept == faces
        keep(site.access, unit, {row.observation: np.full((48, 48, 3), 9, np.uint8) for row in rows})
    return who


def test_a_clip_shows_the_video_where_its_participant_lets_raters_see_that(site: Site) -> None:
    who = filmed_person(site, (*SHOWS, Scope.RAW_VIDEO))
    visitor = at_desk(site, member(site))
    item = clip(visitor)
    shown = frames(visitor.get(f"/rate/series/{item}").text)
    assert len(shown) == 5
    for n, f in enumerate(shown):
        picture = visitor.get(f["picture"])
        assert (picture.status_code, picture.mimetype) == (200, "image/jpeg")
        assert picture.data == FILM + str(n).encode()
        assert "no-store" in picture.headers["Cache-Control"]
    consenting.withdraw(site.access, who, [Scope.RAW_VIDEO], site.now, recorder=Recorder.PARTICIPANT)
    picture = visitor.get(shown[0]["picture"])
    assert (picture.status_code, picture.mimetype) == (200, "image/png"), (
        "the face alone, which they still show"
    )
    consenting.withdraw(site.access, who, [Scope.FACE_CROPS], site.now, recorder=Recorder.PARTICIPANT)
    assert visitor.get(shown[0]["picture"]).status_code == 410


def test_a_page_that_holds_video_closes_when_the_video_alone_is_taken_back(site: Site) -> None:
    who = filmed_person(site, (*SHOWS, Scope.RAW_VIDEO))
    visitor = at_desk(site, member(site))
    item = clip(visitor)
    shown = frames(visitor.get(f"/rate/series/{item}").text)
    held = ",".join(str(f["observation"]) for f in shown)
    site.now += timedelta(seconds=2)
    still = f"/rate/series/{item}/open?frames={held}"
    assert visitor.client.get(still, json={}).json == {"open": True}
    consenting.withdraw(site.access, who, [Scope.RAW_VIDEO], site.now, recorder=Recorder.PARTICIPANT)
    assert visitor.client.get(still, json={}).status_code == 410, "frames of it are on the screen"
    site.now += timedelta(seconds=2)
    again = frames(visitor.get(f"/rate/series/{item}").text)
    assert visitor.get(again[0]["picture"]).mimetype == "image/png"
    assert visitor.client.get(still, json={}).json == {"open": True}, "opened anew it shows faces alone"


@pytest.mark.parametrize("ends", [Scope.RAW_VIDEO, Scope.SHARE_WITH_RATERS], ids=str)
def test_video_alone_is_rated_and_closes_at_the_instant_of_withdrawal(site: Site, ends: Scope) -> None:
    who = filmed_person(site, (Scope.AFFECT_SERIES, Scope.RAW_VIDEO, Scope.SHARE_WITH_RATERS))
    visitor = at_desk(site, member(site))
    item = clip(visitor)
    shown = frames(visitor.get(f"/rate/series/{item}").text)
    assert visitor.get(shown[2]["picture"]).mimetype == "image/jpeg"
    one = visitor.client.get("/rate/next", json={}).json["items"][0]  # type: ignore[index]
    assert visitor.get(one["picture"]).mimetype == "image/jpeg"
    with site.access.read(who.id, site.now) as unit:
        looks = sorted(look.what for look in site.access.looks(unit))
    assert looks == ["a picture of your video, to rate it", "a stretch of your video, to rate it"], (
        "the participant reads what was seen"
    )
    assert visitor.json(f"/rate/series/{item}/trace", drawn(shown)).status_code == 200
    said = {"item": item, "answer": "fear", "key": key()}
    assert visitor.json(f"/rate/series/{item}/vote", said).status_code == 200
    assert visitor.client.get(f"/rate/series/{item}/open", json={}).json == {"open": True}
    consenting.withdraw(site.access, who, [ends], site.now, recorder=Recorder.PARTICIPANT)
    assert visitor.client.get(f"/rate/series/{item}/open", json={}).status_code == 410
    for address in (shown[0]["picture"], one["picture"]):
        refused = visitor.get(address)
        assert refused.status_code == 410
        assert FILM not in refused.data
    assert visitor.json(f"/rate/series/{item}/trace", drawn(shown)).status_code == 410
    assert "No clip waits" in visitor.get("/rate/series").text


def test_video_that_raters_may_not_see_is_shown_to_none(lite: Site) -> None:
    filmed_person(lite, (Scope.AFFECT_SERIES, Scope.RAW_VIDEO))
    visitor = at_desk(lite, member(lite))
    assert "No clip waits" in visitor.get("/rate/series").text
    with lite.access.database.read() as connection:
        number = connection.execute(select(tables.frames.c.observation)).scalars().first()
    for path in (f"/moment/frame/{number}", f"/rate/series/{'0' * 32}/frames/{number}"):
        assert FILM not in visitor.get(path).data


def test_a_picture_opens_for_its_rater_and_for_a_while_only(lite: Site) -> None:
    shown_person(lite, faces=5, apart=EVERY)
    kim, lea = at_desk(lite, member(lite, "kim")), at_desk(lite, member(lite, "lea"))
    item = clip(kim)
    shown = frames(kim.get(f"/rate/series/{item}").text)
    assert lea.get(shown[0]["picture"]).status_code == 404
    assert kim.get(f"/rate/series/{item}/frames/{10**6}").status_code in (404, 410)
    lite.wait(timedelta(hours=1))
    late = kim.get(shown[0]["picture"])
    assert late.status_code == 404
    assert "opened too long ago" in late.text


@pytest.mark.parametrize("hides", [True, False], ids=["hides", "erases"])
def test_a_clip_that_plays_closes_when_a_picture_in_its_middle_is_taken_back(site: Site, hides: bool) -> None:
    who = shown_person(site, faces=8, apart=EVERY)
    visitor = at_desk(site, member(site))
    page = visitor.get(f"/rate/series/{clip(visitor)}").text
    asks = re.search(r'data-open="([^"]+)"', page)
    assert asks is not None
    address = unescape(asks[1])
    assert visitor.client.get(address, json={}).json == {"open": True}
    third = frames(page)[2]
    at = datetime.fromisoformat(third["at"])
    taken = Stretch(at, at + EVERY / 2)
    if hides:
        hiding.hide(site.access, who, taken, site.now)
    else:
        erasure.erase_stretch(site.access, who, taken, site.now)
    assert visitor.client.get(address, json={}).status_code == 410
    assert visitor.get(third["picture"]).status_code in (404, 410)


def test_a_clip_in_the_last_ten_opens_as_a_clip_and_its_undo_opens_no_picture(lite: Site) -> None:
    who = shown_person(lite, faces=5, apart=EVERY)
    visitor = at_desk(lite, member(lite))
    item = clip(visitor)
    shown = frames(visitor.get(f"/rate/series/{item}").text)
    said = {"item": item, "answer": "fear", "key": key()}
    assert visitor.json(f"/rate/series/{item}/vote", said).status_code == 200
    last = visitor.client.get("/rate/next", json={}).json["last"]  # type: ignore[index]
    assert [(row["clip"], row["href"]) for row in last] == [(True, f"/rate/series/{item}")]
    lite.wait(timedelta(minutes=16))
    undone = visitor.json("/rate/undo", {"item": item, "key": key()})
    assert undone.status_code == 200
    assert undone.json is not None
    assert undone.json["item"] is None
    assert visitor.get(shown[0]["picture"]).status_code == 404
    assert visitor.get(f"/rate/picture/{item}").status_code == 404
    with lite.access.read(who.id, lite.now) as unit:
        assert len(lite.access.looks(unit)) == 1
