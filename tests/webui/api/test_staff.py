"""What programs do for raters, researchers and operators: what their roles allow, and what people show still."""

from __future__ import annotations

import pytest

from tests.webui import rating as desk
from tests.webui import walking
from tests.webui.api.programs import program
from tests.webui.site import Site
from tracker.domain.consent import Recorder, Scope
from tracker.domain.keymap import KEYS
from tracker.domain.members import Role
from tracker.domain.tokens import Purpose
from tracker.workflows import consenting, rating, studies

SOUND = """
id = "night"
title = "Night"
version = "2"
help_contact = "Dr. Example, +49 30 1"
deployment_context = "research_home"
controller = { name = "Example University", contact = "privacy@example.org" }
purposes = [{ text = "To study mood." }]
"""


class TestRating:
    def test_a_face_is_given_seen_rated_and_taken_back(self, site: Site) -> None:
        desk.shown_person(site)
        kim = desk.member(site)
        asked = program(site, kim)
        (item,) = asked.get("/rating/items").json["items"]
        picture = asked.get(f"/rating/items/{item['id']}/picture")
        assert (picture.status_code, picture.mimetype) == (200, "image/png")
        assert picture.headers["Cache-Control"] == "no-store, private"
        said = asked.post(f"/rating/items/{item['id']}/vote", {"verdict": "emotion", "emotion": "fear"})
        assert said.status_code == 201, said.text
        (last,) = asked.get("/rating/votes").json["items"]
        assert (last["item"], last["emotions"]["fear"]) == (item["id"], 1.0)
        assert asked.get("/rating/progress").json["done"] == 1
        assert asked.post(f"/rating/items/{item['id']}/undo").json["id"] == item["id"]
        assert rating.standing_vote(site.access, kim, item["id"]) is None

    def test_a_look_is_noted_where_its_person_sees_it(self, site: Site) -> None:
        ada = desk.shown_person(site)
        asked = program(site, desk.member(site))
        (item,) = asked.get("/rating/items").json["items"]
        asked.get(f"/rating/items/{item['id']}/picture")
        with site.access.read(ada.id, site.now) as unit:
            looks = site.access.looks(unit)
        assert looks, "whoever sees a face leaves an event"

    def test_what_was_taken_back_is_shown_and_rated_no_more(self, site: Site) -> None:
        ada = desk.shown_person(site)
        asked = program(site, desk.member(site))
        (item,) = asked.get("/rating/items").json["items"]
        consenting.withdraw(
            site.access, ada, [Scope.SHARE_WITH_RATERS], site.now, recorder=Recorder.PARTICIPANT
        )
        assert asked.get(f"/rating/items/{item['id']}/picture").status_code == 410
        vote = asked.post(f"/rating/items/{item['id']}/vote", {"verdict": "cannot_tell"})
        assert (vote.status_code, vote.json["type"]) == (410, "urn:affect-tracker:problem:closed")
        assert asked.get("/rating/items").json["items"] == []

    def test_an_item_of_anothers_desk_is_as_one_that_never_was(self, site: Site) -> None:
        desk.shown_person(site)
        mine, theirs = (program(site, desk.member(site, name)) for name in ("kim", "lou"))
        (item,) = mine.get("/rating/items").json["items"]
        for number in (item["id"], "f" * 32):
            assert theirs.get(f"/rating/items/{number}/picture").status_code == 404
            assert theirs.post(f"/rating/items/{number}/vote", {"verdict": "cannot_tell"}).status_code == 404

    @pytest.mark.parametrize(
        "said", [{"verdict": "emotion"}, {"verdict": "undone"}, {"verdict": "emotion", "second": "fear"}]
    )
    def test_what_is_no_answer_is_refused(self, lite: Site, said: dict[str, str]) -> None:
        desk.shown_person(lite)
        asked = program(lite, desk.member(lite))
        (item,) = asked.get("/rating/items").json["items"]
        assert asked.post(f"/rating/items/{item['id']}/vote", said).status_code == 422

    def test_keys_are_replaced_only_as_they_were_seen(self, site: Site) -> None:
        kim = desk.member(site)
        asked = program(site, kim)
        before = asked.get("/rating/keys")
        assert before.json["keys"] == KEYS
        tag = {"If-Match": before.headers["ETag"]}
        assert asked.put("/rating/keys", {"keys": {"undo": "b"}}).status_code == 428
        assert asked.put("/rating/keys", {"keys": {"undo": "b"}}, headers=tag).json["keys"]["undo"] == "b"
        assert asked.put("/rating/keys", {"keys": {"undo": "c"}}, headers=tag).status_code == 412
        tag = {"If-Match": asked.get("/rating/keys").headers["ETag"]}
        assert asked.put("/rating/keys", {"keys": {"undo": "x"}}, headers=tag).status_code == 422
        assert rating.key_map(site.access, kim)["undo"] == "b"


class TestStudies:
    def test_the_study_in_force_is_given_with_its_versions(self, site: Site) -> None:
        rob = walking.member(site.access, "rob", Role.RESEARCHER)
        asked = program(site, rob)
        told = asked.get("/study").json
        present = studies.in_force(site.access)
        assert (told["sha256"], told["document"]["id"]) == (present.sha256, present.id)
        applied = [v.sha256 for v in studies.history(site.access)]
        assert [v["sha256"] for v in asked.get("/study/versions").json["items"]] == applied

    def test_a_file_is_checked_and_compared_and_nothing_is_changed(self, lite: Site) -> None:
        olga = walking.member(lite.access, "olga", Role.OPERATOR)
        asked = program(lite, olga)
        toml = {"content_type": "application/toml"}
        sound = asked.ask("POST", "/study/checks", data=SOUND, **toml).json
        assert (sound["sound"], sound["problems"], sound["document"]["title"]) == (True, [], "Night")
        broken = asked.ask("POST", "/study/checks", data=SOUND.replace("title", "titel"), **toml).json
        assert broken["sound"] is False
        assert any("titel" in line for line in broken["problems"])
        diff = asked.ask("POST", "/study/diffs", data=SOUND, **toml).json["items"]
        assert {"before": studies.in_force(lite.access).title, "after": "Night"}.items() <= next(
            one for one in diff if one["place"] == ["title"]
        ).items()
        lite.person()
        preview = asked.ask("POST", "/study/previews", data=SOUND, **toml).json
        assert preview["changed"] is True
        assert "ada" not in str(preview)
        assert studies.in_force(lite.access).title != "Night"

    def test_only_an_operator_sees_whom_a_study_would_touch(self, lite: Site) -> None:
        rob = walking.member(lite.access, "rob", Role.RESEARCHER)
        told = program(lite, rob).ask("POST", "/study/previews", data=SOUND, content_type="application/toml")
        assert told.status_code == 403

    @pytest.mark.parametrize(
        ("body", "media", "status"),
        [
            (b"\xff\xfe", "application/toml", 422),
            (b"id = ", "application/toml", 422),
            (b"a: [", "application/yaml", 422),
            (b"{}", "application/json", 415),
            (b"x", "text/plain", 415),
            (b"x" * 400_000, "application/toml", 413),
        ],
    )
    def test_what_is_no_study_file_is_refused(self, lite: Site, body: bytes, media: str, status: int) -> None:
        rob = walking.member(lite.access, "rob", Role.RESEARCHER)
        told = program(lite, rob, Purpose.STUDIES).ask("POST", "/study/diffs", data=body, content_type=media)
        assert told.status_code == status
        assert told.content_type == "application/problem+json"
