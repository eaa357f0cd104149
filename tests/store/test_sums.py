"""A sum without its rows is refused by the database itself, and so is one that grows while nothing is granted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from tests.builders import NOW, installation, observed, person, store
from tests.processes import close
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.stretches import Stretch
from tracker.store.database import StatementError
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.summaries import BUCKET, bucket_of
from tracker.store.tables import summaries
from tracker.workflows import consenting, erasure

AT = bucket_of(NOW) - 4 * BUCKET


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


@pytest.fixture
def ada(access: Access) -> Person:
    who = person(access)
    store(access, who, [observed(AT + timedelta(minutes=m)) for m in (0, 5, 14, 16)])
    return who


def sums(access: Access, who: Person) -> dict[Any, int]:
    query = select(summaries.c.bucket, summaries.c.n).where(summaries.c.subject == who.subject)
    with access.database.read() as connection:
        return {row.bucket: row.n for row in connection.execute(query.order_by(summaries.c.bucket))}


def write(access: Access, statement: Any) -> None:
    with access.database.write() as connection:
        connection.execute(statement)


def entry(who: Person, bucket: Any, series: str = "machine") -> Any:
    return insert(summaries).values(
        subject=who.subject, bucket=bucket, series=series, n=1, **dict.fromkeys(EMOTION_COLUMNS, 0.125)
    )


def test_what_the_program_stores_has_its_sums(access: Access, ada: Person) -> None:
    assert sums(access, ada) == {AT: 3, AT + BUCKET: 1}
    store(access, ada, [observed(AT + timedelta(minutes=m)) for m in (1, 29)])
    assert sums(access, ada) == {AT: 4, AT + BUCKET: 2}


@pytest.mark.parametrize("quarters", [-1, 2])
def test_no_sum_stands_where_no_row_does(access: Access, ada: Person, quarters: int) -> None:
    with pytest.raises(StatementError, match="no row of that quarter hour"):
        write(access, entry(ada, AT + quarters * BUCKET))
    bob = person(access, "bob")
    with pytest.raises(StatementError, match="no row of that quarter hour"):
        write(access, entry(bob, AT))
    write(access, entry(ada, AT + BUCKET, "personal"))


def test_no_sum_grows_once_it_is_withdrawn(access: Access, ada: Person) -> None:
    mine = summaries.c.subject == ada.subject
    write(access, update(summaries).where(mine).values(n=summaries.c.n + 1))
    consenting.withdraw(access, ada, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    with pytest.raises(StatementError, match="no grant that stands"):
        write(access, update(summaries).where(mine).values(n=summaries.c.n + 1))
    write(access, update(summaries).where(mine).values(n=summaries.c.n - 1))
    assert sums(access, ada) == {AT: 3, AT + BUCKET: 1}


def test_what_goes_after_a_withdrawal_leaves_true_sums(access: Access, ada: Person) -> None:
    consenting.withdraw(
        access,
        ada,
        [Scope.AFFECT_SERIES],
        NOW,
        recorder=Recorder.PARTICIPANT,
        answer=consenting.Answer.KEEP,
    )
    first = Stretch(AT + timedelta(minutes=4), AT + timedelta(minutes=6))
    assert erasure.erase_stretch(access, ada, first, NOW).rows >= 2
    assert sums(access, ada) == {AT: 2, AT + BUCKET: 1}
    write(access, delete(summaries).where(summaries.c.subject == ada.subject))
