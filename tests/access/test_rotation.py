"""New data keys: everything opens at every moment, for those too who were reading and writing all the while."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.builders import ALL, NOW, installation, leaning, observed, person, store
from tests.processes import close, die_at, finish, opened, start
from tracker.access import Access, rotation
from tracker.access.rotation import PURPOSES, RotationUnfinishedError, rotate
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope, Use
from tracker.domain.members import Role
from tracker.domain.people import Person
from tracker.domain.series import Correction
from tracker.domain.tokens import Purpose
from tracker.privacy import datamap
from tracker.privacy.ciphertext import key_id
from tracker.privacy.keys import IDENTITY, KeyUnavailableError
from tracker.store import crops, former, frames, pushing, sealed, tables
from tracker.workflows import accounts, consenting, feedback, repeating, studies, tokens

AT = NOW - timedelta(hours=1)


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def add_crop(access: Access, who: Person, observation: int, number: str) -> None:
    with access.write(who.id, NOW) as unit:
        seal = access.vault.sealer(who.id, Scope.FACE_CROPS.value)
        new = crops.NewCrop(number, observation, AT, seal(b"a face", crops.place(number)))
        crops.append(unit.connection, unit.permit(Use.KEEP_CROPS), who.subject, [new], NOW)


def add_frame(access: Access, who: Person, observation: int, number: str) -> None:
    with access.write(who.id, NOW) as unit:
        said = access.vault.seal(who.id, Scope.RAW_VIDEO.value, b"frame", frames.place(number))
        new = frames.NewFrame(number, observation, AT, said)
        frames.append(unit.connection, unit.permit(Use.KEEP_VIDEO), who.subject, [new], NOW)


def add_device(access: Access, who: Person, number: str) -> None:
    with access.write(who.id, NOW) as unit:
        said = b'{"endpoint": "https://push", "maker": "", "browser": ""}'
        kept = access.vault.seal(who.id, Scope.PROMPTS.value, said, pushing.place(number))
        pushing.add(
            unit.connection, unit.permit(Use.PROMPT), who.subject, number, number * 2, kept, None, NOW
        )


def living(access: Access, name: str = "ada", moments: int = 3) -> Person:
    """Somebody with a row in every column that is sealed."""
    who = person(access, name, ALL)
    access.record_look(who.id, NOW, reader="eve", what="timeline")
    store(access, who, [observed(AT + timedelta(minutes=i)) for i in range(moments)])
    feedback.correct(access, who, Correction(AT, "emotion", leaning(Emotion.ANGER)), NOW, note="dear diary")
    with access.database.read() as connection:
        mine = tables.observations.c.subject == who.subject
        (first, *_) = connection.execute(select(tables.observations.c.id).where(mine)).scalars()
    add_crop(access, who, first, os.urandom(16).hex())
    add_frame(access, who, first, os.urandom(16).hex())
    add_device(access, who, os.urandom(16).hex())
    with access.write(who.id, NOW) as unit:
        number = os.urandom(16).hex()
        kept = access.vault.seal(who.id, IDENTITY, b"before", former.place(number))
        former.add(unit.connection, who.id, [(number, kept)], NOW)
    accounts.new_codes(access, who, NOW)
    tokens.make(
        access, who, [Role.PARTICIPANT], "watch", [Purpose.TIMELINE], studies.in_force(access).id, NOW
    )
    claimed = repeating.claim(access, who, f"of {who.id}", b"asked", NOW)
    assert isinstance(claimed, str)
    assert repeating.keep(access, who, claimed, 201, b"answered", NOW)
    return who


# The staff's values are sealed under keys of their own.
SEALED = {key: c for key, c in datamap.columns().items() if c.sealed and c.ground is not datamap.Ground.STAFF}


def sealed_values(access: Access, who: Person) -> dict[tuple[str, str, object], bytes]:
    with access.database.read() as connection:
        return {
            (c.table, c.name, row): value
            for c in SEALED.values()
            for row, value in sealed.others(connection, c.table, c.name, who.id, who.subject, b"\xff", 999)
        }


def everything(access: Access, who: Person) -> dict[tuple[str, str, object], bytes]:
    """All that is sealed of somebody, opened."""
    found = {}
    for (table, column, row), value in sealed_values(access, who).items():
        ground = datamap.columns()[table, column].ground
        purpose = IDENTITY if ground is datamap.Ground.IDENTITY else ground.value
        found[table, column, row] = access.vault.open(
            who.id, purpose, value, sealed.place(table, column, row)
        )
    return found


def test_every_sealed_column_is_sealed_anew_and_says_the_same(access: Access) -> None:
    ada, bob = living(access), living(access, "bob")
    before, plain = sealed_values(access, ada), everything(access, ada)
    of_bob = sealed_values(access, bob)
    assert {(t, c) for t, c, _ in before} == SEALED.keys()
    old = {purpose: access.keys.of(ada.id, purpose) for purpose in access.keys.purposes(ada.id)}
    done = rotate(access, [ada.id])
    assert (done.people, done.keys, done.values) == (1, len(old), len(before))
    after = sealed_values(access, ada)
    assert after.keys() == before.keys()
    assert {key_id(value) for value in after.values()}.isdisjoint(key_id(value) for value in before.values())
    assert everything(access, ada) == plain
    assert sealed_values(access, bob) == of_bob, "nobody else's changed"
    for purpose, (key,) in old.items():
        (new,) = access.keys.of(ada.id, purpose)
        assert new.id != key.id
    for (table, column, row), value in before.items():
        ground = datamap.columns()[table, column].ground
        purpose = IDENTITY if ground is datamap.Ground.IDENTITY else ground.value
        with pytest.raises(KeyUnavailableError):
            access.vault.open(ada.id, purpose, value, sealed.place(table, column, row))
    assert access.person("ada") == ada
    assert access.audit() is None


def test_one_scope_alone_can_have_a_new_key(access: Access) -> None:
    ada = living(access)
    before = sealed_values(access, ada)
    done = rotate(access, [ada.id], [Scope.NOTES.value])
    assert (done.people, done.keys, done.values) == (1, 1, 1)
    changed = {key for key, value in sealed_values(access, ada).items() if value != before[key]}
    assert {table for table, _, _ in changed} == {"notes"}


def test_it_is_done_in_batches(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = living(access)
    monkeypatch.setattr(rotation, "BATCH", 2)
    plain = everything(access, ada)
    told: list[int] = []
    done = rotate(access, [ada.id], told=told.append)
    assert sum(told) == done.values == len(plain)
    assert max(told) == 2
    assert everything(access, ada) == plain


def test_who_is_being_erased_is_passed_over(access: Access) -> None:
    ada, bob = living(access), living(access, "bob")
    access.vault.destroy(ada.id)
    done = rotate(access, [ada.id, bob.id, "nobody"])
    assert done.people == 1
    assert not access.keys.has(ada.id)


def test_while_somebody_reads_an_older_state_both_keys_stay(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = living(access)
    plain = everything(access, ada)
    checkpoint, compact = rotation.compacting.checkpoint, rotation.compacting.compact
    monkeypatch.setattr(rotation.compacting, "checkpoint", lambda d: checkpoint(d, patience_s=0.2))
    monkeypatch.setattr(rotation.compacting, "compact", lambda d, t: compact(d, t, patience_s=0.2))
    with access.database.read() as connection:
        query = select(tables.notes.c.id, tables.notes.c.sealed)
        ((note, value),) = connection.execute(query).all()
        with pytest.raises(RotationUnfinishedError, match="run the same command again"):
            rotate(access, [ada.id])
        # The reader holds a state from before, and opens it only now.
        words = access.vault.open(ada.id, "notes", value, sealed.place("notes", "sealed", note))
        assert words.startswith(b"dear diary")
        assert connection.execute(query).all() == [(note, value)]
    assert everything(access, ada) == plain
    rotate(access, [ada.id])
    assert {len(access.keys.of(ada.id, p)) for p in PURPOSES} == {0, 1}
    assert everything(access, ada) == plain


def test_what_does_not_open_stops_it_and_keeps_its_key(access: Access) -> None:
    ada = living(access)
    with access.database.write() as connection:
        connection.execute(tables.notes.update().values(sealed=b"\x01damaged"))
    with pytest.raises(KeyUnavailableError, match=r"notes\.sealed"):
        rotate(access, [ada.id])
    assert len(access.keys.of(ada.id, Scope.NOTES.value)) == 2


def test_what_was_sealed_with_the_old_key_and_stored_late_is_sealed_anew_too(access: Access) -> None:
    ada = living(access)
    with access.database.read() as connection:
        mine = tables.observations.c.subject == ada.subject
        late = list(connection.execute(select(tables.observations.c.id).where(mine)).scalars())[-1]
    number = "f" * 32
    old = access.vault.sealer(ada.id, "face_crops")(b"a late face", crops.place(number))
    stored = []

    def store_late(_: int) -> None:
        # Crops come before notes: their turn is over when the last value is told.
        if not stored and len(access.keys.of(ada.id, "notes")) == 2:
            with access.database.read() as connection:
                ((_, value),) = sealed.others(connection, "notes", "sealed", ada.id, ada.subject, b"\xff", 9)
            if key_id(value) == access.vault.renewed(ada.id, "notes")[0]:
                stored.append(number)
                with access.write(ada.id, NOW) as unit:
                    new = crops.NewCrop(number, late, AT, old)
                    crops.append(unit.connection, unit.permit(Use.KEEP_CROPS), ada.subject, [new], NOW)

    rotate(access, [ada.id], told=store_late)
    assert stored
    assert everything(access, ada)["crops", "sealed", number] == b"a late face"
    assert len(access.keys.of(ada.id, "face_crops")) == 1


def rotate_and_die(url: str, folder: Path, participant: str, point: int) -> None:
    access = opened(url, folder)
    die_at(access, point)
    rotate(access, [participant], [IDENTITY, Scope.NOTES.value])
    (folder / "through").touch()


@pytest.mark.privacy
def test_killed_anywhere_everything_opens_and_the_next_run_goes_on(access: Access, tmp_path: Path) -> None:
    ada = living(access)
    plain = everything(access, ada)
    url = access.database.url.render_as_string(hide_password=False)
    killed, point = 0, 1
    while not (tmp_path / "through").exists():
        (code,) = finish(start(rotate_and_die, url, tmp_path, ada.id, point))
        assert code in (0, -signal.SIGKILL), point
        killed += code == -signal.SIGKILL
        assert everything(access, ada) == plain, point
        point += 3
    assert killed > 3
    rotate(access, [ada.id])
    assert everything(access, ada) == plain
    assert {len(access.keys.of(ada.id, p)) for p in PURPOSES} == {0, 1}


def read_on(url: str, folder: Path, participant: str) -> None:
    access = opened(url, folder)
    rounds = 0
    while not (folder / "stop").exists():
        with access.read(participant, NOW) as unit:
            assert unit.person.name == "ada"
            assert len(unit.events) >= len(ALL)
            person, subject = unit.person.id, unit.person.subject
            for row, value in sealed.others(unit.connection, "crops", "sealed", person, subject, b"\xff", 99):
                access.vault.open(person, "face_crops", value, crops.place(row))
        assert access.person("ada").id == participant
        assert [p.id for p in access.everyone()] == [participant]
        rounds += 1
    (folder / f"read{os.getpid()}").write_text(str(rounds))


def write_on(url: str, folder: Path, participant: str) -> None:
    access = opened(url, folder)
    rounds = 0
    while not (folder / "stop").exists():
        who = access.person("ada")
        consenting.grant(access, who, [Scope.NOTES], NOW, recorder=Recorder.PARTICIPANT)
        access.record_look(who.id, NOW, reader="eve", what=f"round {rounds}")
        rounds += 1
    (folder / f"written{os.getpid()}").write_text(str(rounds))


def test_others_read_and_write_all_the_while(access: Access, tmp_path: Path) -> None:
    ada = living(access)
    url = access.database.url.render_as_string(hide_password=False)
    others = [start(read_on, url, tmp_path, ada.id) for _ in range(2)]
    others.append(start(write_on, url, tmp_path, ada.id))
    rotations = 0
    ends = time.monotonic() + 8
    while time.monotonic() < ends and rotations < 12:
        rotate(access, [ada.id])
        rotations += 1
    (tmp_path / "stop").touch()
    assert finish(*others) == [0, 0, 0]
    assert rotations >= 2
    counts = [int(path.read_text()) for path in (*tmp_path.glob("read*"), *tmp_path.glob("written*"))]
    assert len(counts) == 3
    assert min(counts) >= 1
    assert everything(access, ada)
    assert access.audit() is None
    with access.read(ada.id, NOW) as unit:
        assert len(access.looks(unit)) == 1 + counts[-1]
