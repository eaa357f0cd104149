"""What programs do for raters about themselves: the notice, what they allow, figures, taking along, erasing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webui import rating as desk
from tests.webui import walking
from tests.webui.api.programs import Program, program
from tests.webui.site import PASSWORD, Site
from tracker.domain.members import Member, Role
from tracker.domain.raters import NEEDED, RaterScope
from tracker.domain.tokens import Purpose
from tracker.workflows import accounts, rating

ME = {"password": PASSWORD}
WRONG = {"password": "wrong horse battery"}


def tagged(asked: Program) -> dict[str, str]:
    return {"If-Match": asked.get("/rater/grants").headers["ETag"]}


def choose(asked: Program, scopes: list[str], tag: dict[str, str] | None = None, **other: Any) -> Any:
    sent = {"notice": asked.get("/rater/notice").json["sha256"], "scopes": scopes} | other
    return asked.put("/rater/grants", sent, headers=tagged(asked) if tag is None else tag)


def rated(site: Site, kim: Member) -> Program:
    """Kim's program, when it has rated one face."""
    desk.shown_person(site)
    asked = program(site, kim)
    (item,) = asked.get("/rating/items").json["items"]
    said = {"verdict": "emotion", "emotion": "fear", "response_ms": 900}
    assert asked.post(f"/rating/items/{item['id']}/vote", said).status_code == 201
    return asked


class TestAllowing:
    def test_nobody_rates_before_they_allow_it_under_the_notice_that_they_read(self, site: Site) -> None:
        kim = walking.member(site.access, "kim", Role.RATER)
        asked = program(site, kim)
        assert asked.get("/rating/items").status_code == 403
        told = asked.get("/rater/notice").json
        assert [card["scope"] for card in told["cards"]] == [scope.value for scope in RaterScope]
        assert {card["scope"] for card in told["cards"] if card["needed"]} == {s.value for s in NEEDED}
        assert told["sha256"] == rating.notice(site.access).sha256
        before = asked.get("/rater/grants").json
        assert (before["scopes"], before["enough"], before["at"]) == ([], False, None)
        after = choose(asked, ["votes", "agreement"])
        assert (after.status_code, after.json["scopes"]) == (200, ["votes", "agreement"])
        assert after.json["enough"]
        assert after.json["at"] == site.now.isoformat()
        assert asked.get("/rating/items").status_code == 200
        assert rating.agreed(site.access, kim).scopes == {RaterScope.VOTES, RaterScope.AGREEMENT}

    def test_what_is_not_named_is_refused_and_times_go(self, site: Site) -> None:
        kim = desk.member(site)
        asked = rated(site, kim)
        assert asked.get("/rater/figures").json["median_response_ms"] == 900
        assert choose(asked, ["votes"]).json["scopes"] == ["votes"]
        figures = asked.get("/rater/figures").json
        assert (figures["total"], figures["median_response_ms"], figures["with_others"]) == (1, None, None)

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            ({"notice": "0" * 64, "scopes": ["votes"]}, 409),
            ({"notice": "x", "scopes": ["votes"]}, 422),
            ({"scopes": ["votes"]}, 422),
            ({"notice": "0" * 64, "scopes": ["everything"]}, 422),
            ({"notice": "0" * 64, "scopes": "votes"}, 422),
        ],
    )
    def test_another_text_or_no_choice_records_nothing(
        self, lite: Site, sent: dict[str, Any], status: int
    ) -> None:
        kim = desk.member(lite)
        asked = program(lite, kim)
        before = rating.agreed(lite.access, kim)
        answer = asked.put("/rater/grants", sent, headers=tagged(asked))
        assert answer.status_code == status, answer.text
        assert rating.agreed(lite.access, kim) == before

    def test_what_was_said_meanwhile_comes_first(self, lite: Site) -> None:
        asked = program(lite, desk.member(lite))
        seen = tagged(asked)
        assert asked.put("/rater/grants", {"notice": "0" * 64, "scopes": []}).status_code == 428
        assert choose(asked, [], seen).status_code == 200
        assert choose(asked, ["votes"], seen).status_code == 412
        assert asked.get("/rater/grants").json["enough"] is False


class TestLeaving:
    def test_a_rater_takes_along_all_of_it_with_a_proof(self, site: Site) -> None:
        kim = desk.member(site)
        accounts.choose_password(site.access, kim, PASSWORD, site.now)
        asked = rated(site, kim)
        assert asked.post("/rater/archive", {"proof": WRONG}).status_code == 403
        assert asked.post("/rater/archive", {}).status_code == 422
        taken = asked.post("/rater/archive", {"proof": ME})
        assert (taken.status_code, taken.mimetype) == (200, "application/json")
        assert taken.headers["Cache-Control"] == "no-store, private"
        assert taken.json == rating.own_data(site.access, kim)
        assert [vote["emotions"]["fear"] for vote in taken.json["votes"]] == [1.0]

    def test_what_a_rater_erases_is_gone_and_sent_again_it_does_no_harm(self, site: Site) -> None:
        kim = desk.member(site)
        accounts.choose_password(site.access, kim, PASSWORD, site.now)
        asked = rated(site, kim)
        assert asked.post("/rater/erasure", {"proof": WRONG}).status_code == 403
        assert rating.stored(site.access, kim)["rating_votes"] == 1
        gone = asked.post("/rater/erasure", {"proof": ME})
        assert (gone.status_code, gone.json["rows"]["rating_votes"]) == (200, 1)
        assert rating.stored(site.access, kim) == {}
        assert asked.get("/rater/grants").json["scopes"] == [], "they are asked anew before an item"
        assert asked.get("/rating/items").status_code == 403
        again = asked.post("/rater/erasure", {"proof": ME})
        assert (again.status_code, sum(again.json["rows"].values())) == (200, 0)

    def test_a_token_for_rating_opens_none_of_it(self, lite: Site) -> None:
        asked = program(lite, desk.member(lite), Purpose.RATING)
        assert asked.get("/rater/figures").status_code == 200
        assert asked.get("/rater/notice").status_code == asked.get("/rater/grants").status_code == 403
        assert asked.put("/rater/grants", {}, headers={"If-Match": '"x"'}).status_code == 403
        assert asked.post("/rater/archive", {"proof": ME}).status_code == 403
        assert asked.post("/rater/erasure", {"proof": ME}).status_code == 403

    def test_one_raters_figures_are_no_others(self, lite: Site) -> None:
        rated(lite, desk.member(lite, "kim"))
        other = program(lite, desk.member(lite, "lou"))
        told = other.get("/rater/figures").json
        assert (told["total"], told["stored"].get("rating_votes", 0)) == (0, 0)
