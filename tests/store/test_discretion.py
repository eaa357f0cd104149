"""What an error says about a row: nothing, because its text ends in logs and on terminals."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import exc, insert

from tests.builders import NOW, installation
from tracker.store.tables import contexts


def test_an_error_of_the_database_does_not_repeat_the_row(database_url: str, tmp_path: Path) -> None:
    access = installation(database_url, tmp_path)
    row = {"subject": "nobody", "at": NOW, "zone": "UTC", "place": "canary-place", "recorded_at": NOW}
    with pytest.raises(exc.DBAPIError) as told, access.database.write() as connection:
        connection.execute(insert(contexts).values(**row))
    access.close()
    assert "hide_parameters" in str(told.value)
    assert "canary-place" not in str(told.value)
