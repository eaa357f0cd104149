"""Erasing and taking along by programs: a token alone does neither, and what is begun comes to its end."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from passlib.totp import TOTP
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.webui.api.programs import AT, Program, program
from tests.webui.authenticator import Authenticator
from tests.webui.site import PASSWORD, Site
from tracker.access.credentials import Whom
from tracker.domain.consent import Scope
from tracker.domain.entering import Passkey
from tracker.domain.people import UnknownParticipantError
from tracker.domain.stretches import Stretch
from tracker.domain.tokens import Purpose
from tracker.privacy import signed
from tracker.store import tables, tombstones
from tracker.workflows import accounts, erasure, hiding, repeating, tokens
from tracker.workflows.erasure import ErasureIncompleteError, steps
from webui import limits
from webui.api import problems
from webui.auth import FRESH
from webui.services import NAME

MINUTE = timedelta(minutes=1)
ME = {"password": PASSWORD}


@pytest.fixture(autouse=True)
def carried_out(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing goes on behind a test that is over."""
    names = {"site", "lite"} & set(request.fixturenames)
    sites = [request.getfixturevalue(name) for name in names]
    yield
    for one in sites:
        one.app.extensions[NAME].background.close()


def wait(site: Site) -> None:
    site.app.extensions[NAME].background.wait()


def erase(asked: Program, proof: dict[str, str] | None = None, **what: Any) -> TestResponse:
    return asked.post("/erasures", {"proof": ME if proof is None else proof, **what})


def stage(site: Site, begun: TestResponse) -> dict[str, Any]:
    """How far the first of an answer is: asked without any token."""
    (first, *_) = begun.json["items"]  # type: ignore[index]
    told = site.app.test_client().get(f"{AT}/erasures/{first['id']}")
    assert told.status_code == 200, told.text
    found: dict[str, Any] = told.json
    return found


def app_of(site: Site, who: Whom) -> TOTP:
    """An authenticator app that somebody set up."""
    with site.app.test_request_context():
        from webui.auth_store import app_codes  # noqa: PLC0415 - in an app alone

        totp = TOTP(new=True)
        made = app_codes()._totp.from_source(totp)
        accounts.add_app(site.access, who, made.to_json(encrypt=True), 0, site.now)
    return totp


def code(site: Site, totp: TOTP) -> dict[str, str]:
    return {"code": str(totp.generate(time=int(site.now.timestamp())).token)}


class TestProof:
    @pytest.mark.parametrize(
        ("proof", "status"),
        [
            ({"password": "wrong horse battery"}, 403),
            ({"password": ""}, 422),
            ({"password": "x" * 2000}, 422),
            ({"code": "123456"}, 422),
            ({"password": PASSWORD, "code": "x" * 65}, 422),
            ({}, 422),
            ({"word": "erase"}, 422),
        ],
    )
    def test_without_it_nothing_is_erased_or_taken_along(
        self, lite: Site, proof: dict[str, str], status: int
    ) -> None:
        ada = lite.with_password()
        lite.series(ada)
        asked = program(lite, ada)
        for answer in (erase(asked, proof, everything=True), asked.post("/archives", {"proof": proof})):
            assert answer.status_code == status, answer.text
            if status == 403:
                assert answer.json["type"] == "urn:affect-tracker:problem:proof"
        wait(lite)
        assert len(asked.get("/timeline/moments").json["items"]) == 60
        assert asked.post("/erasures", {"everything": True}).status_code == 422

    def test_tries_lock_the_account_as_at_login_and_the_right_one_is_late(self, site: Site) -> None:
        asked = program(site, site.with_password())
        wrong = {"password": "wrong horse battery"}
        for _ in range(accounts.TRIES):
            assert erase(asked, wrong, everything=True).status_code == 403
        assert erase(asked, everything=True).status_code == 403
        assert asked.post("/archives", {"proof": ME}).status_code == 403
        assert site.visitor().log_in("ada", PASSWORD).status_code == 401, "one lock for all doors"
        assert asked.get("/token").status_code == 200, "the token itself goes on, so that they can withdraw"
        site.wait(accounts.LOCKED_FOR)
        assert asked.post("/archives", {"proof": ME}).status_code == 201

    def test_an_address_tries_no_more_often_than_it_may_log_in(self, lite: Site) -> None:
        people = [program(lite, lite.with_password(name)) for name in ("ada", "bob", "cy")]
        codes = [
            erase(asked, {"password": "wrong horse battery"}, everything=True).status_code
            for asked in people
            for _ in range(4)
        ]
        assert codes == [403] * limits.LOGINS + [429] * (len(codes) - limits.LOGINS)
        late = erase(people[0], everything=True)
        assert (late.status_code, late.headers["Retry-After"]) == (429, "60")

    def test_who_has_a_second_factor_gives_both_and_each_code_once(self, site: Site) -> None:
        ada = site.with_password()
        totp = app_of(site, ada)
        asked = program(site, ada)
        refused = asked.post("/archives", {"proof": ME})
        assert (refused.status_code, "second factor" in refused.json["detail"]) == (403, True)
        now = code(site, totp)
        wrong = asked.post("/archives", {"proof": now | {"password": "wrong horse battery"}})
        assert wrong.status_code == 403
        assert asked.post("/archives", {"proof": ME | now}).status_code == 201
        assert asked.post("/archives", {"proof": ME | now}).status_code == 403, "a code is good once"
        site.wait(MINUTE)
        assert erase(asked, ME | code(site, totp), scopes=["notes"]).status_code == 202

    def test_the_password_alone_gives_no_new_tries_at_the_second_factor(self, lite: Site) -> None:
        ada = lite.with_password()
        totp = app_of(lite, ada)
        asked = program(lite, ada)
        codes = [
            asked.post("/archives", {"proof": ME | {"code": "000000"}}).status_code
            for _ in range(accounts.TRIES)
        ]
        assert set(codes) == {403}
        assert asked.post("/archives", {"proof": ME | code(lite, totp)}).status_code == 403, "it is locked"

    def test_who_has_a_passkey_alone_gives_a_code_to_come_back_with(self, lite: Site) -> None:
        ada = lite.with_password()
        key = Authenticator()
        accounts.add_passkey(lite.access, ada, Passkey("0" * 32, key.id, b"public", 0, "phone"), lite.now)
        first, *_ = accounts.new_codes(lite.access, ada, lite.now)
        asked = program(lite, ada)
        assert asked.post("/archives", {"proof": ME}).status_code == 403
        codes = [asked.post("/archives", {"proof": ME | {"code": first}}).status_code for _ in range(2)]
        assert codes == [201, 403], "it is used up"

    def test_no_digest_of_a_password_is_kept(self, site: Site) -> None:
        """A digest of a request that holds one could be tried against lists of passwords, without any slow hash."""
        ada = site.with_password()
        asked = program(site, ada)
        with mock.patch.object(erasure, "go_on"):
            for name, key in (("proof", "key-number-1"), ("\\u0070roof", "key-number-2")):
                body = json.dumps({"scopes": ["notes"], "name": ME}).replace("name", name)
                answer = asked.ask("POST", "/erasures", data=body, content_type="application/json", key=key)
                assert answer.status_code == 202, answer.text
            wait(site)
            with site.access.database.read() as connection:
                digests = connection.execute(select(tables.repeats.c.asked_digest)).scalars().all()
            accounts.choose_password(site.access, ada, "another horse battery", site.now)
            again = program(site, ada)
            other = {"scopes": ["notes"], "proof": {"password": "another horse battery"}}
            same = again.post("/erasures", other, key="key-number-1")
        assert len(set(digests)) == 1
        assert same.headers["Idempotency-Replayed"] == "true"

    def test_who_has_no_password_is_told_nothing_else(self, lite: Site) -> None:
        refused = erase(program(lite, lite.person()), everything=True)
        assert refused.status_code == 403


class TestErasing:
    def test_everything_goes_and_its_number_tells_how_far_when_no_token_is_left(self, site: Site) -> None:
        ada = site.with_password()
        site.series(ada)
        asked = program(site, ada)
        begun = erase(asked, everything=True)
        assert begun.status_code == 202, begun.text
        assert [(one["what"], one["stage"]) for one in begun.json["items"]] == [("everything", "under_way")]
        wait(site)
        told = stage(site, begun)
        assert (told["what"], told["stage"]) == ("everything", "clean")
        assert told["rows"] > 60
        with pytest.raises(UnknownParticipantError):
            site.access.person("ada")
        assert asked.get("/token").status_code == 401
        assert erase(asked, everything=True).status_code == 401
        client = site.app.test_client()
        certificate = client.get(f"{AT}/erasures/{told['id']}/certificate")
        assert signed.read(certificate.text)
        for answer in (certificate.text, json.dumps(told)):
            for word in ("ada", ada.id, ada.subject):
                assert word not in answer
        with site.access.database.read() as connection:
            assert connection.execute(select(tables.repeats)).all() == []
            assert connection.execute(select(tables.tokens)).all() == []

    def test_a_scope_is_withdrawn_and_erased_and_the_rest_stays(self, site: Site) -> None:
        ada = site.with_password()
        instants = site.series(ada)
        asked = program(site, ada)
        asked.post("/corrections", {"at": instants[5].isoformat(), "emotion": "fear", "note": "canary"})
        asked.post("/contexts", {"place": "home"})
        begun = erase(asked, scopes=["notes", "context"])
        wait(site)
        assert [one["what"] for one in begun.json["items"]] == ["context", "notes"]
        assert stage(site, begun)["stage"] == "clean"
        with site.access.read(ada.id, site.now) as unit:
            assert {Scope.NOTES, Scope.CONTEXT}.isdisjoint(unit.grants())
            assert Scope.AFFECT_SERIES in unit.grants()
        with site.access.database.read() as connection:
            assert connection.execute(select(tables.notes)).all() == []
            assert connection.execute(select(tables.contexts)).all() == []
        listed = asked.get("/erasures").json["items"]
        assert {one["what"]: one["stage"] for one in listed} == {"notes": "clean", "context": "clean"}
        assert {one["id"] for one in listed} == {one["id"] for one in begun.json["items"]}

    def test_a_stretch_goes_and_nothing_around_it(self, site: Site) -> None:
        ada = site.with_password()
        instants = site.series(ada)
        asked = program(site, ada)
        begun = erase(asked, **{"from": instants[10].isoformat(), "to": instants[20].isoformat()})
        assert begun.status_code == 202, begun.text
        wait(site)
        left = [m["at"] for m in asked.get("/timeline/moments").json["items"]]
        assert left == [at.isoformat() for at in instants if not instants[10] <= at < instants[20]]
        assert stage(site, begun)["what"] == "stretch"

    @pytest.mark.parametrize(
        "what",
        [
            {},
            {"everything": False},
            {"everything": True, "scopes": ["notes"]},
            {"scopes": []},
            {"scopes": ["all"]},
            {"from": "2026-03-01T00:00:00Z"},
            {"from": "2026-03-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"},
            {"from": "0001-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"},
            {"everything": True, "participant": "bob"},
        ],
    )
    def test_what_is_not_said_clearly_is_not_erased(self, lite: Site, what: dict[str, Any]) -> None:
        ada = lite.with_password()
        assert erase(program(lite, ada), **what).status_code == 422
        with lite.access.database.read() as connection:
            assert tombstones.every(connection) == []

    def test_what_is_cut_off_after_the_answer_is_finished_by_the_jobs(self, site: Site) -> None:
        ada = site.with_password()
        site.series(ada)
        asked = program(site, ada)
        with mock.patch.object(erasure, "go_on", side_effect=ErasureIncompleteError("cut off")):
            begun = erase(asked, everything=True)
            wait(site)
        assert stage(site, begun)["stage"] == "under_way"
        number = begun.json["items"][0]["id"]
        assert site.app.test_client().get(f"{AT}/erasures/{number}/certificate").status_code == 404
        erasure.carry_out(site.access, site.now + timedelta(hours=1))  # as the jobs do
        assert stage(site, begun)["stage"] == "clean"

    @pytest.mark.parametrize("done", range(len(steps.STEPS)))
    def test_wherever_it_is_cut_off_no_token_of_theirs_opens_anything_or_fails(
        self, lite: Site, done: int
    ) -> None:
        asked = program(lite, lite.with_password())

        def cut_off(*_: Any) -> None:
            raise ErasureIncompleteError("cut off")

        with mock.patch.object(steps, "STEPS", (*steps.STEPS[:done], cut_off)):
            begun = erase(asked, everything=True)
            wait(lite)
            told = [
                asked.get("/token"),
                asked.post("/contexts", {"place": "home"}),
                erase(asked, scopes=["notes"]),
            ]
        shredded = done >= 1 + steps.STEPS.index(steps.shred)
        assert {answer.status_code for answer in told} <= ({401} if shredded else {200, 201, 202, 403})
        assert stage(lite, begun)["stage"] == "under_way"

    def test_who_is_erased_while_they_ask_is_told_that_their_token_is_gone(self, lite: Site) -> None:
        ada = lite.with_password()
        asked, real = program(lite, ada), repeating.claim

        def claim(*args: Any) -> Any:
            claimed = real(*args)
            erasure.erase_person(lite.access, ada, lite.now)
            return claimed

        with mock.patch.object(repeating, "claim", claim):
            answer = asked.post("/contexts", {"place": "home"})
        assert (answer.status_code, answer.content_type) == (401, problems.TYPE), answer.text
        assert "ada" not in answer.text
        assert ada.id not in answer.text

    def test_one_that_fails_holds_up_no_other(self, lite: Site) -> None:
        ada, bob = lite.with_password(), lite.with_password("bob")
        real = erasure.go_on
        broken = [True]

        def once_broken(*args: Any) -> Any:
            if broken.pop() if broken else False:
                raise RuntimeError("canary")
            return real(*args)

        with mock.patch.object(erasure, "go_on", side_effect=once_broken):
            first, other = (erase(program(lite, who), scopes=["notes"]) for who in (ada, bob))
            wait(lite)
        assert (stage(lite, first)["stage"], stage(lite, other)["stage"]) == ("under_way", "clean")

    def test_sent_again_it_is_the_same_erasure(self, site: Site) -> None:
        ada = site.with_password()
        asked = program(site, ada)
        body = {"proof": ME, "scopes": ["notes"]}
        numbers = set()
        for _ in range(3):
            answer = asked.post("/erasures", body, key="the-same-key")
            assert answer.status_code == 202
            numbers.add(answer.json["items"][0]["id"])
            wait(site)
            site.wait(timedelta(seconds=20))
        assert len(numbers) == 1

    def test_anothers_number_tells_of_nobody_and_a_bent_one_nothing(self, lite: Site) -> None:
        ada, bob = lite.with_password(), lite.with_password("bob")
        number = erase(program(lite, ada), scopes=["notes"]).json["items"][0]["id"]
        wait(lite)
        theirs = program(lite, bob)
        assert theirs.get("/erasures").json["items"] == []
        client = lite.app.test_client()
        ticket = theirs.post("/archives", {"proof": ME}).json["id"]
        wrong = [number[:-2], "A" + number[1:], ticket, "x", "ü", "-" * 3000]
        assert {client.get(f"{AT}/erasures/{one}").status_code for one in wrong} == {404}
        codes = [client.get(f"{AT}/erasures/none").status_code for _ in range(limits.LOGINS)]
        assert codes[-1] == 429
        assert client.get(f"{AT}/erasures/{number}").status_code == 200, "who was told it is not kept out"

    def test_a_token_for_anything_else_erases_nothing(self, lite: Site) -> None:
        ada = lite.with_password()
        rest = [
            p for p in Purpose if p in {Purpose.CONSENT, Purpose.GRANTS, Purpose.ARCHIVE, Purpose.TIMELINE}
        ]
        assert "not for erasure" in erase(program(lite, ada, *rest), everything=True).json["detail"]
        assert "not for archive" in program(lite, ada, Purpose.ERASURE).post("/archives", {"proof": ME}).text


class TestArchive:
    def test_everything_is_taken_along_for_a_while_with_the_same_token_alone(self, site: Site) -> None:
        ada, bob = site.with_password(), site.with_password("bob")
        site.series(ada)
        asked = program(site, ada)
        made = asked.post("/archives", {"proof": ME})
        assert (made.status_code, made.json["stage"]) == (201, "ready")
        number = made.json["id"]
        assert asked.get(f"/archives/{number}").json == made.json
        with asked.get(f"/archives/{number}/file") as answer:
            assert (answer.status_code, answer.mimetype) == (200, "application/zip")
            data = answer.data
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            [me] = json.loads(bundle.read("data/participants.json"))
        assert me["name"] == "ada"
        for other in (program(site, ada), program(site, bob)):
            assert other.get(f"/archives/{number}").status_code == 404
            assert other.get(f"/archives/{number}/file").status_code == 404
        site.wait(FRESH)
        assert asked.get(f"/archives/{number}/file").status_code == 404

    def test_its_number_names_nobody_and_is_kept_nowhere(self, lite: Site) -> None:
        import base64  # noqa: PLC0415

        ada = lite.with_password()
        number = program(lite, ada).post("/archives", {"proof": ME}).json["id"]
        inside = base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))
        for word in (ada.id, ada.subject, "ada"):
            assert word.encode() not in inside
        with lite.access.database.read() as connection:
            assert connection.execute(select(tables.repeats)).all() == []

    def test_a_token_that_was_revoked_fetches_nothing(self, lite: Site) -> None:
        ada = lite.with_password()
        asked = program(lite, ada)
        number = asked.post("/archives", {"proof": ME}).json["id"]
        (mine,) = tokens.mine(lite.access, ada, lite.now)
        tokens.revoke(lite.access, ada, mine.id, lite.now)
        assert asked.get(f"/archives/{number}/file").status_code == 401

    def test_few_are_made_at_a_time(self, lite: Site) -> None:
        ada = lite.with_password()
        lite.series(ada)
        asked = program(lite, ada)
        number = asked.post("/archives", {"proof": ME}).json["id"]
        held = [asked.get(f"/archives/{number}/file") for _ in range(limits.ARCHIVES_AT_ONCE)]
        busy = asked.get(f"/archives/{number}/file")
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "120")
        for answer in held:
            answer.close()
        with asked.get(f"/archives/{number}/file") as answer:
            assert answer.status_code == 200


class TestHiding:
    def test_a_stretch_is_told_hidden_listed_and_shown_again(self, site: Site) -> None:
        ada = site.person()
        instants = site.series(ada)
        asked = program(site, ada, Purpose.HIDING)
        edges = {"from": instants[10].isoformat(), "to": instants[20].isoformat()}
        assert asked.get("/stretches/rows", query_string=edges).json["rows"]["observations"] == 10
        done = asked.post("/hidden", edges)
        assert done.status_code == 201, done.text
        with site.access.read(ada.id, site.now) as unit:
            assert [row.stretch for row in hiding.hidden(unit)] == [Stretch(instants[10], instants[20])]
        (listed,) = asked.get("/hidden").json["items"]
        assert (listed["number"], listed["from"], listed["to"]) == (done.json["number"], *edges.values())
        assert asked.post("/hidden", edges).json["number"] == done.json["number"]
        assert asked.ask("DELETE", f"/hidden/{listed['number']}").status_code == 204
        assert asked.get("/hidden").json["items"] == []
        assert asked.ask("DELETE", f"/hidden/{listed['number']}").status_code == 404

    def test_they_come_in_pages(self, lite: Site) -> None:
        ada = lite.person()
        instants = lite.series(ada)
        asked = program(lite, ada)
        for at in instants[:7]:
            hiding.hide(lite.access, ada, Stretch(at, at + MINUTE), lite.now)
        found: list[str] = []
        query: dict[str, Any] = {"limit": 3}
        while True:
            page = asked.get("/hidden", query_string=query).json
            assert len(page["items"]) <= 3
            found += [one["from"] for one in page["items"]]
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
        assert found == [at.isoformat() for at in instants[:7]]
        assert asked.get("/erasures", query_string=query).status_code == 400, (
            "a cursor is for its listing alone"
        )

    def test_nobody_shows_what_another_hides(self, site: Site) -> None:
        ada, bob = site.person(), site.person("bob")
        instants = site.series(ada)
        asked = program(site, ada, Purpose.HIDING)
        number = asked.post("/hidden", {"from": instants[0].isoformat(), "to": instants[5].isoformat()}).json[
            "number"
        ]
        theirs = program(site, bob, Purpose.HIDING)
        other, nobodys = (theirs.ask("DELETE", f"/hidden/{n}") for n in (number, 10**9))
        assert (other.status_code, other.data) == (nobodys.status_code, nobodys.data) == (404, other.data)
        assert theirs.get("/hidden").json["items"] == []
        assert len(asked.get("/hidden").json["items"]) == 1

    @pytest.mark.parametrize(
        ("start", "end", "status"),
        [(0, 0, 422), (5, 0, 422), (-10, 60, 422), (-(10**6) * 60, 0, 422), (-10, -5, 201)],
    )
    def test_what_is_no_stretch_that_has_passed_is_refused(
        self, lite: Site, start: int, end: int, status: int
    ) -> None:
        asked = program(lite, lite.person(), Purpose.HIDING)
        edges = {"from": (lite.now + start * MINUTE).isoformat(), "to": (lite.now + end * MINUTE).isoformat()}
        assert asked.post("/hidden", edges).status_code == status
