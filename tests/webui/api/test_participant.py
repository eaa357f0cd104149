"""What programs do for participants: the same as the pages, through the same gate."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import builders
from tests.lives import answered
from tests.webui.api.programs import Program, program
from tests.webui.site import Site
from tests.webui.test_study_form import OWN, govern, granted
from tracker.domain.affect import Emotion
from tracker.domain.consent import Scope
from tracker.domain.series import Context, Observation, Prompt, TimeSource
from tracker.privacy import signed
from tracker.workflows import consenting, enrolment, feedback, prompts, timeline
from tracker.workflows.ingest.keeping import keep

MINUTE = timedelta(minutes=1)


def all_moments(asked: Program, query: str = "", limit: int = 200) -> list[dict[str, object]]:
    found, cursor = [], ""
    while True:
        page = asked.get(f"/timeline/moments?limit={limit}{query}{cursor}").json
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


class TestTimeline:
    def test_it_gives_the_moments_that_the_workflow_gives(self, site: Site) -> None:
        ada = site.person()
        instants = site.series(ada)
        asked = program(site, ada)
        asked.post("/corrections", {"at": instants[5].isoformat(), "emotion": "fear"})
        with timeline.moments(site.access, ada, site.now) as found:
            expected = list(found)
        given = all_moments(asked)
        assert [datetime.fromisoformat(str(m["at"])) for m in given] == [m.at for m in expected]
        assert [m["reason"] for m in given] == [m.reason and m.reason.value for m in expected]
        assert [m["network"] for m in given] == [m.machine and m.machine.as_dict() for m in expected]
        assert given[5]["said"]["fear"] == 1.0  # type: ignore[index]

    def test_every_way_of_paging_gives_every_moment_once_and_in_order(self, lite: Site) -> None:
        """Several observations and a word of the same instant too: nothing is lost between two pages."""
        ada = lite.person()
        instants = lite.series(ada, 12)
        for source in ("b" * 64, "c" * 64):
            batch = [builders.observed(at, Emotion.FEAR, source=source) for at in instants[3:6]]
            builders.store(lite.access, ada, batch, lite.now)
        asked = program(lite, ada)
        whole = all_moments(asked)
        assert len(whole) == 18

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.integers(1, 20), st.none() | st.integers(0, 13))
        def pages(limit: int, first: int | None) -> None:
            lite.wait(MINUTE)
            start = None if first is None else instants[0] + first * MINUTE
            query = "" if start is None else f"&from={start.isoformat().replace('+', '%2B')}"
            rest = [m for m in whole if start is None or datetime.fromisoformat(str(m["at"])) >= start]
            assert all_moments(asked, query, limit) == rest

        pages()

    def test_a_cursor_that_was_bent_or_is_anothers_is_refused(self, lite: Site) -> None:
        ada = lite.person()
        lite.series(ada)
        answered(lite.access, ada, lite.now - MINUTE, Emotion.FEAR, lite.now)
        answered(lite.access, ada, lite.now - 2 * MINUTE, Emotion.FEAR, lite.now)
        asked = program(lite, ada)
        cursor = asked.get("/timeline/moments?limit=5").json["next"]
        other = asked.get("/prompts?limit=1").json["next"]
        for wrong in (cursor[:-2], "A" + cursor[1:], other, "", "ü", "AAAA", "-" * 400):
            answer = asked.get("/timeline/moments", query_string={"limit": 5, "cursor": wrong})
            assert answer.status_code == 400 or not wrong, wrong

    def test_points_are_those_of_the_page(self, site: Site) -> None:
        ada = site.person()
        site.series(ada)
        told = program(site, ada).get("/timeline/points").json
        with site.access.read(ada.id, site.now) as unit:
            page = timeline.page(unit, site.now - timedelta(days=1), site.now)
        assert [p["n"] for p in told["points"]] == [p.n for p in page.points]
        assert told["network"] == page.network
        assert {g["reason"] for g in told["gaps"]} == {"no_face"}
        wrong = program(site, ada).get("/timeline/points?from=2026-01-01T00:00:00Z&to=2020-01-01T00:00:00Z")
        assert wrong.status_code == 422

    def test_an_unchanged_answer_is_not_sent_again(self, lite: Site) -> None:
        ada = lite.person()
        instants = lite.series(ada)
        asked = program(lite, ada)
        first = asked.get("/timeline/moments")
        tag = first.headers["ETag"]
        same = asked.get("/timeline/moments", headers={"If-None-Match": tag})
        assert (same.status_code, same.data) == (304, b"")
        asked.post("/corrections", {"at": instants[5].isoformat(), "emotion": "fear"})
        assert asked.get("/timeline/moments", headers={"If-None-Match": tag}).status_code == 200


class TestKept:
    def test_the_picture_and_the_note_of_a_moment_are_for_oneself_alone(self, site: Site) -> None:
        ada = site.person()
        at = site.series(ada)[40]
        with site.access.write(ada.id, site.now) as unit:
            seen = Observation("a" * 64, int(at.timestamp() * 1_000_000), at, TimeSource.STATED, None, 1)
            assert keep(site.access, unit, {seen: np.full((48, 48, 3), 77, np.uint8)}) == 1
        asked = program(site, ada)
        other = next(
            m for m in all_moments(asked) if m["observation"] is not None and m["at"] != at.isoformat()
        )
        (mine,) = (m for m in all_moments(asked) if m["at"] == at.isoformat())
        which = {"at": at.isoformat(), "observation": mine["observation"]}
        before = asked.get("/timeline/kept", query_string=which)
        assert before.json == {"picture": True, "note": None, "may_note": True}
        asked.post("/corrections", {"at": at.isoformat(), "emotion": "fear", "note": "a loud door"})
        assert asked.get("/timeline/kept", query_string=which).json["note"] == "a loud door"
        picture = asked.get(f"/timeline/observations/{mine['observation']}/picture")
        assert (picture.status_code, picture.mimetype) == (200, "image/png")
        assert picture.data.startswith(b"\x89PNG")
        assert picture.headers["Cache-Control"] == "no-store, private"
        assert asked.get(f"/timeline/observations/{other['observation']}/picture").status_code == 404
        bob = program(site, site.person("bob"))
        assert bob.get(f"/timeline/observations/{mine['observation']}/picture").status_code == 404
        told = bob.get("/timeline/kept", query_string=which).json
        assert (told["picture"], told["note"]) == (False, None)

    @pytest.mark.parametrize("query", ["", "?at=yesterday", f"?at=2026-03-20T10:00:00Z&observation={2**63}"])
    def test_what_names_no_moment_is_refused(self, lite: Site, query: str) -> None:
        assert program(lite, lite.person()).get(f"/timeline/kept{query}").status_code == 422


class TestAnswers:
    def test_everything_that_can_be_said_is_stored_as_the_form_stores_it(self, site: Site) -> None:
        ada = site.person()
        asked = program(site, ada)
        said = {
            "emotion": "fear",
            "second": "surprise",
            "intensity": 4,
            "valence": -0.5,
            "arousal": 1,
            "alone": "yes",
            "place": "home",
            "company": "alone",
            "note": "it thundered",
            "response_ms": 900,
        }
        told = asked.post("/answers", said)
        assert told.status_code == 201, told.text
        assert set(told.json["words"]) == {"emotion", "valence", "arousal", "leave_me_alone"}
        assert told.json["context"] is told.json["noted"] is True
        with site.access.read(ada.id, site.now) as unit:
            page = timeline.page(unit, site.now - MINUTE, site.now + MINUTE)
        values = {c.target: c.value for c in page.corrections}
        assert values == {"emotion": None, "valence": -0.5, "arousal": 1.0, "leave_me_alone": 1.0}
        assert page.contexts[0].place == "home"

    @pytest.mark.parametrize(
        ("said", "field"),
        [
            ({}, None),
            ({"note": "words alone"}, None),
            ({"second": "fear"}, None),
            ({"emotion": "fear", "second": "fear"}, None),
            ({"valence": 0.5}, None),
            ({"emotion": "joy"}, "emotion"),
            ({"valence": 2, "arousal": 0}, "valence"),
            ({"intensity": 9, "emotion": "fear"}, "intensity"),
            ({"emotion": "fear", "at": "2026-03-20T10:00:00"}, "at"),
            ({"emotion": "fear", "at": "2999-01-01T00:00:00Z"}, None),
            ({"emotion": "fear", "mood": 1}, "mood"),
            ({"emotion": "fear", "intensity": "4"}, "intensity"),
        ],
    )
    def test_what_is_no_answer_is_refused_with_the_field(
        self, lite: Site, said: dict[str, object], field: str | None
    ) -> None:
        answer = program(lite, lite.person()).post("/answers", said)
        assert answer.status_code == 422
        assert answer.content_type == "application/problem+json"
        assert answer.json["detail"]
        assert (field in answer.json["errors"]["json"]) if field else ("errors" not in answer.json)

    def test_the_studys_own_questions_are_answered_and_no_others(self, site: Site) -> None:
        ada = site.person()
        govern(site, OWN)
        granted(site, Scope.AFFECT_SERIES)
        asked = program(site, ada)
        told = asked.post("/answers", {"own": {"number:stress": -0.5, "yes_no:tired": 1}})
        assert set(told.json["words"]) == {"number:stress", "yes_no:tired"}, told.text
        with site.access.read(ada.id, site.now) as unit:
            page = timeline.page(unit, site.now - MINUTE, site.now + MINUTE)
        assert {c.target: c.value for c in page.corrections} == {"number:stress": -0.5, "yes_no:tired": 1.0}
        for wrong in ({"number:mood": 0}, {"yes_no:tired": 0.3}, {"number:stress": 2}, {"emotion": 0}):
            assert asked.post("/answers", {"own": wrong}).status_code == 422, wrong

    def test_what_is_not_allowed_is_named(self, site: Site) -> None:
        asked = program(site, site.person(scopes=(Scope.PROMPTS,)))
        refused = asked.post("/answers", {"emotion": "fear"})
        assert (refused.status_code, refused.json["missing"]) == (403, ["affect_series"])
        assert refused.json["type"] == "urn:affect-tracker:problem:consent"
        assert asked.get("/answers/offers").json["words"] is False

    def test_a_correction_says_what_it_changed_and_supersedes(self, site: Site) -> None:
        ada = site.person()
        instants = site.series(ada)
        asked = program(site, ada)
        first = asked.post("/corrections", {"at": instants[5].isoformat(), "emotion": "fear"}).json
        assert first["network"] is not None
        assert first["before"] != first["after"]
        second = asked.post(
            "/corrections", {"at": instants[5].isoformat(), "emotion": "anger", "note": "no"}
        ).json
        assert (second["superseded"], second["noted"]) == (first["id"], True)


class TestPrompts:
    def test_a_question_is_seen_opened_and_answered(self, site: Site) -> None:
        ada = site.person()
        asked = program(site, ada)
        assert asked.get("/prompts/waiting").json == {"prompt": None}
        number = prompts.record(
            site.access, ada, Prompt("s", site.now, site.now, None, None, "notified"), site.now
        )
        waits = asked.get("/prompts/waiting").json["prompt"]
        assert (waits["id"], waits["started"]) == (number, False)
        assert asked.post(f"/prompts/{number}/start").json["started"] is True
        told = asked.post("/answers", {"emotion": "fear", "prompt": number})
        assert told.status_code == 201
        assert asked.get("/prompts/waiting").json == {"prompt": None}
        (past,) = asked.get("/prompts", query_string={"to": (site.now + MINUTE).isoformat()}).json["items"]
        assert past["state"] == "completed"
        over = asked.post(f"/prompts/{number}/dismiss")
        assert (over.status_code, over.json["type"]) == (409, "urn:affect-tracker:problem:prompt-over")

    def test_who_travels_says_where_they_are(self, site: Site) -> None:
        ada = site.person()
        asked = program(site, ada)
        tag = {"If-Match": asked.get("/zone").headers["ETag"]}
        assert asked.put("/zone", {"zone": "Asia/Tokyo"}).status_code == 428
        assert asked.put("/zone", {"zone": "Mars/Olympus"}, headers=tag).status_code == 422
        assert asked.put("/zone", {"zone": "Asia/Tokyo"}, headers=tag).json == {"zone": "Asia/Tokyo"}
        assert asked.put("/zone", {"zone": ada.zone}, headers=tag).status_code == 412
        with site.access.read(ada.id, site.now) as unit:
            assert unit.person.zone == "Asia/Tokyo"

    def test_anothers_question_is_as_one_that_never_was(self, site: Site) -> None:
        ada, bob = site.person(), site.person("bob")
        number = prompts.record(
            site.access, ada, Prompt("s", site.now, site.now, None, None, "notified"), site.now
        )
        asked = program(site, bob)
        for path in ("start", "dismiss"):
            theirs, nobodys = asked.post(f"/prompts/{number}/{path}"), asked.post(f"/prompts/{10**9}/{path}")
            assert (
                (theirs.status_code, theirs.data) == (nobodys.status_code, nobodys.data) == (404, theirs.data)
            )
        theirs = asked.post("/answers", {"emotion": "fear", "prompt": number})
        assert theirs.status_code == 404

    def test_they_come_in_pages(self, lite: Site) -> None:
        ada = lite.person()
        for minutes in range(1, 8):
            answered(lite.access, ada, lite.now - minutes * MINUTE, Emotion.FEAR, lite.now)
        asked, found, cursor = program(lite, ada), [], {}
        while True:
            page = asked.get("/prompts", query_string={"limit": 3, **cursor}).json
            found += [one["id"] for one in page["items"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert len(found) == len(set(found)) == 7


class TestConsent:
    def test_withdrawing_ends_it_at_once(self, site: Site) -> None:
        ada = site.person()
        asked = program(site, ada)
        before = {s["scope"]: s["in_force"] for s in asked.get("/consent").json["scopes"]}
        assert all(before.values())
        after = asked.post("/consent/withdrawals", {"scopes": ["affect_series"], "then": "keep"})
        stands = {s["scope"]: s["in_force"] for s in after.json["scopes"]}
        assert [scope for scope in stands if not stands[scope]] == ["affect_series"]
        assert asked.post("/answers", {"emotion": "fear"}).status_code == 403
        with site.access.read(ada.id, site.now) as unit:
            assert Scope.AFFECT_SERIES not in unit.grants()
            assert consenting.erasures_due(unit) == {}

    def test_unless_said_one_is_asked_what_becomes_of_it(self, site: Site) -> None:
        ada = site.person()
        program(site, ada).post("/consent/withdrawals", {"scopes": ["notes"]})
        with site.access.read(ada.id, site.now) as unit:
            assert set(consenting.erasures_due(unit)) == {Scope.NOTES}

    def test_what_was_withdrawn_is_kept_when_one_says_so_later(self, site: Site) -> None:
        ada, bob = site.person(), site.person("bob")
        asked = program(site, ada)
        for who in (asked, program(site, bob)):
            who.post("/consent/withdrawals", {"scopes": ["notes"]})
        assert asked.post("/consent/answers", {"answer": "erase_scope"}).status_code == 422
        assert asked.post("/consent/answers", {"answer": "keep"}).status_code == 200
        for who, waits in ((ada, set()), (bob, {Scope.NOTES})):
            with site.access.read(who.id, site.now) as unit:
                assert set(consenting.erasures_due(unit)) == waits

    def test_nothing_is_recorded_for_what_was_never_allowed(self, lite: Site) -> None:
        asked = program(lite, lite.person(scopes=(Scope.AFFECT_SERIES,)))
        events = len(asked.get("/consent/events").json["items"])
        asked.post("/consent/withdrawals", {"scopes": ["notes"]})
        asked.post("/consent/refusals", {"scopes": ["affect_series"]})
        assert len(asked.get("/consent/events").json["items"]) == events
        asked.post("/consent/refusals", {"scopes": ["notes"]})
        last = asked.get("/consent/events").json["items"][-1]
        assert (last["scope"], last["state"], last["recorder"]) == ("notes", "refused", "participant")

    def test_a_token_for_consent_erases_nothing(self, lite: Site) -> None:
        asked = program(lite, lite.person())
        for then in ("erase_scope", "erase_all"):
            said = {"scopes": ["notes"], "then": then}
            assert asked.post("/consent/withdrawals", said).status_code == 422

    def test_the_receipt_is_the_signed_one(self, lite: Site) -> None:
        ada = lite.person()
        told = program(lite, ada).get("/consent/receipt")
        assert told.mimetype == "application/ld+json"
        assert signed.read(told.text)

    def test_pausing_needs_the_tag_of_what_it_replaces(self, site: Site) -> None:
        ada = site.person()
        asked = program(site, ada)
        tag = asked.get("/pause").headers["ETag"]
        assert asked.put("/pause", {"paused": True}).status_code == 428
        assert asked.put("/pause", {"paused": True}, headers={"If-Match": '"other"'}).status_code == 412
        done = asked.put("/pause", {"paused": True}, headers={"If-Match": tag})
        assert done.json["paused"] is True
        with site.access.read(ada.id, site.now) as unit:
            assert unit.person.paused_at == site.now
        assert asked.put("/pause", {"paused": False}, headers={"If-Match": tag}).status_code == 412
        enrolment.resume(site.access, ada, site.now)
        assert asked.get("/pause").json == {"paused": False, "since": None}


def test_nothing_of_anothers_is_given(site: Site) -> None:
    ada, bob = site.person(), site.person("bob")
    instants = site.series(ada)
    feedback.add_context(site.access, ada, Context(instants[0], place="canary"), site.now)
    asked = program(site, bob)
    for path in (
        "/timeline/moments",
        "/timeline/points",
        "/prompts",
        "/consent",
        "/consent/events",
        "/token",
    ):
        told = asked.get(path)
        assert told.status_code == 200
        assert "canary" not in told.text
        assert "ada" not in told.text
    assert asked.get("/timeline/moments").json["items"] == []
