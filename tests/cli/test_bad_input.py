"""Bad input: one clear line, a documented exit code, and nothing half-written or lost."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.cli.conftest import SMALL, STARTED, Cli, Ended, spawn
from tracker.cli import run
from tracker.lab.portrait import portrait, write_clip


def _track(cli: Cli, source: Path | str, *more: str) -> Ended:
    return cli("track", str(source), "--participant", "ada", "--started-at", STARTED, "--json", *more)


def _rows(folder: Path) -> int:
    with sqlite3.connect(folder / "affect.db") as connection:
        count: int = connection.execute("SELECT count(*) FROM observations").fetchone()[0]
    connection.close()
    return count


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.mp4", b""),
        ("noise.mp4", os.urandom(4096)),
        ("text.txt", b"this is no video\n" * 50),
        ("half.jpg", b"\xff\xd8\xff\xe0" + bytes(64)),
    ],
)
def test_what_is_no_recording_is_refused(
    cli: Cli, ada: str, tmp_path: Path, data_folder: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    ended = _track(cli, tmp_path / name)
    assert ended.code == 5
    assert name in ended.line
    assert _rows(data_folder) == 0


def test_a_missing_file_is_refused(cli: Cli, ada: str) -> None:
    ended = _track(cli, "nowhere.mp4")
    assert ended.code == 5
    assert "nowhere.mp4 does not exist" in ended.line


def test_a_truncated_clip_keeps_what_came_and_says_so(
    cli: Cli, ada: str, tmp_path: Path, data_folder: Path
) -> None:
    whole = tmp_path / "whole.avi"
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 320))
    face = cv2.cvtColor(portrait()[0:320, 60:380], cv2.COLOR_RGB2BGR)
    for _ in range(60):
        writer.write(np.ascontiguousarray(face))
    writer.release()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.6)])
    ended = _track(cli, cut)
    assert ended.code in (0, 9)
    assert 0 < ended.json["added"] < 30
    assert _rows(data_folder) == ended.json["added"]
    if ended.code == 9:
        assert "cut.avi" in ended.line


def test_a_video_without_a_face_is_a_series_of_reasons(cli: Cli, ada: str, tmp_path: Path) -> None:
    path = tmp_path / "wall.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (160, 120))
    for _ in range(20):
        writer.write(np.full((120, 160, 3), 90, np.uint8))
    writer.release()
    ended = _track(cli, path)
    assert ended.code == 0
    assert ended.json["with_face"] == ended.json["estimates"] == 0
    assert ended.json["reasons"]["no_face"] == ended.json["observations"] == 10


def test_stills_with_grey_alpha_and_odd_sizes(cli: Cli, ada: str, tmp_path: Path) -> None:
    face = portrait()[20:260, 100:340]
    cv2.imwrite(str(tmp_path / "grey.png"), cv2.cvtColor(face, cv2.COLOR_RGB2GRAY))
    alpha = np.dstack([face[..., ::-1], np.full(face.shape[:2], 255, np.uint8)])
    cv2.imwrite(str(tmp_path / "alpha.png"), alpha)
    cv2.imwrite(str(tmp_path / "dot.png"), np.zeros((1, 1, 3), np.uint8))
    for name, faces in (("grey.png", 1), ("alpha.png", 1), ("dot.png", 0)):
        ended = _track(cli, tmp_path / name)
        assert ended.code == 0, ended.err
        assert ended.json["with_face"] == faces, name


def test_a_still_of_144_megapixels_is_read_or_refused_in_bounded_memory(
    cli: Cli, ada: str, tmp_path: Path
) -> None:
    path = tmp_path / "huge.jpg"
    cv2.imwrite(str(path), np.full((12_000, 12_000, 3), 90, np.uint8))
    ended = _track(cli, path)
    assert ended.code in (0, 5)
    if ended.code == 5:
        assert "huge.jpg" in ended.line
    else:
        assert ended.json["reasons"]["no_face"] == 1


@pytest.mark.parametrize(
    "command",
    [
        ("track", "x.mp4", "--participant", "bob"),
        ("consent", "show", "bob"),
        ("correct", "bob", "--at", STARTED, "--emotion", "fear"),
        ("timeline", "bob"),
        ("replay", "bob"),
        ("erase", "bob", "--yes"),
        ("context", "add", "bob", "--at", STARTED, "--place", "home"),
    ],
)
def test_an_unknown_participant(cli: Cli, ada: str, command: tuple[str, ...]) -> None:
    ended = cli(*command)
    assert ended.code == 4
    assert "'bob'" in ended.line


@pytest.mark.parametrize(
    "at",
    [
        "2026-03-02T09:00:00",
        "yesterday",
        "2199-01-01T00:00:00Z",
        "",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-23:00",
    ],
)
def test_naive_unreadable_and_future_times(cli: Cli, ada: str, clip: Path, at: str) -> None:
    for command in (
        ("track", str(clip), "--participant", ada, "--started-at", at),
        ("correct", ada, "--at", at, "--emotion", "fear"),
        ("context", "add", ada, "--at", at, "--place", "home"),
        ("consent", "grant", ada, "notes", "--evidence", "x", "--covers-from", at),
    ):
        ended = cli(*command)
        assert ended.code == 2, command
        assert at in ended.err or "future" in ended.err


def test_a_clip_that_does_not_say_when_it_was_recorded(cli: Cli, ada: str, clip: Path) -> None:
    ended = cli("track", str(clip), "--participant", ada)
    assert ended.code == 2
    assert "--started-at" in ended.line


def test_an_instant_before_the_consent(cli: Cli, ada: str, clip: Path, data_folder: Path) -> None:
    early = ("--started-at", "2026-02-01T09:00:00+01:00")
    ended = cli("track", str(clip), "--participant", ada, *early)
    assert ended.code == 3
    assert "when the grant of affect_series begins" in ended.line
    assert _rows(data_folder) == 0
    assert cli("correct", ada, "--at", early[1], "--emotion", "fear").code == 3
    assert cli("context", "add", ada, "--at", early[1], "--place", "home").code == 3


def test_without_a_grant_nothing_is_stored(cli: Cli, clip: Path, data_folder: Path) -> None:
    cli("init")
    cli("enrol", "ada", "--zone", "Europe/Berlin")
    ended = _track(cli, clip)
    assert ended.code == 3
    assert "affect_series" in ended.line
    assert _rows(data_folder) == 0


def test_an_operator_without_evidence(cli: Cli, ada: str) -> None:
    ended = cli("consent", "grant", ada, "notes")
    assert ended.code == 2
    assert "--evidence" in ended.line
    for then in ("erase_scope", "erase_all"):
        ended = cli("consent", "withdraw", ada, "context", "--then", then)
        assert ended.code == 2
        assert "--evidence" in ended.line
    assert cli("consent", "withdraw", ada, "context").code == 0
    assert cli("consent", "refuse", ada, "notes").code == 0


@pytest.mark.parametrize(
    "command",
    [
        ("enrol", "ada", "--zone", "Mars/Olympus"),
        ("enrol", "a/b", "--zone", "UTC"),
        ("consent", "grant", "ada", "everything", "--evidence", "x"),
        ("track", "x.mp4", "--participant", "ada", "--every", "0"),
        ("correct", "ada", "--at", STARTED, "--emotion", "joy"),
        ("context", "add", "ada", "--at", STARTED),
        ("nonsense",),
    ],
)
def test_bad_values(cli: Cli, ada: str, command: tuple[str, ...]) -> None:
    ended = cli(*command)
    assert ended.code == 2
    assert ended.line.startswith("affect-tracker: ")


def test_a_name_that_is_taken(cli: Cli, ada: str) -> None:
    ended = cli("enrol", "ada", "--zone", "UTC")
    assert ended.code == 2
    assert "enrolled already" in ended.line


def test_a_database_that_would_keep_nothing(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite://", "sqlite:///:memory:"):
        ended = cli("init", "--db", url)
        assert ended.code == 6
        assert "names no file" in ended.line
    assert list(tmp_path.iterdir()) == []


def test_a_name_is_shown_as_it_is(cli: Cli) -> None:
    cli("init")
    assert cli("enrol", "[red] ada", "--zone", "Europe/Berlin").code == 0
    assert "[red] ada" in cli("consent", "show", "[red] ada").out


def test_no_database_yet(cli: Cli) -> None:
    ended = cli("timeline", "ada")
    assert ended.code == 6
    assert "affect-tracker init" in ended.line


@pytest.mark.parametrize(("revision", "word"), [("9999", "newer"), ("0001", "older")])
def test_a_database_of_another_age(cli: Cli, ada: str, data_folder: Path, revision: str, word: str) -> None:
    with sqlite3.connect(data_folder / "affect.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
    ended = cli("timeline", "ada")
    assert ended.code == 6
    assert word in ended.line


def test_a_file_that_is_no_database(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear Ada, " * 400)
    assert cli("timeline", "ada", "--db", f"sqlite:///{path}").code == 6


def test_lost_and_open_keys(cli: Cli, ada: str, data_folder: Path) -> None:
    key = data_folder / "master.key"
    key.chmod(0o644)
    assert "chmod 600" in cli("timeline", ada).line
    key.chmod(0o600)
    key.write_text("AAAA\n")
    assert cli("timeline", ada).code == 6
    key.write_bytes(b"\xff\xfe")
    assert "no master key" in cli("timeline", ada).line
    key.unlink()
    ended = cli("timeline", ada)
    assert ended.code == 6
    assert "master.key" in ended.line


def test_an_unknown_network_and_device(cli: Cli, ada: str, clip: Path) -> None:
    assert _track(cli, clip, "--network", "poster").code == 7
    ended = _track(cli, clip, "--device", "cuda")
    assert ended.code == 7
    assert "cuda" in ended.line


def test_a_full_disk_loses_nothing(cli: Cli, ada: str, tmp_path: Path, long: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system can be mounted by root alone: the full disk is not tried")
    try:
        url = f"sqlite:///{small / 'affect.db'}"
        more = ("--db", url)
        for command in (
            ("init", *more),
            ("enrol", "ada", "--zone", "UTC", *more),
            ("consent", "grant", "ada", "affect_series", "--evidence", "x", "--covers-from", STARTED, *more),
        ):
            assert cli(*command).code == 0
        filler = small / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        ended = _track(cli, long, *more)
        assert ended.code == 8, ended.err
        assert "full" in ended.line
        filler.unlink()
        assert cli("consent", "audit", *more).code == 0
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)


RESUMED = ("--every", "0.1", "--started-at", STARTED, "--json")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds; at ten pictures a second nearly two batches: a run is stopped while it sees the second."""
    path = tmp_path_factory.mktemp("clips") / "long.mp4"
    write_clip(path, 12.0, size=SMALL)
    return path


@pytest.fixture(scope="module")
def unbroken(long: Path, enrolled: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[str]]:
    """What a run that nobody stopped says, and the instants of its series."""
    folder = tmp_path_factory.mktemp("unbroken") / "data"
    shutil.copytree(enrolled, folder)

    def said(*arguments: str) -> Any:
        with pytest.MonkeyPatch.context() as patched, redirect_stdout(io.StringIO()) as out:
            patched.setenv("AFFECT_DATA_FOLDER", str(folder))
            assert run(list(arguments)) == 0
        return json.loads(out.getvalue())

    told = said("track", str(long), "--participant", "ada", *RESUMED)
    return told, [row["at"] for row in said("timeline", "ada", "--json")]


@pytest.mark.slow  # three runs over a clip of twelve seconds, each loads the network: half a minute of a core
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_stopped_resumes(
    cli: Cli, ada: str, data_folder: Path, long: Path, unbroken: tuple[Any, list[str]], how: signal.Signals
) -> None:
    arguments = ("track", str(long), "--participant", ada, *RESUMED)
    process = spawn(*arguments)
    try:
        while _rows(data_folder) == 0 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(how)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    if how is signal.SIGINT:
        assert process.returncode == 130
        assert "Traceback" not in err
    stopped_at = _rows(data_folder)
    assert 0 < stopped_at < 120
    again = cli(*arguments)
    assert again.code == 0, again.err
    told, instants = unbroken
    assert again.json["observations"] == _rows(data_folder) == told["observations"] == 120
    assert again.json["added"] == 120 - stopped_at
    assert again.json["reasons"] == told["reasons"]
    assert [row["at"] for row in cli("timeline", ada, "--json").json] == instants
