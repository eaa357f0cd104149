"""Each row that a study governs carries the version that governed as it was written, which has its SHA-256."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Table, insert, select

from tests.builders import NOW
from tests.lives import lived
from tracker.access import Access
from tracker.store import tables
from tracker.study import DEFAULT, Study
from tracker.study.parts import ExportRules
from tracker.workflows import studies

GOVERNED = [
    table
    for table in tables.metadata.sorted_tables
    if "grant_id" in table.c
    or table.name
    in (
        "consent_events",
        "erasure_requests",
    )
]
FIRST = DEFAULT.model_copy(update={"id": "first", "version": "1"})
SECOND = FIRST.model_copy(update={"version": "2", "export": ExportRules(k=9)})


def test_every_table_of_rows_under_a_grant_says_its_study() -> None:
    assert {table.name for table in GOVERNED if "study" not in table.c} == set()
    assert len(GOVERNED) >= 19


def governed(access: Access, table: Table) -> set[str | None]:
    """The SHA-256 of the studies that a table's rows name; None for a row that names none."""
    with access.database.read() as connection:
        query = select(tables.studies.c.sha256).select_from(
            table.outerjoin(tables.studies, table.c.study == tables.studies.c.id)
        )
        return set(connection.execute(query).scalars())


def test_a_whole_life_is_written_under_the_study_in_force(access: Access) -> None:
    for study in (FIRST, SECOND):
        assert studies.apply(access, study, "ops", NOW - timedelta(days=1))
    lived(access)
    found = {table.name: governed(access, table) for table in GOVERNED}
    assert found == {table.name: {SECOND.sha256} for table in GOVERNED}, (
        "no table is empty, no row is without"
    )


def test_a_row_keeps_the_study_under_which_it_was_written(access: Access) -> None:
    assert governed(access, tables.consent_events) == set()
    who = lived(access, now=NOW - timedelta(days=2))
    assert governed(access, tables.observations) == {None}, "no study was applied"
    apply(access, FIRST, 1)
    assert governed(access, tables.observations) == {None}, "nothing is rewritten"
    with access.database.write() as connection:
        connection.execute(
            insert(tables.erasure_requests).values(
                participant=who.id, scope="notes", answer="keep", recorded_at=NOW
            )
        )
    apply(access, SECOND, 0)
    assert governed(access, tables.erasure_requests) == {None, FIRST.sha256}


def apply(access: Access, study: Study, days_ago: int) -> None:
    assert studies.apply(access, study, "ops", NOW - timedelta(days=days_ago))
