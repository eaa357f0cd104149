"""No identifier and no word of a person is in a log, an error page, a URL, a temporary file or an unsealed column."""

from __future__ import annotations

import json

from tests.invariants import held, living
from tests.invariants.canaries import search
from tests.invariants.conftest import Tell
from tests.invariants.lives_watched import Life
from tests.postgres import Server
from tracker.access import Access
from tracker.cli.installation import now
from tracker.workflows import enrolment

WORDS = {
    "name": living.NAME.encode(),
    "note": living.NOTE.encode(),
    "evidence": living.EVIDENCE.encode(),
}


def ids(access: Access) -> dict[str, bytes]:
    who = access.person(living.NAME)
    return {"participant": who.id.encode(), "subject": who.subject.encode()}


def test_nothing_of_a_person_is_in_any_log(life: Life, postgres_server: Server, figure: Tell) -> None:
    life.run("series")
    access = life.opened()
    code = enrolment.renew_code(access, access.person(living.NAME), now())
    needles = {**WORDS, **ids(access), "place": living.PLACE.encode()}
    access.close()
    done = life.run("serve", code)
    visited = [json.loads(line) for line in done.out.splitlines() if line.startswith("[")]
    assert len(visited) >= 12
    assert {status for _, _, status in visited} >= {200, 303, 404}
    # What a server says while it runs is its log; what the command line says to the operator who asked is not.
    log = done.out.replace(json.dumps(["GET", f"/{living.NAME}", 404]), "") + done.err
    assert list(search("log", log.encode(), needles)) == []
    jobs = life.stages["series"].err
    assert (
        list(search("stderr", jobs.encode(), {k: needles[k] for k in ("participant", "subject", "note")}))
        == []
    )
    logs = 1
    if life.url.startswith("postgresql") and postgres_server.socket is not None:
        server_log = postgres_server.socket.parent / "log"
        assert list(search("PostgreSQL's log", server_log.read_bytes(), needles)) == []
        logs += 1
    outside = [p for p in life.ours() if life.data not in p.parents and p.is_file()]
    assert [h for p in outside for h in search(p.name, p.read_bytes(), needles)] == []
    figure(
        f"{len(visited)} requests, {len(needles)} canaries, {logs} logs and {len(outside)} files beside the data"
    )


def test_what_is_sealed_is_in_no_byte_that_was_written(life: Life) -> None:
    life.run("series")
    assert life.hits(WORDS) == []
    access = life.opened()
    files = held.database_bytes(access) | held.key_store_bytes(access)
    assert [h for name, some in files.items() for h in search(name, some, WORDS)] == []
    access.close()
