"""The client asks the real server: values of the domain come back, nothing is done twice, and what is wrong is said."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.webui import rating as desk
from tests.webui.api.programs import token
from tests.webui.site import Site
from tests.webui.test_capturing import FRAME, until
from tracker.client import Client, ProblemError, UnreachableError
from tracker.domain.affect import Emotion
from tracker.domain.consent import Scope
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.rating import Verdict
from tracker.domain.series import Prompt
from tracker.domain.tokens import Purpose, possible
from tracker.lab.portrait import write_clip
from tracker.workflows import accounts, prompts, timeline

Clients = Callable[[Person | Member], Client]


def test_a_participant_reads_their_series_as_it_is(site: Site, client: Clients) -> None:
    ada = site.person()
    instants = site.series(ada)
    asked = client(ada)
    assert asked.who().purposes == tuple(sorted(possible([Role.PARTICIPANT])))
    with timeline.moments(site.access, ada, site.now) as found:
        expected = list(found)
    given = list(asked.timeline.moments(page=7))
    assert [m.at for m in given] == [m.at for m in expected]
    assert [m.reason for m in given] == [m.reason for m in expected]
    for got, stored in zip(given, expected, strict=True):
        assert (got.machine is None) is (stored.machine is None)
        if got.machine and stored.machine:
            assert got.machine.probabilities == pytest.approx(stored.machine.probabilities)
    some = list(asked.timeline.moments(instants[3], instants[5]))
    assert [m.at for m in some] == instants[3:5]
    assert asked.timeline.points()["points"]


def test_a_participant_answers_corrects_and_withdraws(site: Site, client: Clients) -> None:
    ada = site.person()
    instants = site.series(ada)
    asked = client(ada)
    done = asked.answers.answer(Emotion.FEAR, Emotion.SURPRISE, intensity=3, alone="yes", key="my-own-key-1")
    assert (
        asked.answers.answer(Emotion.FEAR, Emotion.SURPRISE, intensity=3, alone="yes", key="my-own-key-1")
        == done
    )
    corrected = asked.answers.correct(instants[5], Emotion.ANGER, note="it was")
    assert (corrected.at, corrected.noted) == (instants[5], True)
    assert corrected.after is not None
    assert asked.answers.surroundings(place="home") > 0
    number = prompts.record(
        site.access, ada, Prompt("s", site.now, site.now, None, None, "notified"), site.now
    )
    waits = asked.prompts.waiting()
    assert waits is not None
    assert waits.id == number
    assert asked.prompts.start(waits.id).started
    asked.prompts.dismiss(waits.id)
    assert asked.prompts.waiting() is None
    (past,) = asked.prompts.history(site.now - timedelta(days=1), site.now + timedelta(days=1))
    assert past.state == "cancelled"
    asked.consent.pause()
    with site.access.read(ada.id, site.now) as unit:
        assert unit.person.paused_at is not None
    asked.consent.resume()
    assert asked.consent.state()[Scope.NOTES].in_force
    assert not asked.consent.withdraw([Scope.NOTES], keep=True)[Scope.NOTES].in_force
    assert b"notes" in asked.consent.receipt()
    with pytest.raises(ProblemError) as refused:
        asked.answers.correct(instants[6], Emotion.ANGER, note="again")
    assert refused.value.problem.missing == ("notes",)
    assert refused.value.problem.kind == "consent"


def test_a_camera_and_a_clip_become_rows(site: Site, client: Clients, tmp_path: Path) -> None:
    ada = site.person()
    asked = client(ada)
    capture, faces = asked.live.look(FRAME, site.now)
    assert len(faces) == 1
    asked.live.start(capture, 0, site.now)
    site.wait(timedelta(seconds=1))
    until(lambda: asked.live.frame(capture, 1, FRAME, site.now).taken == 1)
    assert asked.live.stop(capture).taken == 1
    write_clip(tmp_path / "clip.mp4", 1.0)
    pieces: list[int] = []
    sent = asked.uploads.send(
        tmp_path / "clip.mp4",
        started_at=site.now - timedelta(hours=1),
        first_face=True,
        told=lambda state: pieces.append(state.offset),
    )
    assert pieces[-1] == sent.size
    until(lambda: asked.uploads.state(sent.id).stage in ("done", "failed"))
    assert asked.uploads.state(sent.id).problem is None
    asked.uploads.discard(sent.id)


def test_a_rater_rates(site: Site, client: Clients) -> None:
    desk.shown_person(site)
    asked = client(desk.member(site))
    (item,) = asked.rating.items()
    assert asked.rating.picture(item.id).startswith(b"\x89PNG")
    asked.rating.vote(item.id, Emotion.FEAR, response_ms=900)
    assert asked.rating.progress()[0] == 1
    assert asked.rating.undo(item.id).id == item.id
    asked.rating.vote(item.id, Verdict.CANNOT_TELL)


def test_an_operator_checks_a_study(site: Site, client: Clients) -> None:
    olga = desk.member(site, "olga", Role.OPERATOR)
    accounts.add_app(site.access, olga, "secret", 0, site.now)
    asked = client(olga)
    assert asked.studies.show()["id"]
    found = asked.studies.check("titel: x", yaml=True)
    assert not found.sound
    assert any("titel" in line for line in found.problems)


def test_what_is_wrong_is_said(site: Site, client: Clients, address: str) -> None:
    ada = site.person()
    with pytest.raises(ProblemError) as invalid:
        client(ada).answers.answer(valence=3.0, arousal=0.0)
    assert invalid.value.problem.status == 422
    assert "valence" in str(invalid.value)
    with Client(address, "aff_nonsense") as stranger, pytest.raises(ProblemError, match="401"):
        stranger.who()
    only = Client(address, token(site, ada, [Purpose.TIMELINE]).text)
    with pytest.raises(ProblemError, match="not for answers"):
        only.answers.answer(Emotion.FEAR)
    only.close()


def test_the_token_stands_in_no_text_and_goes_over_no_network_in_the_open(site: Site, address: str) -> None:
    text = token(site, site.person()).text
    client = Client(address, text)
    assert text not in repr(client)
    client.close()
    for wrong in ("http://study.example.org", "ftp://x", "study.example.org", ""):
        with pytest.raises(ValueError, match=r"address|in the open"):
            Client(wrong, text)


class Flaky(BaseHTTPRequestHandler):
    """Fails as often as a test says, then answers; remembers what was asked."""

    failures: list[int]
    seen: list[tuple[str, str, str]]

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        self.seen.append((self.path, self.headers.get("Idempotency-Key", ""), body))
        status = self.failures.pop(0) if self.failures else 201
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "0")
        answer = b'{"id": 7}'
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.parametrize("failures", [[503], [429, 429], [502, 503, 504]])
def test_what_fails_for_now_is_sent_again_with_the_same_key(failures: list[int]) -> None:
    handler = type("Handler", (Flaky,), {"failures": list(failures), "seen": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with Client(f"http://127.0.0.1:{server.server_port}", "aff_x") as client:
            assert client.answers.surroundings(place="home") == 7
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert len(handler.seen) == len(failures) + 1  # type: ignore[attr-defined]
    assert len(set(handler.seen)) == 1, "the same request, with the same key"  # type: ignore[attr-defined]


def test_no_answer_is_an_error_of_its_own() -> None:
    with Client("http://127.0.0.1:9", "aff_x", tries=1) as client, pytest.raises(UnreachableError):
        client.who()
