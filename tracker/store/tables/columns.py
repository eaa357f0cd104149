"""What every table has in common: the metadata, and columns that many of them carry."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    MetaData,
    String,
    Table,
    func,
    select,
    text,
)

from tracker.domain.affect import EMOTIONS
from tracker.store.types import Instant, RowId

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def emotions(nullable: bool = False) -> list[Column[float]]:
    """One probability column per emotion, in the one order."""
    return [Column(f"p_{e.value}", Double, nullable=nullable) for e in EMOTIONS]


def subject() -> Column[str]:
    """Whose row it is: a random id, from which nobody gets to the person without their key."""
    return Column("subject", String(32), ForeignKey("subjects.id"), nullable=False)


def grant() -> Column[int]:
    """Under which grant a row was written; a trigger looks that it stands. 0: before grants had numbers."""
    return Column("grant_id", BigInteger, nullable=False, server_default=text("0"))


def imported_from() -> Column[str]:
    """SHA-256 of the file of another program that a row comes from; NULL: it was captured or said here.

    What comes from elsewhere is in no figure or dataset for everybody.
    """
    return Column("imported_from", String(64))


studies = Table(
    "studies",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("document", JSON, nullable=False),
    Column("applied_at", Instant, nullable=False),
    Column("applied_by", String(64), nullable=False),
)


def study() -> Column[int]:
    """Which version of the study governed as a row was written, by its number in `studies`, which has its SHA-256.

    The database itself looks it up as it inserts, so no writer can forget it. None: no study was applied, or the row
    is older than this column. No foreign key: what a participant's rows point to would be the participant's.
    """
    return Column("study", RowId, default=select(func.max(studies.c.id)).scalar_subquery())
