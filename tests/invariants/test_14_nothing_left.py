"""After an erasure no byte of the person lies in database, write-ahead log, journal, free pages or key store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from tests import lives
from tests.builders import NOW
from tests.invariants import held
from tests.invariants.canaries import search
from tests.invariants.conftest import Tell
from tests.lives import lived
from tracker.access import Access
from tracker.domain.people import Person
from tracker.workflows import erasure

LATER = NOW + timedelta(minutes=1)
NAME = "canary-name-91c2"


def canaries(who: Person) -> dict[str, bytes]:
    """Whatever of the person has a form of its own: ids, name, words, sources, notes, pictures."""
    words = {
        "participant": who.id,
        "subject": who.subject,
        "name": NAME,
        "place": lives.PLACE,
        "source": lives.SOURCE[:24],
        "note": lives.NOTE,
        "slot": f"slot-{(NOW - timedelta(minutes=40)):%d%H%M}",
    }
    return {key: word.encode() for key, word in words.items()} | {
        "face": lives.FACE[:24],
        "film": lives.FILM[:24],
    }


def test_no_byte_of_a_life_is_left(access: Access, tmp_path: Path, figure: Tell) -> None:
    lived_rows = {}
    who = lived(access, NAME)
    needles = canaries(who)
    needles |= sealed_of(access, who)
    lived_rows = held.counts(access)
    before = [
        hit
        for name, some in (held.database_bytes(access) | held.key_store_bytes(access)).items()
        for hit in search(name, some, needles)
    ]
    # What is sealed is in no file from the beginning; the rest must be seen, or nothing is shown by its absence.
    seen = {hit.canary for hit in before}
    assert {"participant", "subject", "place", "source"} <= seen
    assert not {"name", "note", "face", "film"} & seen
    erasure.erase_person(access, who, LATER)
    files = held.database_bytes(access) | held.key_store_bytes(access)
    after = [hit for name, some in files.items() for hit in search(name, some, needles)]
    assert after == []
    assert not held.naming(held.rows(access), who.id, who.subject)
    beside = [p for p in tmp_path.rglob("*") if p.is_file() and p.name not in files]
    assert [hit for p in beside for hit in search(p.name, p.read_bytes(), needles)] == []
    size = sum(map(len, files.values()))
    figure(
        f"{sum(lived_rows.values())} rows, {len(needles)} canaries, {len(before)} hits before, "
        f"{len(after)} after in {len(files)} files of {size / 1e6:.1f} MB"
    )


def sealed_of(access: Access, who: Person) -> dict[str, bytes]:
    """A piece of each ciphertext of the person: sealed bytes are to be gone too."""
    found = {}
    with access.database.read() as connection:
        for table, where in (
            ("participants", f"id = '{who.id}'"),
            ("consent_events", f"participant = '{who.id}'"),
            ("access_events", f"participant = '{who.id}'"),
            ("crops", f"subject = '{who.subject}'"),
            ("frames", f"subject = '{who.subject}'"),
            ("push_devices", f"subject = '{who.subject}'"),
            ("notes", f"subject = '{who.subject}'"),
        ):
            for row in connection.execute(text(f"SELECT * FROM {table} WHERE {where}")).mappings():
                for name, value in row.items():
                    if isinstance(value, bytes | memoryview) and len(value) >= 16:
                        found[f"{table}.{name} {len(found)}"] = bytes(value)[:16]
    return found


def test_beside_somebody_else_too(access: Access) -> None:
    """Pages that both have rows on keep none of the one who left."""
    lived(access, "somebody else")
    who = lived(access, NAME)
    needles = {"participant": who.id.encode(), "subject": who.subject.encode(), "name": NAME.encode()}
    needles |= sealed_of(access, who)
    erasure.erase_person(access, who, LATER)
    files = held.database_bytes(access) | held.key_store_bytes(access)
    assert [hit for name, some in files.items() for hit in search(name, some, needles)] == []
