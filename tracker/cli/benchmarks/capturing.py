"""Fifty people who capture at once against a real server: what is read, what is dropped, how pages fare."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import re
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tracker.cli.benchmarks.figure import Figure
from tracker.cli.benchmarks.scene import installed, settings_in
from tracker.cli.installation import now, opened
from tracker.cli.serving import SERVER, reader
from tracker.domain.consent import Recorder, Scope
from tracker.settings import Settings
from tracker.study import DEFAULT
from tracker.workflows import consenting, enrolment

PEOPLE = 50
EVERY_S = 0.5
LASTS_S = 45.0
PAGES = ("/consent", "/my-data", "/capture", "/timeline")
PAGE_EVERY_S = 0.4
AT_MOST_S = 0.3
_PATIENCE_S = 120.0


@dataclass
class Told:
    """What everybody was told.

    Attributes
    ----------
    frames_s, pages_s
        Seconds of each answer.
    deepest
        The most frames of one person that were neither looked at nor dropped when they sent another.
    last
        Each person's newest answer.
    wrong
        Statuses other than 200, with how often.
    """

    frames_s: list[float] = field(default_factory=list)
    pages_s: list[float] = field(default_factory=list)
    deepest: int = 0
    last: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    wrong: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, status: int) -> None:
        """Count an answer that was not what was asked for."""
        with self.lock:
            self.wrong[status] = self.wrong.get(status, 0) + 1


def measure(settings: Settings, folder: Path, rows: int) -> list[Figure]:
    """Serve a fresh installation in a process of its own; 50 people send two frames a second each, one opens pages.

    The people are threads of this process and share the machine's processors with the server. Their picture is one
    portrait of 480 x 480 pixels as a JPEG.
    """
    from tracker.lab.portrait import jpeg  # noqa: PLC0415 - loads OpenCV

    picture = jpeg()
    access = installed(settings, folder)
    doors: dict[str, str] = {}
    for n in range(PEOPLE + 1):
        who = enrolment.enrol(access, f"bench {n}", "Europe/Berlin", now()).person
        chosen = (Scope.AFFECT_SERIES, Scope.CONTEXT)
        start = now() - timedelta(days=1)
        consenting.grant(access, who, chosen, now(), recorder=Recorder.PARTICIPANT, covers_from=start)
        doors[secrets.token_urlsafe()] = who.id
    access.close()
    mine = settings_in(settings, folder)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=_serve, args=(mine, doors, there))
    server.start()
    try:
        if not here.poll(_PATIENCE_S):
            raise RuntimeError("the server did not start")
        told = _everybody(here.recv(), list(doors), picture)
    finally:
        server.terminate()
        server.join(_PATIENCE_S)
    access = opened(mine)
    with access.database.read() as connection:
        stored = connection.exec_driver_sql("SELECT count(*) FROM observations").scalar_one()
    access.close()
    return _figures(told, int(stored))


def _serve(settings: Settings, doors: dict[str, str], ready: Connection) -> None:
    import_module(SERVER).serve(
        lambda: opened(settings),
        port=0,
        entries=doors,
        on_ready=ready.send,
        reader=lambda: reader(settings, DEFAULT.usual_network),
    )


def _everybody(address: str, doors: list[str], picture: bytes) -> Told:
    told = Told()
    begun = threading.Barrier(PEOPLE + 1)
    over = threading.Event()
    people = [
        threading.Thread(target=_capture, args=(n, address, door, picture, told, begun, over))
        for n, door in enumerate(doors[:PEOPLE])
    ]
    for one in people:
        one.start()
    visitor = _Visitor(address, doors[PEOPLE])
    begun.wait(_PATIENCE_S)
    while len(told.last) + sum(told.wrong.values()) < PEOPLE:
        time.sleep(EVERY_S)
    with told.lock:
        told.frames_s.clear()
    end = time.monotonic() + LASTS_S
    turn = 0
    while time.monotonic() < end:
        began = time.monotonic()
        status, _ = visitor.get(PAGES[turn % len(PAGES)])
        told.pages_s.append(time.monotonic() - began)
        if status not in (200, 303):
            told.count(status)
        turn += 1
        time.sleep(max(0.0, PAGE_EVERY_S - (time.monotonic() - began)))
    over.set()
    for one in people:
        one.join(_PATIENCE_S)
    return told


def _capture(
    n: int,
    address: str,
    door: str,
    picture: bytes,
    told: Told,
    begun: threading.Barrier,
    over: threading.Event,
) -> None:
    """What the script of one person's page does."""
    try:
        visitor = _Visitor(address, door)
    except BaseException:
        begun.abort()
        raise
    begun.wait(_PATIENCE_S)
    status, found = visitor.post("/capture/look", picture, {})
    capture = str(found.get("capture"))
    status, _ = visitor.post("/capture/start", json.dumps({"capture": capture, "face": 0}).encode(), {})
    if status != http.client.OK:
        told.count(status)
        return
    number = 0
    while not over.is_set():
        began = time.monotonic()
        number += 1
        status, answer = visitor.post(
            "/capture/frames", picture, {"X-Capture": capture, "X-Capture-Frame": str(number)}
        )
        with told.lock:
            told.frames_s.append(time.monotonic() - began)
            if status == http.client.OK:
                told.last[n] = {**answer, "sent": number}
                told.deepest = max(told.deepest, number - answer["taken"] - answer["dropped"])
        if status != http.client.OK:
            told.count(status)
        over.wait(max(0.0, EVERY_S - (time.monotonic() - began)))
    status, answer = visitor.post("/capture/stop", json.dumps({"capture": capture}).encode(), {})
    if status == http.client.OK:
        with told.lock:
            told.last[n] = {**answer, "sent": number}


class _Visitor:
    """A browser's connection, session and token."""

    def __init__(self, address: str, door: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE_S)
        self._cookie = ""
        self._token = ""
        self.get(f"/enter/{door}")
        _, page = self.get("/capture")
        found = re.search(rb'name="csrf_token" value="([^"]+)"', page)
        self._token = found[1].decode() if found else ""

    def get(self, path: str) -> tuple[int, bytes]:
        return self._ask("GET", path, b"", {"Cookie": self._cookie})

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            self._connection.request(method, path, body, headers)
            return self._answer()
        except (ConnectionError, http.client.RemoteDisconnected):
            # The server lets go of connections that were quiet for a while; browsers ask again, too.
            self._connection.close()
            self._connection.request(method, path, body, headers)
            return self._answer()

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        picture = body[:1] != b"{"
        sent = {
            "Cookie": self._cookie,
            "X-CSRF-Token": self._token,
            "X-Capture-Time": str(round(now().timestamp() * 1000)),
            "Content-Type": "image/jpeg" if picture else "application/json",
        }
        status, answer = self._ask("POST", path, body, sent | headers)
        return status, json.loads(answer)

    def _answer(self) -> tuple[int, bytes]:
        response = self._connection.getresponse()
        body = response.read()
        if cookie := response.headers.get("Set-Cookie"):
            self._cookie = cookie.partition(";")[0]
        return response.status, body


def _figures(told: Told, stored: int) -> list[Figure]:
    sent = sum(answer["sent"] for answer in told.last.values())
    taken = sum(answer["taken"] for answer in told.last.values())
    dropped = sum(answer["dropped"] for answer in told.last.values())
    # Whoever stops lets go of the frame that is looked at in that moment.
    in_hand = max(answer["sent"] - answer["taken"] - answer["dropped"] for answer in told.last.values())
    page, frame = _p95(told.pages_s), _p95(told.frames_s)
    return [
        Figure(
            f"a page beside {PEOPLE} captures (p95 of {len(told.pages_s)})",
            page, "target", AT_MOST_S, page / AT_MOST_S, "<= 1", page <= AT_MOST_S,
        ),
        Figure("to leave a frame (p95)", frame, "every", EVERY_S, frame / EVERY_S, "<= 1", frame <= EVERY_S),
        Figure(
            "frames of one person that wait, at most", told.deepest, "one waits, one is looked at",
            2, told.deepest / 2, "<= 1", told.deepest <= 2, "frames",
        ),
        Figure(
            "frames looked at or counted as dropped", taken + dropped, "frames sent", sent,
            (taken + dropped) / sent, "all but one each", in_hand <= 1 and not told.wrong, "frames",
        ),
        Figure("frames looked at", taken / LASTS_S, "sent", sent / LASTS_S, taken / sent, "", True, "a second"),
        Figure("rows stored, one for frames in a row that were dropped", stored, "frames looked at", taken,
               stored / taken, "", True, "rows"),
    ]  # fmt: skip


def _p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]
