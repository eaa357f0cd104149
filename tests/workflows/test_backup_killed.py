"""A restore onto a lost database that is killed at any point: the next one, or whoever opens it next, mends it."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.builders import NOW, observed, person, store
from tests.processes import close
from tests.workflows.test_backup import LATER, backed_up, counts, restored
from tracker.access import Access, placing
from tracker.domain.consent import ConsentMissingError, Recorder, Scope
from tracker.domain.people import Person
from tracker.store.keystore import KeyStore
from tracker.workflows import consenting
from tracker.workflows.backup import restoring

SERIES = Scope.AFFECT_SERIES


def lived_on(access: Access, tmp_path: Path) -> tuple[Person, Path]:
    """Somebody with a backup, after which they withdrew, allowed and withdrew again, and were looked at."""
    who = person(access)
    store(access, who, [observed(NOW)])
    file = backed_up(access, tmp_path)
    for hour in range(1, 4):
        consenting.withdraw(access, who, [SERIES], NOW + timedelta(hours=hour), recorder=Recorder.PARTICIPANT)
        access.record_look(who.id, LATER, reader="operator", what="timeline")
    return who, file


def lose(access: Access) -> None:
    close(access)
    if access.database.path is not None:
        for path in access.database.path.parent.glob(access.database.path.name + "*"):
            path.unlink()
        return
    with access.database.write() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


def killed(access: Access, file: Path, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Bring a backup back, and end before the database is put in place, after that, or between the two logs' ends."""
    with monkeypatch.context() as patched:
        replace = KeyStore.replace_head

        def after_one(self: KeyStore, seq: int, head: str, signature: bytes, log: str = "consent") -> None:
            replace(self, seq, head, signature, log)
            if log == "consent":
                raise KeyboardInterrupt

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        if at == "before":
            patched.setattr(restoring, "_put", die)
        elif at == "after":
            patched.setattr(placing, "settle", die)
        else:
            patched.setattr(KeyStore, "replace_head", after_one)
        with pytest.raises(KeyboardInterrupt):
            restored(access, file, LATER)


def settled(access: Access) -> bool:
    with access.database.read() as connection:
        return placing.settle(connection, access.vault, access.keys)


def everything_is_asked_again(access: Access, who: Person) -> None:
    assert access.audit() is None
    with access.read(who.id, LATER) as unit:
        assert unit.grants() == {}
    with pytest.raises(ConsentMissingError):
        store(access, who, [observed(NOW)], LATER)
    assert counts(access, who)["observations"] == 1
    now = LATER + timedelta(days=1)
    consenting.grant(access, who, [SERIES], now, recorder=Recorder.PARTICIPANT)
    access.record_look(who.id, now, reader="operator", what="timeline")
    assert access.audit() is None


@pytest.mark.parametrize("at", ["before", "after", "between"])
def test_killed_on_the_way_the_next_restore_does_it(
    access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    who, file = lived_on(access, tmp_path)
    lose(access)
    killed(access, file, monkeypatch, at)
    told = restored(access, file, LATER + timedelta(hours=1))
    assert told.problem is None
    everything_is_asked_again(access, who)


@pytest.mark.parametrize("at", ["after", "between"])
def test_killed_after_it_was_put_in_place_whoever_opens_it_next_ends_it(
    access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    who, file = lived_on(access, tmp_path)
    lose(access)
    killed(access, file, monkeypatch, at)
    close(access)
    assert access.audit() is not None
    assert settled(access)
    assert not settled(access)
    everything_is_asked_again(access, who)


def test_a_database_that_is_found_again_keeps_the_end_that_was_signed(
    access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, file = lived_on(access, tmp_path)
    if access.database.path is None:
        pytest.skip("a file is what can be moved away and back")
    close(access)
    away = access.database.path.rename(tmp_path / "away.db")
    killed(access, file, monkeypatch, "before")
    away.rename(access.database.path)
    signed = access.keys.head(), access.keys.head("looks")
    assert not settled(access)
    assert (access.keys.head(), access.keys.head("looks")) == signed
    assert access.keys.head("consent-to-be") is None, (
        "a note that nobody needs any more would lower the ends later"
    )
    assert access.audit() is None
