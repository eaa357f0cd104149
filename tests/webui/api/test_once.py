"""A request that is sent again is carried out once, whoever sends it, whenever, and however often at once."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import func, select

from tests.webui.api.programs import Program, program
from tests.webui.site import Site
from tracker.domain.consent import Recorder, Scope
from tracker.store import tables
from tracker.workflows import consenting, erasure, feedback, repeating, retention

KEY = "8b4b1a52-8a3c-4bb5"
WORD = {"place": "home"}


def contexts(site: Site) -> int:
    with site.access.database.read() as connection:
        return connection.execute(select(func.count()).select_from(tables.contexts)).scalar_one()


def test_the_same_key_and_body_get_the_same_answer_and_store_nothing(site: Site) -> None:
    asked = program(site, site.person())
    first = asked.post("/contexts", WORD, key=KEY)
    site.wait(timedelta(hours=23))
    again = asked.post("/contexts", WORD, key=KEY)
    assert (first.status_code, first.data) == (again.status_code, again.data) == (201, first.data)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content_type == first.content_type
    assert contexts(site) == 1


def test_of_a_request_no_digest_is_kept_that_anybody_could_try_requests_against(lite: Site) -> None:
    """An answer has few words: whoever has the database alone would find which by trying them all."""
    asked = program(lite, lite.person())
    tried: list[str] = []
    real = hashlib.sha256

    def noting(data: bytes = b"", **more: bool) -> Any:
        made = real(data, **more)
        tried.append(made.hexdigest())
        return made

    with mock.patch("tracker.workflows.repeating.hashlib.sha256", noting):
        assert asked.post("/contexts", WORD, key=KEY).status_code == 201
    with lite.access.database.read() as connection:
        (kept,) = connection.execute(select(tables.repeats.c.asked_digest)).scalars().all()
    assert tried
    assert kept not in tried


@pytest.mark.parametrize(
    ("path", "body"),
    [("/contexts", {"place": "work"}), ("/answers", {"place": "home"}), ("/contexts?x=1", WORD)],
)
def test_the_same_key_with_another_request_is_refused(lite: Site, path: str, body: dict[str, str]) -> None:
    asked = program(lite, lite.person())
    asked.post("/contexts", WORD, key=KEY)
    other = asked.post(path, body, key=KEY)
    assert other.status_code == 422
    assert "another request" in other.json["detail"]
    assert contexts(lite) == 1


def test_a_key_is_its_persons_own(site: Site) -> None:
    ada, bob = program(site, site.person()), program(site, site.person("bob"))
    first, other = ada.post("/contexts", WORD, key=KEY), bob.post("/contexts", WORD, key=KEY)
    assert other.status_code == 201
    assert first.json != other.json
    assert contexts(site) == 2


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "with blank ", "ü" * 10])
def test_a_post_without_a_key_stores_nothing(lite: Site, key: str) -> None:
    asked = program(lite, lite.person())
    headers = {"Authorization": f"Bearer {asked.text}", **({"Idempotency-Key": key} if key else {})}
    answer = asked.client.post("/api/v1/contexts", json=WORD, headers=headers)
    assert answer.status_code == 400
    assert contexts(lite) == 0


def test_what_failed_may_be_tried_again_with_the_same_key(site: Site) -> None:
    ada = site.person(scopes=(Scope.AFFECT_SERIES,))
    asked = program(site, ada)
    assert asked.post("/contexts", WORD, key=KEY).json["missing"] == ["context"]
    consenting.grant(site.access, ada, [Scope.CONTEXT], site.now, recorder=Recorder.PARTICIPANT)
    assert asked.post("/contexts", WORD, key=KEY).status_code == 201
    with mock.patch.object(feedback, "add_context", side_effect=RuntimeError):
        site.app.config["PROPAGATE_EXCEPTIONS"] = False
        assert asked.post("/contexts", WORD, key="another-key").status_code == 500
    assert asked.post("/contexts", WORD, key="another-key").status_code == 201


def test_after_a_day_a_key_is_new(site: Site) -> None:
    asked = program(site, site.person())
    asked.post("/answers", {"emotion": "fear"}, key=KEY)
    site.wait(repeating.HOLDS)
    assert asked.post("/contexts", WORD, key=KEY).status_code == 201
    site.wait(repeating.HOLDS + timedelta(seconds=1))
    assert retention.run(site.access, site.now)["repeats"] == 1
    assert retention.REPEATS == repeating.HOLDS


def test_an_answer_is_stored_once_even_when_its_request_was_forgotten(site: Site) -> None:
    """What it stored bears the key too: whoever was killed before the answer was kept asks again, and adds nothing."""
    ada = site.person()
    asked = program(site, ada)
    with mock.patch.object(repeating, "keep", side_effect=SystemExit), pytest.raises(SystemExit):
        asked.post("/answers", {"emotion": "fear"}, key=KEY)
    assert asked.post("/answers", {"emotion": "fear"}, key=KEY).status_code == 409
    site.wait(repeating.PATIENCE)
    again = asked.post("/answers", {"emotion": "fear"}, key=KEY)
    assert again.status_code == 201
    with site.access.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.corrections)).scalar_one() == 1


def test_at_once_one_is_carried_out(site: Site) -> None:
    text = program(site, site.person()).text
    codes: list[int] = []

    def send() -> None:
        codes.append(Program(site, text).post("/contexts", WORD, key=KEY).status_code)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) <= {201, 409}
    assert codes.count(201) >= 1
    assert contexts(site) == 1


def test_what_was_answered_goes_with_whatever_is_erased(site: Site) -> None:
    ada = site.person()
    site.series(ada)
    asked = program(site, ada)
    said = {"at": site.now.isoformat(), "emotion": "fear"}
    assert asked.post("/corrections", said, key=KEY).status_code == 201
    erasure.erase_scope(site.access, ada, Scope.NOTES, site.now)
    with site.access.database.read() as connection:
        assert connection.execute(select(tables.repeats)).all() == []
