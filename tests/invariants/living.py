"""A life through the real command line and the real server, with canaries in everything: run under a watch.

``python -m tests.invariants.living FOLDER STAGE``; each stage is a process of its own, so that what it wrote can be
told from what others wrote.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlencode

import cv2
import numpy as np

NAME = "canary-name-5f3e"
PLACE = "canary-place-77a1"
NOTE = "canary-note-c0de, a long day"
EVIDENCE = "canary-evidence-4b1d"
COVERS = "2026-03-01T00:00:00+01:00"
STARTED = "2026-03-02T09:00:00+01:00"
SIDE, FRAMES = 192, 12


def texture(number: int) -> np.ndarray:
    """A frame whose rows of pixels nobody writes by chance: a portrait's worth of noise in a face's colours."""
    noise = np.random.default_rng(1000 + number).integers(0, 256, (SIDE // 4, SIDE // 4, 3), np.uint8)
    return np.asarray(noise.repeat(4, 0).repeat(4, 1))


def record(folder: Path) -> None:
    """A recording without loss: pictures of the demo's portrait with a border of canary pixels."""
    from tracker.lab.portrait import _frame, portrait  # noqa: PLC0415

    folder.mkdir(exist_ok=True)
    picture = cv2.cvtColor(portrait(), cv2.COLOR_RGB2BGR)
    for n in range(FRAMES):
        frame = _frame(picture, n / 5)
        frame[:16] = cv2.resize(texture(n), (frame.shape[1], 16), interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(folder / f"{n:03}.png"), frame)


def pixels(folder: Path) -> dict[str, bytes]:
    """Runs of pixels of the frames as a program would write them: of the border and of the face, in RGB and BGR."""
    found = {}
    for n in (0, FRAMES // 2, FRAMES - 1):
        frame = cv2.imread(str(folder / f"{n:03}.png"))
        assert frame is not None
        height, width = frame.shape[:2]
        for name, order in (("bgr", frame), ("rgb", frame[:, :, ::-1])):
            found[f"{name} border {n}"] = np.ascontiguousarray(order[8, 40:72]).tobytes()
            found[f"{name} face {n}"] = np.ascontiguousarray(
                order[height // 2, width // 2 : width // 2 + 32]
            ).tobytes()
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        found[f"grey face {n}"] = grey[height // 2, width // 2 : width // 2 + 48].tobytes()
        found[f"float face {n}"] = (
            frame[height // 2, width // 2 : width // 2 + 8].astype(np.float32) / 255
        ).tobytes()
    return found


def stage(folder: Path, which: str) -> list[list[str]]:
    """The command lines of one stage."""
    grants = ["affect_series", "context", "personal_learning", "prompts", "notes", "export_pseudonymous"]
    kept = [*grants, "face_crops", "raw_video"]
    stages = {
        "series": [
            ["init"],
            ["enrol", NAME, "--zone", "Europe/Berlin"],
            ["consent", "grant", NAME, *grants, "--evidence", EVIDENCE, "--covers-from", COVERS],
            ["track", str(folder / "frames"), "-p", NAME, "--started-at", STARTED, "--every", "0.2"],
            ["context", "add", NAME, "--at", STARTED, "--place", PLACE],
            ["correct", NAME, "--at", STARTED, "--emotion", "fear", "--note", NOTE],
            ["timeline", NAME],
            ["consent", "show", NAME],
            ["jobs", "--once"],
        ],
        "export": [["export", "--out", str(folder / "exported")]],
        "crops": [
            ["consent", "grant", NAME, *kept, "--evidence", EVIDENCE, "--covers-from", COVERS],
            ["track", str(folder / "frames"), "-p", NAME, "--started-at", STARTED, "--every", "0.1"],
        ],
        "erase": [["erase", NAME, "--yes"]],
    }
    return stages[which]


def main(folder: Path, which: str) -> int:
    """Run a stage in this process, as a shell would; a command that fails is told."""
    from tracker.cli import run  # noqa: PLC0415

    for arguments in stage(folder, which):
        code = int(run(arguments))
        print(f"CODE {code} {arguments[0]}", flush=True)
    return 0


def served(folder: Path, code: str) -> int:
    """Serve, go through the pages as a participant does, and stop."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tracker.cli", "serve", "--port", "0"], stderr=subprocess.PIPE, text=True
    )
    assert server.stderr is not None
    address = ""
    while not address:
        line = server.stderr.readline()
        assert line, "the server ended"
        sys.stderr.write(line)
        if found := re.search(r"http://[^/ ]*:(\d+)", line):
            address = found[1]
    said = threading.Thread(target=lambda: sys.stderr.write(server.stderr.read()))  # type: ignore[union-attr]
    said.start()
    try:
        visit(int(address), code)
    finally:
        server.terminate()
        server.wait(60)
        said.join(60)
    return 0


def visit(port: int, code: str) -> None:
    """Log in, look at every page, correct with a note, ask for what is not there, send what is too much."""
    cookies: dict[str, str] = {}
    token = ""

    def ask(method: str, path: str, fields: dict[str, str] | None = None) -> str:
        nonlocal token
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        body = urlencode({"csrf_token": token, **fields}) if fields is not None else None
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
        if body is not None:
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": f"http://127.0.0.1:{port}",
            }
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                cookies[key] = rest.partition(";")[0]
        text = answer.read().decode(errors="replace")
        if found := re.search(r'name="csrf_token" value="([^"]+)"', text):
            token = found[1]
        print(json.dumps([method, path, answer.status]), flush=True)
        return text

    ask("GET", "/login")
    ask("POST", "/login", {"name": NAME, "secret": "a wrong password"})
    ask("POST", "/login", {"name": NAME, "secret": code})
    ask("GET", "/notice")
    ask("POST", "/notice", {})
    ask("GET", "/password")
    ask("POST", "/password", {"password": "correct horse battery", "again": "correct horse battery"})
    for path in ("/consent", "/timeline", "/my-data", f"/{NAME}", "/healthz"):
        ask("GET", path)
    ask("POST", "/consent/confirm", {})
    ask("POST", "/consent/face_crops/grant", {})
    ask("POST", "/correct", {"at": STARTED, "emotion": "fear", "note": NOTE})
    ask("POST", "/correct", {"at": STARTED, "emotion": "fear", "note": NOTE * 200})


if __name__ == "__main__":
    os.umask(0o077)
    if sys.argv[2] == "serve":
        sys.exit(served(Path(sys.argv[1]), sys.argv[3]))
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
