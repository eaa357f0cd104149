"""Keys on the command line: where the master key comes from, its replacement, new data keys, backups, ages."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sqlite3
import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.processes import finish, start
from tracker.cli import installation, master_key, run
from tracker.privacy.keys import KeyUnavailableError, new_master_key
from tracker.settings import load
from tracker.store import compacting
from tracker.store.keystore import KeyStore

# --- where the master key comes from ------------------------------------------------------------------------------


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def printing(key: str) -> str:
    return python(f"print({key!r})")


def test_a_command_prints_the_master_key(
    cli: Cli, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFFECT_MASTER_KEY_COMMAND", printing(new_master_key()))
    assert cli("init", "--json").json["master_key"] == "command"
    assert not (data_folder / "master.key").exists()
    assert cli("enrol", "ada", "--zone", "Europe/Berlin").code == 0
    assert cli("consent", "show", "ada").code == 0
    monkeypatch.setenv("AFFECT_MASTER_KEY_COMMAND", printing(new_master_key()))
    ended = cli("consent", "show", "ada")
    assert ended.code == 6
    assert "the key that this store was made with" in ended.line


def test_the_key_and_a_command_are_one_too_many(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFECT_MASTER_KEY_COMMAND", "true")
    monkeypatch.setenv("AFFECT_MASTER_KEY", new_master_key())
    ended = cli("init")
    assert ended.code == 2
    assert "both set" in ended.line


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (python("import sys; sys.exit('the vault is sealed')"), "failed with code 1: the vault is sealed"),
        (python("raise SystemExit(3)"), "failed with code 3: it says nothing"),
        (python("print('canary-not-a-key')"), "printed 17 bytes that are no master key"),
        (python("import sys; sys.stdout.buffer.write(b'\\xff' * 40)"), "printed 40 bytes"),
        ("no-such-program --now", "cannot be run: No such file or directory"),
        ("unbalanced 'quote", "is no command"),
        ("''", "cannot be run"),
    ],
)
def test_a_command_that_gives_no_key_is_told_without_what_it_printed(command: str, told: str) -> None:
    with pytest.raises(KeyUnavailableError, match=told) as refused:
        master_key.of_command(command)
    assert "canary" not in str(refused.value)


def test_a_command_runs_without_a_shell(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailableError):
        master_key.of_command(f"echo AAAA; touch {tmp_path / 'made'}")
    assert not (tmp_path / "made").exists()


def test_a_command_that_takes_too_long_is_stopped_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(master_key, "PATIENCE_S", 1.0)
    child = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with pytest.raises(KeyUnavailableError, match="printed no key within 1 s"):
        master_key.of_command(python(parent))
    if (tmp_path / "pid").exists():
        assert gone(int((tmp_path / "pid").read_text()))


def gone(pid: int) -> bool:
    """Whether a process has ended, be it still listed until somebody asks for it."""
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        try:
            os.kill(pid, 0)
            if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


# --- a new master key ---------------------------------------------------------------------------------------------


def old_store(data_folder: Path, folder: Path) -> KeyStore:
    """A copy of the key store as it is now."""
    folder.mkdir()
    for path in compacting.files_of(data_folder / "affect.keys.db"):
        if path.exists():
            shutil.copy2(path, folder)
    return KeyStore(folder / "affect.keys.db")


def test_a_new_master_key_takes_the_place_of_the_old_one_in_its_file(
    cli: Cli, ada: str, data_folder: Path
) -> None:
    path = data_folder / "master.key"
    before = path.read_text()
    done = cli("keys", "rotate-master", "--json")
    assert done.code == 0, done.err
    assert done.json["finished"]
    assert done.json["wrapped"] >= 3
    assert path.read_text() != before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(p.name for p in data_folder.iterdir() if "key" in p.name and "db" not in p.name) == [
        "master.key"
    ]
    assert cli("consent", "show", ada).code == 0
    assert cli("consent", "audit").code == 0
    path.write_text(before)
    ended = cli("consent", "show", ada)
    assert ended.code == 6
    assert "the key that this store was made with" in ended.line


def test_the_new_key_may_stand_in_a_file(cli: Cli, ada: str, data_folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.key"
    text = new_master_key()
    mine.write_text(text)
    mine.chmod(0o644)
    assert "chmod 600" in cli("keys", "rotate-master", "--new-key-file", str(mine)).line
    mine.chmod(0o600)
    assert cli("keys", "rotate-master", "--new-key-file", str(mine)).code == 0
    assert (data_folder / "master.key").read_text().strip() == text
    ended = cli("keys", "rotate-master", "--new-key-file", str(mine))
    assert ended.code == 2
    assert "holds the present master key" in ended.line


@pytest.mark.parametrize("by", ["AFFECT_MASTER_KEY", "AFFECT_MASTER_KEY_COMMAND"])
def test_where_the_program_cannot_put_it_the_operator_does(
    cli: Cli, ada: str, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    def give(key: str) -> None:
        monkeypatch.setenv(by, key if by == "AFFECT_MASTER_KEY" else printing(key))

    old = (data_folder / "master.key").read_text().strip()
    give(old)
    ended = cli("keys", "rotate-master")
    assert ended.code == 2
    assert "--new-key-file" in ended.line
    new = tmp_path / "new.key"
    first = cli("keys", "rotate-master", "--new-key-file", str(new))
    assert first.code == 0, first.err
    assert f"let {by} give the new one" in first.out
    for key in (old, new.read_text().strip()):
        give(key)
        assert cli("consent", "show", ada).code == 0
    give(old)
    again = cli("keys", "rotate-master", "--new-key-file", str(new), "--json")
    assert (again.code, again.json["finished"]) == (0, False)
    give(new.read_text().strip())
    assert cli("keys", "rotate-master", "--json").json["finished"]
    assert cli("consent", "show", ada).code == 0
    give(old)
    assert cli("consent", "show", ada).code == 6


def rotate_and_die(folder: Path, point: int, marker: Path) -> None:
    """Run the command, and be killed just before or after the n-th change that others can see."""
    # The server that forked this process knows the environment of the test that first asked it for one.
    for name in [name for name in os.environ if name.startswith("AFFECT_")]:
        del os.environ[name]
    os.environ["AFFECT_DATA_FOLDER"] = str(folder)
    passed = 0

    def step() -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(event: str, arguments: tuple[object, ...]) -> None:
        words = str(arguments)
        if event in ("os.rename", "os.remove") and "master.key" in words:
            step()
        if event == "open" and "master.key" in words:
            step()

    driver: Any = sqlite3.dbapi2
    real = driver.connect

    def connect(*given: object, **named: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*given, **named)
        connection.set_trace_callback(
            lambda sql: step() if sql.startswith(("COMMIT", "VACUUM", "BEGIN")) else None
        )
        return connection

    sys.addaudithook(watched)
    driver.connect = connect
    assert run(["keys", "rotate-master"]) == 0
    marker.touch()


@pytest.mark.privacy
def test_killed_anywhere_the_key_in_its_file_opens_everything_and_the_command_goes_on(
    cli: Cli, ada: str, data_folder: Path, tmp_path: Path
) -> None:
    marker = tmp_path / "through"
    killed, point = 0, 1
    first = (data_folder / "master.key").read_text()
    while not marker.exists():
        (code,) = finish(start(rotate_and_die, data_folder, point, marker))
        assert code in (0, -signal.SIGKILL), point
        killed += code == -signal.SIGKILL
        shown = cli("consent", "show", ada)
        assert shown.code == 0, (point, shown.err)
        point += 5
    assert killed > 5
    assert (data_folder / "master.key").read_text() != first
    assert cli("keys", "rotate-master", "--json").json["finished"]
    assert cli("consent", "show", ada).code == 0
    assert len(KeyStore(data_folder / "affect.keys.db").masters()) == 1
    leftovers = {path.name for path in data_folder.iterdir()} - {"master.key", "networks"}
    assert all(name.startswith("affect.") for name in leftovers), leftovers


def read_on(folder: Path, out: Path) -> None:
    """A process that was there before the rotation, with the old key in its memory, and stays."""
    access = installation.opened(load({"AFFECT_DATA_FOLDER": str(folder)}))
    (out / "ready").touch()
    rounds = 0
    while not (out / "stop").exists():
        who = access.person("ada")
        access.record_look(who.id, installation.now(), reader="eve", what=f"round {rounds}")
        access.vault.seal(f"somebody {rounds}", "notes", b"a key made meanwhile", "p")
        rounds += 1
    access.person("ada")
    (out / "rounds").write_text(str(rounds))


def test_a_process_that_runs_meanwhile_goes_on_with_the_new_key(
    cli: Cli, ada: str, data_folder: Path, tmp_path: Path
) -> None:
    running = start(read_on, data_folder, tmp_path)
    while not (tmp_path / "ready").exists():
        assert running.is_alive()
        time.sleep(0.05)
    for _ in range(4):
        assert cli("keys", "rotate-master").code == 0
    (tmp_path / "stop").touch()
    assert finish(running) == [0]
    rounds = int((tmp_path / "rounds").read_text())
    assert rounds >= 1
    access = installation.opened(load({"AFFECT_DATA_FOLDER": str(data_folder)}))
    for n in range(rounds):
        access.vault.opener(f"somebody {n}", "notes")
    installation.close_all()


# --- new data keys ------------------------------------------------------------------------------------------------


def test_new_data_keys_for_one_or_for_all(cli: Cli, ada: str) -> None:
    cli("enrol", "bob", "--zone", "Europe/Berlin")
    done = cli("keys", "rotate", ada, "--json")
    assert done.code == 0, done.err
    assert done.json["people"] == 1
    assert done.json["values"] >= 5
    assert cli("keys", "rotate", "--all", "--json").json["people"] == 2
    assert cli("keys", "rotate", ada, "--scope", "notes", "--json").json == {
        "people": 0,
        "keys": 0,
        "values": 0,
    }
    assert cli("consent", "audit").code == 0
    for arguments in (("keys", "rotate"), ("keys", "rotate", ada, "--all")):
        ended = cli(*arguments)
        assert ended.code == 2
        assert "--all" in ended.line
    assert cli("keys", "rotate", "nobody").code == 4


# --- backups ------------------------------------------------------------------------------------------------------


def test_backups_have_a_short_cycle(cli: Cli, ada: str, data_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    made = [Path(cli("keys", "backup", str(folder), "--json").json["backup"]) for _ in range(5)]
    assert sorted(folder.iterdir()) == sorted(made[-3:])
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    said = cli("keys", "backup", str(folder), "--keep", "1").out
    assert "can bring destroyed keys back" in said
    (one,) = folder.iterdir()
    assert cli("keys", "backup", str(folder), "--keep", "0").code == 2
    # It is a whole key store.
    for path in compacting.files_of(data_folder / "affect.keys.db"):
        path.unlink(missing_ok=True)
    shutil.copy2(one, data_folder / "affect.keys.db")
    assert cli("consent", "show", ada).code == 0


def test_a_folder_that_cannot_be_written_is_told_and_older_backups_stay(
    cli: Cli, ada: str, tmp_path: Path
) -> None:
    folder = tmp_path / "taken"
    folder.write_text("a file")
    ended = cli("keys", "backup", str(folder))
    assert ended.code == 6
    assert str(folder) in ended.line


def test_new_keys_make_the_backups_anew_and_tell_of_those_out_of_reach(
    cli: Cli, ada: str, data_folder: Path, tmp_path: Path
) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    for folder in (near, near, far):
        assert cli("keys", "backup", str(folder)).code == 0
    shutil.move(far, tmp_path / "taken away")
    before = set(near.iterdir())
    done = cli("keys", "rotate", ada)
    assert done.code == 0
    assert str(far) in done.line
    (anew,) = near.iterdir()
    assert anew not in before
    assert cli("keys", "rotate-master").code == 0
    assert len(KeyStore(next(iter(near.iterdir()))).masters()) == 1


# --- a key store that is gone -------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("init",), ("consent", "show", "ada"), ("erase", "ada", "--yes")])
def test_a_lost_key_store_is_told_and_no_other_takes_its_place(
    cli: Cli, ada: str, data_folder: Path, command: tuple[str, ...]
) -> None:
    store, away = data_folder / "affect.keys.db", data_folder / "away.db"
    store.rename(away)
    ended = cli(*command)
    assert ended.code == 6
    assert f"the key store {store} is missing" in ended.line
    assert not store.exists()
    away.rename(store)
    assert cli("consent", "audit").code == 0


def test_another_file_in_the_key_stores_place_is_told_as_that(cli: Cli, ada: str, data_folder: Path) -> None:
    store = data_folder / "affect.keys.db"
    store.write_bytes(b"a letter to somebody" * 50)
    ended = cli("consent", "show", ada)
    assert ended.code == 6
    assert f"the key store {store} is damaged, or another file" in ended.line
    assert "AFFECT_KEY_STORE" in ended.line


def test_a_folder_that_is_made_for_keys_is_nobody_elses(cli: Cli, data_folder: Path) -> None:
    keys = data_folder / "keys" / "affect.keys.db"
    KeyStore(keys, create=True).close()
    master_key.make(data_folder / "master" / "master.key")
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in data_folder.iterdir()} == {0o700}


# --- database and key store of different ages ---------------------------------------------------------------------


def put_back(data_folder: Path, copy: Path) -> None:
    for path in compacting.files_of(data_folder / "affect.keys.db"):
        path.unlink(missing_ok=True)
    for path in copy.iterdir():
        shutil.copy2(path, data_folder)


def test_a_key_store_without_the_keys_of_somebody_says_so(
    cli: Cli, ada: str, data_folder: Path, tmp_path: Path
) -> None:
    old_store(data_folder, tmp_path / "copy").close()
    assert cli("enrol", "bob", "--zone", "Europe/Berlin").code == 0
    put_back(data_folder, tmp_path / "copy")
    for arguments in (
        ("consent", "show", ada),
        ("enrol", "carl", "--zone", "Europe/Berlin"),
        ("keys", "accept"),
    ):
        ended = cli(*arguments)
        assert ended.code == 6, arguments
        assert "older than the database" in ended.line


def test_a_key_store_with_the_keys_of_somebody_erased_says_so(
    cli: Cli, ada: str, data_folder: Path, tmp_path: Path
) -> None:
    cli("enrol", "bob", "--zone", "Europe/Berlin")
    old_store(data_folder, tmp_path / "copy").close()
    assert cli("erase", "bob", "--yes").code == 0
    put_back(data_folder, tmp_path / "copy")
    ended = cli("consent", "show", ada)
    assert ended.code == 6
    assert "holds keys from before 1 erasures" in ended.line
    bob = KeyStore(data_folder / "affect.keys.db").owners("identity")
    assert cli("keys", "accept", "--json").json["destroyed"] >= 1
    assert len(bob - KeyStore(data_folder / "affect.keys.db").owners("identity")) == 1
    assert cli("consent", "show", ada).code == 0
    assert KeyStore(data_folder / "affect.keys.db").tombstones_kept()


def test_a_key_store_whose_signed_end_is_older_says_so(
    cli: Cli, ada: str, data_folder: Path, tmp_path: Path
) -> None:
    old_store(data_folder, tmp_path / "copy").close()
    for scope in ("notes", "prompts"):
        assert cli("consent", "grant", ada, scope, "--evidence", "test").code == 0
    put_back(data_folder, tmp_path / "copy")
    ended = cli("consent", "show", ada)
    assert ended.code == 6
    assert "2 rows of the consent log came after" in ended.line
    assert cli("keys", "accept").code == 0
    assert cli("consent", "show", ada).code == 0
    assert cli("consent", "audit").code == 0


def test_an_event_whose_process_died_before_it_signed_is_no_older_key_store(
    cli: Cli, ada: str, data_folder: Path, tmp_path: Path
) -> None:
    old_store(data_folder, tmp_path / "copy").close()
    assert cli("consent", "grant", ada, "notes", "prompts", "--evidence", "test").code == 0
    put_back(data_folder, tmp_path / "copy")
    assert cli("consent", "show", ada).code == 0


def test_the_key_store_of_another_database_says_so(cli: Cli, ada: str, data_folder: Path) -> None:
    other = f"sqlite:///{data_folder / 'other.db'}"
    assert cli("init", "--db", other).code == 0
    for path in compacting.files_of(data_folder / "other.keys.db"):
        path.unlink(missing_ok=True)
    shutil.copy2(data_folder / "affect.keys.db", data_folder / "other.keys.db")
    for arguments in (("consent", "audit"), ("init",)):
        ended = cli(*arguments, "--db", other)
        assert ended.code == 6
        assert "belongs to another database" in ended.line


def test_a_key_store_that_others_can_read_says_so(cli: Cli, ada: str, data_folder: Path) -> None:
    (data_folder / "affect.keys.db").chmod(0o644)
    assert "chmod 600" in cli("consent", "show", ada).line
