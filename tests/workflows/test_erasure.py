import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from tests.builders import NOW, installation, observed, store
from tests.lives import PLACE, SOURCE, lived
from tests.postgres import Server
from tests.processes import close, die_at, finish, opened, start
from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person, UnknownParticipantError
from tracker.store import (
    compacting,
    erasing,
    exports,
    extents,
    feedback,
    learned,
    snapshots,
    tables,
    timeline,
    tombstones,
)
from tracker.store.tombstones import Step
from tracker.workflows import consenting, erasure
from tracker.workflows.erasure import lineage
from tracker.workflows.erasure.whose import Whose

LATER = NOW + timedelta(minutes=1)


def rows(access: Access, who: Person) -> dict[str, int]:
    with access.database.read() as connection:
        return erasing.left_of_person(connection, who.subject, who.id)


def left_of(unit: Unit, scope: Scope) -> dict[str, int]:
    rows = lineage.extents(scope)
    return extents.left_of_extents(unit.connection, unit.person.subject, unit.person.id, rows)


def everything(access: Access) -> dict[str, list[tuple[object, ...]]]:
    with access.database.read() as connection:
        return {
            t.name: sorted(map(tuple, connection.execute(t.select())), key=repr)
            for t in tables.metadata.sorted_tables
        }


def bytes_left(access: Access, *needles: str) -> list[str]:
    """Which files still hold any of the needles, after everything was written out."""
    files = list(compacting.files_of(access.keys.path))
    if access.database.path is not None:
        files += compacting.files_of(access.database.path)
    return compacting.traces(files, [needle.encode() for needle in needles])


def test_a_life_has_rows_in_every_table_of_a_person(access: Access) -> None:
    who = lived(access)
    assert set(rows(access, who)) == {t.name for t in erasing.owned("s", "p")}


def test_every_table_is_a_persons_or_holds_nobody() -> None:
    nobody = {
        *("consent_log", "access_log", "notices", "studies", "installation"),
        *("exports", "priors", "releases", "tombstones", "leases"),
        *("members", "member_roles", "rater_consents", "rater_settings"),
    }
    assert {t.name for t in erasing.owned("s", "p")} | nobody == set(tables.metadata.tables)


def test_children_are_deleted_before_their_parents() -> None:
    order = [t.name for t in erasing.owned("s", "p")]
    for table in erasing.owned("s", "p"):
        for key in table.foreign_keys:
            parent = key.column.table.name
            if parent in order and parent != table.name:
                assert order.index(table.name) < order.index(parent)


def test_an_erased_person_is_gone_and_only_they_are(access: Access) -> None:
    other = lived(access, "someone else")
    before = everything(access)
    who = lived(access)
    done = erasure.erase_person(access, who, LATER)
    assert rows(access, who) == {}
    assert not access.keys.has(who.id)
    assert bytes_left(access, who.id, who.subject, PLACE + "x") == []
    with pytest.raises(UnknownParticipantError):
        access.person(who.name)
    assert [p.id for p in access.everyone()] == [other.id]
    after = everything(access)
    for name in {t.name for t in erasing.owned("s", "p")} - {"participants"}:
        assert after[name] == before[name], name
    # Names are found by digests under a new key from now on, and nothing else is new.
    digest = list(tables.participants.c.keys()).index("name_digest")
    assert [[v for i, v in enumerate(row) if i != digest] for row in after["participants"]] == [
        [v for i, v in enumerate(row) if i != digest] for row in before["participants"]
    ]
    assert done.counts["observations"] == 31
    assert done.keys == 5
    assert done.exports == 1
    assert access.audit() is None


def test_the_bytes_of_the_last_person_are_gone_from_every_file(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    who = lived(access)
    assert bytes_left(access, PLACE) != []
    erasure.erase_person(access, who, LATER)
    assert bytes_left(access, who.id, who.subject, who.name, PLACE, SOURCE, "slot-") == []


def test_what_is_left_says_nothing_about_the_person(access: Access) -> None:
    who = lived(access)
    done = erasure.erase_person(access, who, LATER)
    said = repr(done) + repr(done.as_dict()) + " ".join(done.sentences())
    for secret in (who.id, who.subject, who.name, PLACE):
        assert secret not in said
    with access.database.read() as connection:
        (tombstone,) = tombstones.every(connection)
    assert tombstone.step is Step.DONE
    assert tombstone.pending == b""
    assert tombstone.erased_at == LATER
    for secret in (who.id, who.subject, who.name):
        assert secret not in repr(tombstone)
    assert not access.keys.has(tombstone.id)


def test_erasing_again_changes_nothing(access: Access) -> None:
    who = lived(access)
    first = erasure.erase_person(access, who, LATER)
    before = everything(access)
    assert erasure.erase_person(access, who, LATER + timedelta(hours=1)) == first
    assert erasure.resume(access, LATER) == []
    assert everything(access) == before


def test_a_name_can_be_enrolled_again_and_is_somebody_new(access: Access) -> None:
    who = lived(access)
    erasure.erase_person(access, who, LATER)
    again = lived(access)
    assert again.id != who.id
    assert again.subject != who.subject
    erasure.erase_person(access, again, LATER)
    assert access.audit() is None


def test_an_export_that_held_the_person_is_outdated(access: Access) -> None:
    who = lived(access)
    export = f"export-{who.id[:8]}"
    erasure.erase_person(access, who, LATER)
    with access.database.read() as connection:
        row = exports.get(connection, export)
        assert row is not None
        assert row.outdated_at == LATER
        assert exports.members(connection, export) == set()


def test_a_key_made_while_the_keys_were_destroyed_goes_too(access: Access) -> None:
    who = lived(access)
    keep, shred, *others = erasure.STEPS

    def shred_and_be_raced(*args: object) -> None:
        shred(*args)  # type: ignore[arg-type]
        access.vault.seal(who.id, "identity", b"late", "somewhere")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasure.steps, "STEPS", (keep, shred_and_be_raced, *others))
        erasure.erase_person(access, who, LATER)
    assert not access.keys.has(who.id)


def test_while_an_old_state_is_being_read_it_is_not_called_done(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = lived(access)
    close(access)
    monkeypatch.setattr(compacting.compact, "__kwdefaults__", {"patience_s": 0.2})
    with access.database.read() as reading:
        reading.execute(text("SELECT count(*) FROM observations")).scalar_one()
        with pytest.raises(erasure.ErasureIncompleteError, match="run the same command again"):
            erasure.erase_person(access, who, LATER)
        with access.database.read() as connection:
            assert [t.step for t in tombstones.every(connection)] == [Step.EMPTIED]
    assert [e.counts["observations"] for e in erasure.resume(access, LATER)] == [31]
    assert bytes_left(access, who.id, who.subject) == []


def test_bytes_that_stayed_are_noticed(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    who = lived(access)
    assert access.database.path is not None
    journal = access.database.path.with_name(access.database.path.name + "-journal")
    journal.write_bytes(b"x" * 1_048_570 + who.subject.encode())  # across the end of a chunk
    with pytest.raises(erasure.ErasureIncompleteError, match="journal"):
        erasure.erase_person(access, who, LATER)
    journal.unlink()
    assert len(erasure.resume(access, LATER)) == 1


def erase_and_die(url: str, folder: Path, name: str, point: int) -> None:
    access = opened(url, folder)
    who = access.person(name)
    die_at(access, point)
    erasure.erase_person(access, who, LATER)


def erase_scope_and_die(url: str, folder: Path, name: str, point: int) -> None:
    access = opened(url, folder)
    who = access.person(name)
    die_at(access, point)
    erasure.erase_scope(access, who, Scope.CONTEXT, LATER)


Fresh = Callable[[int], tuple[str, Path]]


@pytest.fixture
def fresh(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> Iterator[tuple[Fresh, Person, Person]]:
    """Copies of one installation with two people, as many as wanted."""
    folder = tmp_path / "template"
    folder.mkdir()
    sqlite = database_url.startswith("sqlite")
    url = f"sqlite:///{folder / 'affect.db'}" if sqlite else database_url
    access = installation(url, folder)
    other, who = lived(access, "someone else"), lived(access)
    compacting.checkpoint(access.database)
    close(access)
    made: list[str] = []

    def copy(number: int) -> tuple[str, Path]:
        here = tmp_path / f"copy{number}"
        shutil.copytree(folder, here)
        if sqlite:
            return f"sqlite:///{here / 'affect.db'}", here
        server: Server = request.getfixturevalue("postgres_server")
        template = make_url(url).database
        made.append(f"{template}_{number}")
        server.execute(f'CREATE DATABASE "{made[-1]}" TEMPLATE "{template}"')
        return server.url(made[-1]), here

    yield copy, who, other
    for name in made:
        request.getfixturevalue("postgres_server").execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.privacy
def test_killed_at_any_step_it_is_finished_by_the_next(fresh: tuple[Fresh, Person, Person]) -> None:
    copy, who, other = fresh
    killed = 0
    for point in range(1, 200):
        url, folder = copy(point)
        (code,) = finish(start(erase_and_die, url, folder, who.name, point))
        access = opened(url, folder)
        with access.database.read() as connection:
            begun = bool(tombstones.every(connection))
        if not begun:
            assert access.person(who.name).id == who.id  # nothing had happened yet
            erasure.erase_person(access, who, LATER)
        if code == 0:
            assert erasure.resume(access, LATER) == []
        assert access.audit() is None
        erasure.resume(access, LATER)
        assert rows(access, who) == {}
        assert bytes_left(access, who.id, who.subject) == []
        assert access.audit() is None
        assert access.keys.owners("erasing") - {access.tombstone_of(who.id)} == set()
        assert [p.id for p in access.everyone()] == [other.id]
        with access.database.read() as connection:
            (tombstone,) = tombstones.every(connection)
        assert tombstone.step is Step.DONE
        assert tombstone.rows["observations"] == 31
        close(access)
        if code == 0:
            break
        killed += 1
    assert code == 0
    assert killed >= 15


@pytest.mark.privacy
def test_killed_while_a_scope_is_erased_the_jobs_finish_it(fresh: tuple[Fresh, Person, Person]) -> None:
    copy, who, _ = fresh
    for point in range(1, 100):
        url, folder = copy(point)
        (code,) = finish(start(erase_scope_and_die, url, folder, who.name, point))
        access = opened(url, folder)
        with access.read(who.id, LATER) as unit:
            asked = code != 0 and bool(left_of(unit, Scope.CONTEXT))
        done = erasure.carry_out(access, LATER)
        with access.read(who.id, LATER) as unit:
            left = left_of(unit, Scope.CONTEXT)
        assert not left or (asked and not done), "rows are left although the wish was kept"
        close(access)
        if code == 0:
            break
    assert code == 0


SCOPES_WITH_ROWS = (
    Scope.AFFECT_SERIES,
    Scope.CONTEXT,
    Scope.PROMPTS,
    Scope.PERSONAL_LEARNING,
    Scope.POOLED_LEARNING,
    Scope.FACE_CROPS,
    Scope.RAW_VIDEO,
    Scope.NOTES,
    Scope.SHARE_WITH_RATERS,
)
RATED = {"rating_tasks", "rating_votes", "rating_traces", "rating_gold", "adjudications"}


@pytest.mark.parametrize("scope", SCOPES_WITH_ROWS)
def test_erasing_a_scope_leaves_the_others_alone(access: Access, scope: Scope) -> None:
    who = lived(access)
    before = rows(access, who)
    with access.read(who.id, LATER) as unit:
        others = {s: left_of(unit, s) for s in SCOPES_WITH_ROWS if s is not scope}
    done = erasure.erase_scope(access, who, scope, LATER)
    assert done.counts
    with access.read(who.id, LATER) as unit:
        assert left_of(unit, scope) == {}
        replayed = personal.replay(unit)
    assert replayed is None or replayed.equal
    gone = {
        Scope.AFFECT_SERIES: {
            "observations",
            "estimates",
            "summaries",
            "learning_events",
            "snapshots",
            "drifts",
            "crops",
            "frames",
            "notes",
            *RATED,
        },
        Scope.CONTEXT: {"contexts"},
        Scope.PROMPTS: {"prompts", "zones", "push_devices", "push_messages"},
        Scope.PERSONAL_LEARNING: {"learning_events", "snapshots", "drifts"},
        Scope.POOLED_LEARNING: {"prior_members"},
        Scope.FACE_CROPS: {"crops"},
        Scope.RAW_VIDEO: {"frames"},
        Scope.NOTES: {"notes"},
        Scope.SHARE_WITH_RATERS: RATED,
    }[scope]
    after = rows(access, who)
    # What programs were answered can hold copies of anything, so it goes with whatever goes.
    assert set(before) - set(after) == gone | {"repeats"}
    del others
    assert access.audit() is None


def test_answers_to_prompts_outlive_the_series_and_corrections_the_prompts(access: Access) -> None:
    who = lived(access)
    erasure.erase_scope(access, who, Scope.AFFECT_SERIES, LATER)
    assert rows(access, who)["corrections"] == 2
    erasure.erase_scope(access, who, Scope.PROMPTS, LATER)
    assert "corrections" not in rows(access, who)


def test_what_an_erased_answer_had_replaced_stands_again(access: Access) -> None:
    who = lived(access)

    def standing() -> list[object]:
        with access.read(who.id, LATER) as unit:
            found = feedback.standing_corrections(
                unit.connection, who.subject, NOW - timedelta(days=1), LATER
            )
        return [c.distribution.top.value for c in found if c.distribution is not None]

    assert standing() == ["fear", "surprise", "happiness"]
    erasure.erase_scope(access, who, Scope.PROMPTS, LATER)
    assert standing() == ["fear", "neutral"]


def test_an_erased_context_leaves_features_and_learner(access: Access) -> None:
    who = lived(access)

    def known() -> str:
        with access.database.read() as connection:
            learned = connection.execute(tables.learning_events.select()).all()
            kept = connection.execute(tables.snapshots.select()).all()
        return repr((learned, kept))

    assert PLACE in known()
    erasure.erase_scope(access, who, Scope.CONTEXT, LATER)
    assert PLACE not in known()
    if access.database.is_sqlite:
        assert bytes_left(access, PLACE) == []
    with access.read(who.id, LATER) as unit:
        replayed = personal.replay(unit)
    assert replayed is not None
    assert replayed.equal
    assert replayed.events > 0


def test_a_learner_after_an_erasure_is_one_that_never_saw_it(access: Access, tmp_path: Path) -> None:
    who = lived(access)
    erasure.erase_scope(access, who, Scope.PROMPTS, LATER)
    with access.read(who.id, LATER) as unit:
        live = snapshots.latest(unit.connection, who.subject, "emotion")
        events = learned.learned_since(unit.connection, who.subject, "emotion", NOW - timedelta(days=30))
    assert live is not None
    assert not any(e.prompted for e in events)
    standing = [e for e in events if e.ended_at is None]
    assert len(standing) == 2


def test_a_new_snapshot_never_takes_the_number_of_an_erased_one(access: Access) -> None:
    who = lived(access)
    with access.read(who.id, LATER) as unit:
        old = snapshots.latest(unit.connection, who.subject, "emotion")
    consenting.withdraw(access, who, [Scope.PERSONAL_LEARNING], LATER, recorder=Recorder.PARTICIPANT)
    erasure.erase_scope(access, who, Scope.CONTEXT, LATER)
    consenting.grant(access, who, [Scope.PERSONAL_LEARNING], LATER, recorder=Recorder.PARTICIPANT)
    with access.write(who.id, LATER) as unit:
        new = personal.current(unit)
    assert old is not None
    assert new is not None
    assert new.snapshot.id > old.id


def test_a_scope_without_rows_is_erased_at_once(access: Access) -> None:
    who = lived(access)
    consenting.withdraw(
        access,
        who,
        [Scope.SHARE_WITH_RESEARCHERS],
        LATER,
        recorder=Recorder.PARTICIPANT,
        answer=consenting.Answer.ERASE_SCOPE,
    )
    before = rows(access, who)
    (done,) = erasure.carry_out(access, LATER)
    assert done.counts == {}
    after = rows(access, who)
    assert after.pop("erasure_requests") == before.pop("erasure_requests") - 1
    del before["repeats"]
    assert after == before


def test_erasing_a_granted_scope_does_not_end_the_grant(access: Access) -> None:
    who = lived(access)
    erasure.erase_scope(access, who, Scope.AFFECT_SERIES, LATER)
    assert store(access, who, [observed(NOW)], LATER).observations == 1


def test_what_is_due_is_carried_out_and_nothing_before(access: Access) -> None:
    who, other = lived(access), lived(access, "someone else")
    consenting.withdraw(access, who, [Scope.CONTEXT], NOW, recorder=Recorder.PARTICIPANT)
    consenting.withdraw(
        access, other, [Scope.PROMPTS], NOW, recorder=Recorder.PARTICIPANT, answer=consenting.Answer.KEEP
    )
    assert erasure.carry_out(access, NOW + timedelta(days=6, hours=23)) == []
    done = erasure.carry_out(access, NOW + timedelta(days=7))
    assert {d.scope for d in done} == {Scope.CONTEXT, Scope.EXPORT_PUBLIC}
    assert "contexts" not in rows(access, who)
    assert rows(access, other)["prompts"] == 2
    assert erasure.carry_out(access, NOW + timedelta(days=8)) == []


def test_erase_all_erases_the_person(access: Access) -> None:
    who = lived(access)
    consenting.withdraw(
        access, who, [Scope.NOTES], NOW, recorder=Recorder.PARTICIPANT, answer=consenting.Answer.ERASE_ALL
    )
    (done,) = erasure.carry_out(access, NOW)
    assert done.scope is None
    assert rows(access, who) == {}


def test_one_erasure_that_cannot_finish_holds_up_no_other(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, who = lived(access, "stuck"), lived(access)
    for person in (stuck, who):
        consenting.withdraw(
            access,
            person,
            [Scope.NOTES],
            NOW,
            recorder=Recorder.PARTICIPANT,
            answer=consenting.Answer.ERASE_ALL,
        )
    look = erasure.steps.look

    def never_for_the_first(a: Access, t: tombstones.Tombstone, whose: Whose, now: object) -> None:
        if whose.participant == stuck.id:
            raise erasure.ErasureIncompleteError("a key is left")
        look(a, t, whose, NOW)

    monkeypatch.setattr(
        erasure.steps, "STEPS", tuple(never_for_the_first if s is look else s for s in erasure.STEPS)
    )
    with pytest.raises(erasure.ErasureIncompleteError):
        erasure.carry_out(access, NOW)
    with access.database.read() as connection:
        steps = {t.id: t.step for t in tombstones.every(connection)}
    assert sorted(steps.values()) == [Step.DONE, Step.EMPTIED]


def test_timeline_of_others_is_untouched_by_an_erasure(access: Access) -> None:
    other = lived(access, "someone else")

    def series() -> list[object]:
        with access.read(other.id, LATER) as unit:
            return list(timeline.readings(unit.connection, other.subject, None, None))

    before = series()
    erasure.erase_person(access, lived(access), LATER)
    assert series() == before
