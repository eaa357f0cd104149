"""What an error says about a row: nothing, because its text ends in logs and on terminals."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from sqlalchemy import insert

from tests.builders import NOW, installation
from tracker.store.database import StatementError
from tracker.store.tables import contexts


def test_an_error_of_the_database_does_not_repeat_the_row(database_url: str, tmp_path: Path) -> None:
    access = installation(database_url, tmp_path)
    row = {"subject": "nobody", "at": NOW, "zone": "UTC", "place": "canary-place", "recorded_at": NOW}
    with (
        pytest.raises(StatementError, match="refused a statement") as told,
        access.database.write() as connection,
    ):
        connection.execute(insert(contexts).values(**row))
    access.close()
    whole = "".join(traceback.format_exception(told.value))
    assert "canary-place" not in whole
    assert "nobody" not in whole
