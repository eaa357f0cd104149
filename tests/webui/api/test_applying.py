"""Letting another study govern by a program: told beforehand, meant, and with a code each time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from passlib.totp import TOTP
from werkzeug.test import TestResponse

from tests.webui import walking
from tests.webui.api.programs import Program, program
from tests.webui.api.test_erasing import app_of, code
from tests.webui.api.test_staff import SOUND
from tests.webui.site import Site
from tracker.domain.members import Role
from tracker.domain.tokens import Purpose
from tracker.workflows import accounts, studies
from webui import journal

MINUTE = timedelta(minutes=1)


@pytest.fixture
def olga(site: Site) -> tuple[Program, TOTP]:
    """An operator with an authenticator app."""
    who = walking.member(site.access, "olga", Role.OPERATOR, second=False)
    totp = app_of(site, who)
    return program(site, who), totp


def over(asked: Program) -> str:
    preview = asked.ask("POST", "/study/previews", data=SOUND, content_type="application/toml").json
    told: str = preview["over"]
    return told


def send(
    site: Site, olga: tuple[Program, TOTP], file: str = SOUND, *, code_is: str | None = None, **more: Any
) -> TestResponse:
    """Send a file as who was told what it changes, with the code of this moment."""
    asked, totp = olga
    query = {"over": over(asked)} | {
        name: value for name, value in more.items() if name not in ("key", "media")
    }
    site.wait(MINUTE)  # the next code
    named = {"Proof-Code": code(site, totp)["code"] if code_is is None else code_is}
    return asked.ask(
        "POST",
        "/study/versions",
        query_string=query,
        data=file,
        content_type=more.get("media", "application/toml"),
        headers=named,
        key=more.get("key"),
    )


def titles(site: Site) -> list[str]:
    return [version.study.title for version in studies.history(site.access)]


def test_it_governs_once_what_it_takes_away_is_meant(site: Site, olga: tuple[Program, TOTP]) -> None:
    site.person()
    refused = send(site, olga)
    assert (refused.status_code, refused.json["type"]) == (409, "urn:affect-tracker:problem:takes-away")
    assert any("stop" in line for line in refused.json["errors"]["study"])
    assert titles(site) == []
    with mock.patch.object(journal, "tell") as tell:
        done = send(site, olga, takes_away="true", key="one-study-1")
    assert mock.call("study_applied", takes_away=1) in tell.call_args_list
    assert (done.status_code, done.json["applied"]) == (201, True), done.text
    (version,) = studies.history(site.access)
    assert (version.study.title, version.by, version.sha256) == ("Night", "olga", done.json["sha256"])


def test_a_preview_that_another_study_overtook_is_none(site: Site, olga: tuple[Program, TOTP]) -> None:
    seen = over(olga[0])
    other = studies.in_force(site.access).model_copy(update={"version": "9"})
    studies.apply(site.access, other, "ops", site.now)
    late = send(site, olga, over=seen, takes_away="true")
    assert (late.status_code, late.json["type"]) == (422, "urn:affect-tracker:problem:study")
    assert "while this was looked at" in late.text
    assert "Night" not in titles(site)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"code_is": "000000"}, 403),
        ({"code_is": "recovery"}, 400),
        ({"code_is": ""}, 400),
        ({"over": "0" * 63}, 422),
        ({"takes_away": "perhaps"}, 422),
        ({"by": "somebody else"}, 422),
        ({"file": "id = "}, 422),
        ({"file": ""}, 422),
        ({"media": "application/json"}, 415),
        ({"file": "#" * 400_000}, 413),
    ],
)
def test_what_is_not_proven_or_no_study_changes_nothing(
    site: Site, olga: tuple[Program, TOTP], more: dict[str, Any], status: int
) -> None:
    refused = send(site, olga, **({"takes_away": "true"} | more))
    assert refused.status_code == status, refused.text
    assert titles(site) == []


def test_wrong_codes_lock_an_operator_out_with_their_token(site: Site, olga: tuple[Program, TOTP]) -> None:
    codes = [send(site, olga, takes_away="true", code_is="000000").status_code for _ in range(accounts.TRIES)]
    assert codes == [403] * accounts.TRIES
    assert olga[0].get("/token").status_code == 401, "a member who is locked has no token that works"
    assert titles(site) == []


def test_a_file_as_large_as_may_be_governs(site: Site, olga: tuple[Program, TOTP]) -> None:
    padded = SOUND + "#" + "x" * 200_000 + "\n"
    assert send(site, olga, padded, takes_away="true").status_code == 201


def test_nobody_else_lets_a_study_govern(site: Site) -> None:
    rob = walking.member(site.access, "rob", Role.RESEARCHER)
    assert program(site, rob).post("/study/versions").status_code == 403
    olga = walking.member(site.access, "olga", Role.OPERATOR)
    refused = program(site, olga, Purpose.STUDIES).post("/study/versions")
    assert "not for applying" in refused.json["detail"]
