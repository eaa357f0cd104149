from pathlib import Path

import pytest
from sqlalchemy import Column, LargeBinary, Table

from tests.builders import NOW
from tracker.domain.consent import Scope
from tracker.privacy import datamap, disclosure
from tracker.privacy.datamap import Ground, Retention
from tracker.privacy.files import FILES
from tracker.store import erasing, extents, keystore, members, tables
from tracker.store.database import Database
from tracker.workflows.erasure import lineage

ROOT = Path(__file__).parents[2]
SCHEMAS = (tables.metadata, keystore.metadata)
STORED: list[Column[object]] = [c for m in SCHEMAS for t in m.sorted_tables for c in t.columns]
NOT_SEALED_UNDER_A_PERSON = {
    ("consent_events", "salt"),  # random
    ("access_events", "salt"),  # random
    ("chain_heads", "signature"),
    ("wrapped_keys", "wrapped"),  # sealed under the master key
    ("masters", "bridge"),  # a master key sealed under another
}


def named(column: Column[object]) -> tuple[str, str]:
    assert isinstance(column.table, Table)
    return column.table.name, column.name


def test_every_stored_column_is_declared_and_every_declared_one_stored() -> None:
    declared = [(c.table, c.name) for s in datamap.TABLES for c in s.columns]
    assert len(declared) == len(set(declared))
    assert {named(c) for c in STORED} == set(declared)


def test_columns_of_bytes_are_the_sealed_ones() -> None:
    binary = {named(c) for c in STORED if isinstance(c.type, LargeBinary)} - NOT_SEALED_UNDER_A_PERSON
    sealed = {key for key, c in datamap.columns().items() if c.sealed}
    assert binary == sealed
    assert {key for key in sealed if not key[1].endswith("sealed")} == set()


def test_nothing_derives_from_what_is_not_stored() -> None:
    known = {f"{c.table}.{c.name}" for c in datamap.columns().values()}
    for column in datamap.columns().values():
        assert set(column.derives_from) <= known


def test_what_rests_on_a_scope_or_a_person_is_deleted_with_the_person() -> None:
    covered = {table.name for table in erasing.owned("s", "p")} | {"wrapped_keys"}
    others = {Ground.OPERATION, Ground.STAFF}
    personal = {c.table for c in datamap.columns().values() if c.ground not in others}
    assert personal == covered


def test_what_stays_after_an_erasure_is_operation_and_says_so() -> None:
    covered = {table.name for table in erasing.owned("s", "p")} | {"wrapped_keys"}
    for column in datamap.columns().values():
        if column.table not in covered:
            assert column.retention in {
                Retention.EVIDENCE,
                Retention.SLOT,
                Retention.EXPORT,
                Retention.NOTICE,
                Retention.PRIOR,
                Retention.MEMBER,
            }


def test_what_is_about_the_staff_is_deleted_with_the_member() -> None:
    about = {c.table for c in datamap.columns().values() if c.ground is Ground.STAFF}
    assert about <= {table.name for table in members.owned("m")}


@pytest.mark.parametrize("scope", Scope)
def test_erasing_a_scope_reaches_every_table_that_rests_on_it(scope: Scope) -> None:
    rows = {table.name for table in extents.conditions("s", "p", lineage.extents(scope))}
    assert set(datamap.tables_of(scope)) <= rows


def test_the_document_is_the_data_map() -> None:
    written = (ROOT / "docs" / "privacy.md").read_text("utf-8")
    assert written == disclosure.document(), (
        "docs/privacy.md is outdated; write it again: python -c "
        "'from tracker.privacy.disclosure import document; print(document(), end=\"\")' > docs/privacy.md"
    )


def test_a_column_that_nobody_declared_is_noticed() -> None:
    extra = {*(named(c) for c in STORED), ("observations", "iris")}
    assert extra != set(datamap.columns())


def test_every_file_beside_the_database_is_declared(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'affect.db'}", create=True)
    keystore.KeyStore(tmp_path / "affect.keys.db", create=True).keep_tombstone("t", "d", None, NOW)
    tables.metadata.create_all(database.engine)
    patterns = [f.pattern for f in FILES]
    written = list(tmp_path.iterdir())
    assert len(written) >= 2
    for path in written:
        assert any(path.match(pattern) for pattern in patterns), path.name
