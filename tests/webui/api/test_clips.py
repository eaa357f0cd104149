"""Clips, traces and decisions by programs: blind, noted, closed when taken back; nobody decides on their own vote."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.webui import rating as desk
from tests.webui import walking
from tests.webui.api.programs import Program, program
from tests.webui.site import Site
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.stretches import Stretch
from tracker.domain.tokens import Purpose
from tracker.store import tables
from tracker.workflows import consenting, hiding, members, rating, studies

EVERY = timedelta(milliseconds=700)
PNG = b"\x89PNG"


def clip(asked: Program) -> dict[str, Any]:
    (waits,) = asked.get("/rating/clips").json["items"]
    opened = asked.get(f"/rating/clips/{waits['id']}")
    assert opened.status_code == 200, opened.text
    assert waits["pictures"] == len(opened.json["frames"])
    told: dict[str, Any] = opened.json
    return told


def drawn(opened: dict[str, Any], **more: Any) -> dict[str, Any]:
    samples = [
        {"at": f["at"], "value": round(0.1 * n, 1), "observation": f["observation"]}
        for n, f in enumerate(opened["frames"])
    ]
    return {"dimension": "valence", "lag_s": 2, "samples": samples} | more


class TestClips:
    def test_a_clip_is_seen_blind_traced_and_voted_on(self, site: Site) -> None:
        who = desk.shown_person(site, faces=6, apart=EVERY)
        asked = program(site, desk.member(site))
        opened = clip(asked)
        assert {f["network"] for f in opened["frames"]} == {None}
        first, second = (datetime.fromisoformat(f["at"]) for f in opened["frames"][:2])
        assert second - first == EVERY
        picture = asked.get(f"/rating/clips/{opened['id']}/frames/{opened['frames'][0]['observation']}")
        assert (picture.mimetype, picture.data[:4]) == ("image/png", PNG)
        assert "no-store" in picture.headers["Cache-Control"]
        held = ",".join(str(f["observation"]) for f in opened["frames"])
        where = f"/rating/clips/{opened['id']}"
        assert asked.get(f"{where}/open", query_string={"frames": held}).json == {"open": True}
        body = drawn(opened)
        kept = [asked.post(f"{where}/traces", body, key="one-trace-1") for _ in range(2)]
        assert [one.status_code for one in kept] == [201, 201], kept[0].text
        t = tables.rating_traces.c
        with site.access.database.read() as connection:
            row = connection.execute(select(t.dimension, t.lag_s, t.samples)).one()
        assert (row.dimension, row.lag_s) == ("valence", 2.0)
        assert [(value, o) for _, value, o in row.samples] == [
            (s["value"], s["observation"]) for s in body["samples"]
        ]
        said = asked.post(f"/rating/items/{opened['id']}/vote", {"verdict": "emotion", "emotion": "sadness"})
        assert said.status_code == 201, said.text
        after = asked.get(where).json
        assert after["said"]["emotions"]["sadness"] == 1.0
        assert any(f["network"] for f in after["frames"])
        assert asked.get("/rating/clips").json["items"] == []
        with site.access.read(who.id, site.now) as unit:
            looks = [look.what for look in site.access.looks(unit)]
        assert looks[:2] == ["a stretch of pictures of your face, to rate it"] * 2

    @pytest.mark.parametrize(
        "more",
        [
            {"samples": []},
            {"samples": [{"at": "yesterday", "value": 0.1}]},
            {"samples": [{"at": "2026-03-20T11:59:59+00:00", "value": 2}]},
            {"samples": [{"at": "2026-03-20T11:59:59+00:00", "value": 0.1, "observation": 10**6}]},
            {"samples": [{"at": "2026-03-20T11:59:59+00:00", "value": 0.1, "observation": "1"}]},
            {"dimension": "dominance"},
            {"lag_s": 99},
            {"key": "my-own-key"},
        ],
    )
    def test_a_trace_that_cannot_be_is_refused(self, lite: Site, more: dict[str, Any]) -> None:
        desk.shown_person(lite, faces=4, apart=EVERY)
        asked = program(lite, desk.member(lite))
        opened = clip(asked)
        refused = asked.post(f"/rating/clips/{opened['id']}/traces", drawn(opened, **more))
        assert (refused.status_code, refused.content_type) == (422, "application/problem+json")
        with lite.access.database.read() as connection:
            assert connection.execute(select(tables.rating_traces.c.id)).first() is None

    @pytest.mark.parametrize("how", ["withdraws", "hides"])
    def test_it_closes_when_any_picture_is_taken_back(self, site: Site, how: str) -> None:
        who = desk.shown_person(site, faces=6, apart=EVERY)
        asked = program(site, desk.member(site))
        opened = clip(asked)
        third = opened["frames"][2]
        if how == "withdraws":
            consenting.withdraw(
                site.access, who, [Scope.SHARE_WITH_RATERS], site.now, recorder=Recorder.PARTICIPANT
            )
        else:
            at = datetime.fromisoformat(third["at"])
            hiding.hide(site.access, who, Stretch(at, at + EVERY / 2), site.now)
        where = f"/rating/clips/{opened['id']}"
        held = ",".join(str(f["observation"]) for f in opened["frames"])
        assert asked.get(f"{where}/open", query_string={"frames": held}).json == {"open": False}
        assert asked.get(f"{where}/frames/{third['observation']}").status_code in (404, 410)
        if how == "withdraws":
            assert asked.post(f"{where}/traces", drawn(opened)).status_code == 410
            assert asked.get(where).status_code == 410
            assert asked.get("/rating/clips").json["items"] == []

    def test_anothers_clip_is_none(self, lite: Site) -> None:
        desk.shown_person(lite, faces=5, apart=EVERY)
        kim, lea = (program(lite, desk.member(lite, name)) for name in ("kim", "lea"))
        opened = clip(kim)
        where = f"/rating/clips/{opened['id']}"
        assert lea.get(where).status_code == 404
        assert lea.get(f"{where}/frames/{opened['frames'][0]['observation']}").status_code == 404
        assert lea.get(f"{where}/open").json == {"open": False}
        assert lea.post(f"{where}/traces", drawn(opened)).status_code == 404
        lite.wait(timedelta(hours=1))
        late = kim.get(f"{where}/frames/{opened['frames'][0]['observation']}")
        assert late.status_code == 404, "it was opened too long ago"

    def test_who_has_not_agreed_sees_no_clip(self, lite: Site) -> None:
        desk.shown_person(lite, faces=5, apart=EVERY)
        asked = program(lite, desk.member(lite, agreed=False))
        refused = asked.get("/rating/clips")
        assert (refused.status_code, refused.json["type"]) == (403, "urn:affect-tracker:problem:no-rater")

    def test_a_key_that_is_sent_again_after_the_rater_was_erased_keeps_nothing(self, site: Site) -> None:
        desk.shown_person(site, faces=5, apart=EVERY)
        kim = desk.member(site)
        asked = program(site, kim)
        opened = clip(asked)
        body = drawn(opened)
        assert asked.post(f"/rating/clips/{opened['id']}/traces", body, key="one-trace-1").status_code == 201
        rating.erase(site.access, kim, site.now)
        late = asked.post(f"/rating/clips/{opened['id']}/traces", body, key="one-trace-1")
        assert late.status_code in (403, 404), late.text
        with site.access.database.read() as connection:
            assert connection.execute(select(tables.rating_traces.c.id)).first() is None


def votes(site: Site, who: Member, emotion: str) -> None:
    asked = program(site, who, Purpose.RATING)
    (item,) = asked.get("/rating/items").json["items"]
    said = asked.post(f"/rating/items/{item['id']}/vote", {"verdict": "emotion", "emotion": emotion})
    assert said.status_code == 201, said.text


class TestAdjudication:
    @pytest.fixture
    def disputed(self, site: Site) -> Person:
        """One face of which kim says anger and lea, who is a researcher too, says fear."""
        studies.apply(site.access, desk.rating_study(site, second_share=1.0), "ops", site.now)
        who = desk.shown_person(site, faces=1)
        votes(site, desk.member(site, "rater-kim"), "anger")
        lea = desk.member(site, "rater-lea", Role.RATER, Role.RESEARCHER)
        desk.at_desk(site, lea)  # gives them their second factor
        votes(site, lea, "fear")
        return who

    @pytest.fixture
    def judge(self, site: Site, disputed: Person) -> Program:
        return program(site, walking.member(site.access, "judge", Role.RESEARCHER), Purpose.ADJUDICATION)

    def test_a_researcher_decides_beside_the_votes(
        self, site: Site, disputed: Person, judge: Program
    ) -> None:
        (waits,) = judge.get("/adjudication").json["items"]
        where = f"/adjudication/{waits['id']}"
        told = judge.get(where)
        assert [vote["emotions"]["anger"] for vote in told.json["votes"]] == [1.0, 0.0]
        for name in ("kim", "lea", disputed.id, disputed.subject, site.now.strftime("%Y-%m")):
            assert name not in told.text
        assert judge.get(f"{where}/picture").data[:4] == PNG
        assert judge.get(f"{where}/open").json == {"open": True}
        body = {"verdict": "emotion", "emotion": "sadness"}
        done = [judge.post(f"{where}/decision", body, key="one-decision") for _ in range(2)]
        assert [one.status_code for one in done] == [201, 201], done[0].text
        assert done[0].json == done[1].json
        assert judge.get("/adjudication").json["items"] == []
        assert judge.get(where).json["decided"]["emotions"]["sadness"] == 1.0
        with site.access.database.read() as connection:
            assert len(connection.execute(select(tables.adjudications.c.id)).all()) == 1
            assert len(connection.execute(select(tables.rating_votes.c.id)).all()) == 2

    def test_who_voted_does_not_decide(self, site: Site, judge: Program) -> None:
        (waits,) = judge.get("/adjudication").json["items"]
        asked = program(site, members.find(site.access, "rater-lea"))
        assert asked.get("/adjudication").json["items"] == []
        refused = asked.post(f"/adjudication/{waits['id']}/decision", {"verdict": "cannot_tell"})
        assert (refused.status_code, "rated this item yourself" in refused.json["detail"]) == (422, True)
        kim = program(site, members.find(site.access, "rater-kim"))
        assert kim.get("/adjudication").status_code == 403

    def test_a_withdrawal_closes_it(self, site: Site, disputed: Person, judge: Program) -> None:
        (waits,) = judge.get("/adjudication").json["items"]
        consenting.withdraw(
            site.access, disputed, [Scope.SHARE_WITH_RATERS], site.now, recorder=Recorder.PARTICIPANT
        )
        where = f"/adjudication/{waits['id']}"
        for answer in (
            judge.get(where),
            judge.get(f"{where}/picture"),
            judge.post(f"{where}/decision", {"verdict": "cannot_tell"}),
        ):
            assert (answer.status_code, answer.json["type"]) == (410, "urn:affect-tracker:problem:closed")
        assert judge.get(f"{where}/open").json == {"open": False}

    @pytest.mark.parametrize("verdict", ["uncomfortable", "undone", "emotion", "maybe"])
    def test_what_is_no_decision_is_refused(self, site: Site, judge: Program, verdict: str) -> None:
        (waits,) = judge.get("/adjudication").json["items"]
        refused = judge.post(f"/adjudication/{waits['id']}/decision", {"verdict": verdict})
        assert refused.status_code == 422
