"""Declared columns and tables as Arrow has them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tracker.workflows.export.declaring import Kind, Table

ARROW = {
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.STRING: pa.string(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATETIME: pa.timestamp("us", "UTC"),
}

PERSON, MONTH = "participant", "month"
"""What partitions are named by; the first stands in their folders' names alone."""


def schema(table: Table) -> Any:
    """The Arrow schema of a table; each field carries its meaning and unit."""
    return pa.schema(
        [
            pa.field(
                c.name,
                ARROW[c.kind],
                nullable=bool(c.missing),
                metadata={"meaning": c.meaning, **({"unit": c.unit} if c.unit else {})},
            )
            for c in table.columns
        ],
        metadata={"table": table.name, "meaning": table.meaning},
    )


def part_schema(table: Table) -> Any:
    """That of one partition, whose folder says whose rows they are."""
    whole = schema(table)
    return whole.remove(whole.get_field_index(PERSON)) if table.moment else whole
