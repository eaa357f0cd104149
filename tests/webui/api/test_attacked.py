"""Anything may be sent: no answer is an error of ours, and each is what the description says it is."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.webui import rating as desk
from tests.webui.api.programs import AT, program
from tests.webui.site import Site
from tests.webui.test_capturing import Seen
from tracker import shipped
from tracker.domain.members import Role
from tracker.fer.engine import Engine
from tracker.fer.zoo import Zoo
from tracker.workflows.ingest import Reader

EXAMPLES = {GenerationMode.POSITIVE: 10, GenerationMode.NEGATIVE: 5}
"""Of each operation: of what the description allows, and of what it does not."""

STAFF = ("rating", "rater", "study", "exports", "adjudication", "monitor")
"""Rooms that a member's token is sent to."""

TAKING = ("/withdrawals", "/refusals")
"""What takes consent away."""

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


@pytest.fixture
def capturing(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """The app with what reads faces."""
    engine = Engine(Zoo(shipped.models(), Path("/nonexistent")).load("default"), "cpu")
    made = Site(sqlite_url, tmp_path, reader=lambda: Reader(engine, Seen))
    yield made
    made.app.extensions["affect-tracker"].close()
    made.access.close()


def test_no_request_breaks_it_and_every_answer_is_as_described(capturing: Site) -> None:
    lite = capturing
    ada = desk.shown_person(lite)
    kim = desk.member(lite, "kim", Role.RATER, Role.RESEARCHER, Role.OPERATOR)
    desk.at_desk(lite, kim)  # gives them their second factor
    asking = {"participant": program(lite, ada), "member": program(lite, kim)}
    (item,) = asking["member"].get("/rating/items").json["items"]
    schema = schemathesis.openapi.from_wsgi(f"{AT}/openapi.json", lite.app)
    statuses: dict[str, Counter[int]] = {}

    def attack(case: Case) -> None:
        lite.wait(timedelta(seconds=1))  # nobody is kept out for asking too often
        label = case.operation.label
        of_staff = case.path.startswith(tuple(f"{AT}/{room}" for room in STAFF))
        headers = {"Authorization": f"Bearer {asking['member' if of_staff else 'participant'].text}"}
        if case.method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        if "item" in (case.path_parameters or {}) and sum(statuses.get(label, Counter()).values()) % 2:
            case.path_parameters["item"] = item["id"]
        response = case.call(headers=headers)
        case.validate_response(response, checks=list(CHECKS))
        statuses.setdefault(label, Counter())[response.status_code] += 1

    # What takes consent away comes last: the rest shall get far.
    for found in sorted(schema.get_all_operations(), key=lambda found: found.ok().path.endswith(TAKING)):
        assert isinstance(found, Ok)
        # Where any number is as good as another and no token is needed, nothing can be against the description.
        told = found.ok().definition.raw.get("security") == []
        for mode in (GenerationMode.POSITIVE,) if told else EXAMPLES:
            few = settings(
                max_examples=EXAMPLES[mode],
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            few(given(found.ok().as_strategy(generation_mode=mode))(attack))()
    told = {label: dict(counts) for label, counts in statuses.items()}
    assert len(told) > 85, told
    capturing.app.extensions["affect-tracker"].background.wait()
    assert lite.access.person("ada").id == ada.id, "nothing was erased without a proof"
    assert any(status < 300 for counts in told.values() for status in counts), told
