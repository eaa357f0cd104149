"""The page about the API: its examples run, and it names what there is."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from tests.webui.api.programs import token
from tests.webui.site import Site
from tracker.domain.consent import Scope
from tracker.domain.tokens import LONGEST, PATTERN, USUAL, Purpose
from webui import limits
from webui.api import once

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text("utf-8")


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    made = Site(sqlite_url, tmp_path)
    yield made
    made.access.close()


def test_the_python_example_runs(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    ada = site.person(scopes=(Scope.AFFECT_SERIES, Scope.CONTEXT))
    site.series(ada, 5)
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
        where = {"address": f"http://127.0.0.1:{server.server_port}", "token": token(site, ada).text}
        exec(compile(example, "docs/api.md", "exec"), where)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_the_requests_in_it_are_answered(site: Site) -> None:
    made = token(site, site.person()).text
    (block,) = re.findall(r"```\n(GET .*?)```", PAGE, re.DOTALL)
    client = site.app.test_client(use_cookies=False)
    for request in re.split(r"\n\n(?=[A-Z]+ /)", block.strip()):
        head, _, body = request.partition("\n\n")
        first, *rest = head.splitlines()
        method, path = first.split(" ")
        headers = dict(line.split(": ", 1) for line in rest) | {"Authorization": f"Bearer {made}"}
        answer = client.open(path, method=method, headers=headers, data=body)
        assert answer.status_code in (200, 201), (first, answer.text)


def test_it_names_every_purpose_and_every_limit() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == {p.value for p in Purpose}
    for said in (
        PATTERN,
        f"{USUAL.days} days",
        f"{LONGEST.days}",
        f"{limits.REQUESTS} requests a minute",
        once.HEADER,
    ):
        assert said in PAGE, said
