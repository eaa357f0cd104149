"""The description is OpenAPI 3.1, of exactly the endpoints that there are, and a page for people without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.webui.api.programs import AT, Program, program
from tests.webui.site import Site
from tracker.domain.tokens import Purpose
from webui import roles
from webui.headers import policy

KEYLESS = {
    "/study/checks",
    "/study/diffs",
    "/study/previews",
    "/captures",
    "/uploads",
    "/archives",
    "/rater/archive",
    "/rater/erasure",
}
"""POSTs that store nothing, or erase."""


@pytest.fixture
def described(lite: Site) -> dict[str, Any]:
    answer = lite.app.test_client().get(f"{AT}/openapi.json")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json
    return told


def operations(told: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method): said
        for path, item in told["paths"].items()
        for method, said in item.items()
        if method in ("get", "post", "put", "delete", "patch")
    }


def test_every_endpoint_for_programs_is_described_and_no_other(lite: Site, described: dict[str, Any]) -> None:
    there = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in lite.app.url_map.iter_rules()
        if roles.rule(rule.endpoint).program
        for method in rule.methods or ()
        if method in ("GET", "POST", "PUT", "DELETE", "PATCH")
    }
    assert set(operations(described)) == there
    assert len(there) > 85


def test_it_says_its_version_its_token_and_each_key(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.1.0"
    assert described["security"] == [{"token": []}]
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for (path, method), said in operations(described).items():
        headers = {
            p["name"] for p in said.get("parameters", ()) if isinstance(p, dict) and p["in"] == "header"
        }
        keyless = path.removeprefix(AT) in KEYLESS
        assert ("Idempotency-Key" in headers) is (method == "post" and not keyless), (path, method)
        assert ("security" in said) is path.startswith(f"{AT}/erasures/"), (path, method)
        assert said["summary"], (path, method)
        problem = said["responses"]["default"]["$ref"].rpartition("/")[2]
        assert set(described["components"]["responses"][problem]["content"]) == {"application/problem+json"}


def test_no_two_schemas_share_a_name(described: dict[str, Any]) -> None:
    assert not [name for name in described["components"]["schemas"] if name[-1].isdigit()]


def test_the_page_shows_every_endpoint_and_runs_nothing(lite: Site, described: dict[str, Any]) -> None:
    page = lite.app.test_client().get(f"{AT}/docs")
    assert page.status_code == 200
    for path, method in operations(described):
        assert f"{method.upper()} {path}" in page.text, path
    assert "unsafe" not in page.headers["Content-Security-Policy"] == policy("api_docs.page")
    assert not re.search(r"<script(?! src=\"/assets/)|<style|\son\w+=|https?://(?!www\.w3\.org)", page.text)


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("POST", "/nothing", {}, 404),
        ("PATCH", "/token", {}, 405),
        ("POST", "/answers", {"data": "x", "content_type": "text/plain"}, 422),
        ("POST", "/answers", {"data": "{", "content_type": "application/json"}, 400),
        ("POST", "/answers", {"data": "[]", "content_type": "application/json"}, 422),
        ("POST", "/answers", {"data": b"\xff", "content_type": "application/json"}, 400),
        ("POST", "/answers", {"json": {"note": "x" * 70_000}}, 413),
        ("POST", "/answers", {"json": {"note": "a\x00b", "emotion": "fear"}}, 400),
        ("POST", "/answers", {"data": "[" * 50_000, "content_type": "application/json"}, 400),
        ("GET", "/timeline/moments?limit=0", {}, 422),
        ("GET", "/timeline/moments?limit=many", {}, 422),
        ("GET", "/timeline/moments?from=yesterday", {}, 422),
        ("GET", "/timeline/moments?who=bob", {}, 422),
        ("POST", f"/prompts/{2**63}/start", {}, 404),
        ("POST", "/captures?taken_ms=1", {}, 503),
        ("GET", "/uploads/none", {}, 503),
    ],
)
def test_every_error_is_a_problem_document(
    lite: Site, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    answer = program(lite, lite.person()).ask(method, path, **options)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    told = answer.json
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert status != 405 or "GET" in answer.headers["Allow"]


def test_what_goes_wrong_on_our_side_tells_nothing_of_it(lite: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = program(lite, lite.person(), Purpose.TIMELINE)
    lite.app.config["PROPAGATE_EXCEPTIONS"] = False

    def broken(*_: object) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr("tracker.workflows.timeline.page", broken)
    answer = asked.get("/timeline/points")
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "canary" not in answer.text


def test_the_headers_of_the_pages_stand_here_too(lite: Site) -> None:
    answer = Program(lite, "x").get("/token")
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in answer.headers
    preflight = lite.app.test_client().options(
        f"{AT}/answers",
        headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"},
    )
    assert "Access-Control-Allow-Origin" not in preflight.headers
