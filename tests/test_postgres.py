"""The database fixtures themselves: real servers, empty databases, nothing left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy

from tests.postgres import NoServerError, Server


def test_a_fresh_database_is_empty_and_can_be_written(empty_database_url: str) -> None:
    engine = sqlalchemy.create_engine(empty_database_url)
    assert sqlalchemy.inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE kept (x INTEGER)"))
    assert sqlalchemy.inspect(engine).get_table_names() == ["kept"]
    engine.dispose()


def test_every_test_gets_its_own_database(postgres_server: Server) -> None:
    with (
        postgres_server.database("affect_test_one") as one,
        postgres_server.database("affect_test_two") as two,
    ):
        assert one != two
    with postgres_server.database("affect_test_one") as again:
        assert again == one


def test_a_database_is_dropped_although_somebody_is_still_connected(postgres_server: Server) -> None:
    with postgres_server.database("affect_test_held") as url:
        engine = sqlalchemy.create_engine(url)
        held = engine.connect()
        held.execute(sqlalchemy.text("SELECT 1"))
    held.invalidate()
    engine.dispose()
    with postgres_server.database("affect_test_held"):
        pass


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+pg8000://ann:p%40ss@db.example:5433/affect",
        "postgresql+pg8000://postgres@/affect?unix_sock=/run/pg/.s.PGSQL.5432",
    ],
)
def test_a_url_survives_being_read_and_written(url: str) -> None:
    assert Server.from_url(url).url("affect") == url


def test_a_url_of_another_database_is_refused_by_name() -> None:
    with pytest.raises(NoServerError, match="'mysql'"):
        Server.from_url("mysql://ann@localhost/affect")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root changes account")
def test_root_starts_it_from_a_folder_that_nobody_else_may_enter(tmp_path: Path) -> None:
    """A checkout below /root keeps its permissions, and no system account appears."""
    tmp_path.chmod(0o700)
    script = (
        "from pathlib import Path\nimport tests.postgres as p\n"
        "p._may_run = lambda program, account: False\n"
        "before = Path('/etc/passwd').read_bytes()\n"
        "with p.embedded() as server, server.database('affect_test_root') as url:\n    print(url)\n"
        "assert Path('/etc/passwd').read_bytes() == before\n"
        "assert not server.socket.parent.exists()\n"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "unix_sock=" in done.stdout
