"""Where the master key comes from: a file of mode 0600, the environment, or a command that the operator names."""

from __future__ import annotations

import os
import shlex
import signal
import stat
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tracker.privacy.keys import KeyUnavailableError, master_key_text, new_master_key, parse_master_key
from tracker.settings import Settings, SettingsError

PATIENCE_S = 10.0
"""How long a command may take to print the key."""

_TOLD = 300
"""How much of a failed command's complaint is repeated, characters."""


def source(settings: Settings) -> Callable[[], bytes]:
    """What reads the master key, each time anew.

    Raises
    ------
    SettingsError
        When both the key itself and a command are given.
    """
    if settings.master_key and settings.master_key_command:
        raise SettingsError("AFFECT_MASTER_KEY and AFFECT_MASTER_KEY_COMMAND are both set; set one of them")
    if settings.master_key:
        return lambda: parse_master_key(settings.master_key)
    if settings.master_key_command:
        return lambda: of_command(settings.master_key_command)
    return lambda: of_file(settings.master_key_path)


def of_file(path: Path) -> bytes:
    """Read the master key from a file that nobody else can read.

    Raises
    ------
    KeyUnavailableError
        When it is missing, can be read by others, or holds no key.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text()
    except OSError:
        raise KeyUnavailableError(
            f"the master key {path} is missing; bring it back, or set AFFECT_MASTER_KEY"
        ) from None
    except UnicodeDecodeError:
        raise KeyUnavailableError(
            f"{path} holds no master key: it is not text; bring the file back"
        ) from None
    if mode & 0o077:
        raise KeyUnavailableError(f"{path} can be read by others (mode {mode:o}); run: chmod 600 {path}")
    return parse_master_key(text)


def of_command(command: str) -> bytes:
    """Run a command, without a shell, that prints the master key; what it prints is kept nowhere.

    Raises
    ------
    KeyUnavailableError
        When it cannot be run, fails, takes more than ten seconds, or prints something else; what it says on its
        standard error is repeated, what it prints never is.
    """
    name = "AFFECT_MASTER_KEY_COMMAND"
    try:
        words = shlex.split(command)
        running = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that whatever it starts can be stopped with it
        )
    except ValueError as error:
        raise KeyUnavailableError(f"{name} is no command: {error}") from None
    except (OSError, IndexError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is empty"
        raise KeyUnavailableError(f"{name} cannot be run: {reason}; it is {command!r}") from None
    try:
        printed, said = running.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        _stop(running)
        raise KeyUnavailableError(f"{name} has printed no key within {PATIENCE_S:g} s") from None
    except BaseException:
        _stop(running)
        raise
    if running.returncode != 0:
        complaint = " ".join(said.decode(errors="replace").split())[-_TOLD:] or "it says nothing"
        raise KeyUnavailableError(f"{name} has failed with code {running.returncode}: {complaint}")
    try:
        return parse_master_key(printed.decode("ascii"))
    except (UnicodeDecodeError, KeyUnavailableError):
        raise KeyUnavailableError(
            f"{name} has printed {len(printed)} bytes that are no master key; it must print 32 bytes in base64"
        ) from None


def make(path: Path) -> None:
    """Make a random master key and write it to a file of mode 0600."""
    write_private(path, new_master_key() + "\n")


def text(key: bytes) -> str:
    """A master key as its file holds it."""
    return master_key_text(key) + "\n"


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read, and that is there when the machine loses power after this."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _stop(running: subprocess.Popen[bytes]) -> None:
    """End a command with all that it has started, and close its pipes."""
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
