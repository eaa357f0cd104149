"""Exactly the rows whose scopes were in force at the export's instant and still are: against plain SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.builders import ALL, NOW, installation, person
from tests.workflows.exported import DAY, MINUTE, TABLES, fill, manifest, read, someone
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.domain.instants import InstantError
from tracker.domain.people import Person, UnknownParticipantError
from tracker.store.types import to_microseconds
from tracker.workflows import consenting, enrolment
from tracker.workflows.export import NothingToExportError, export_dataset

BASE = (Scope.AFFECT_SERIES, Scope.PERSONAL_LEARNING, Scope.CONTEXT, Scope.PROMPTS)
NEEDED = {
    "observations": {Scope.AFFECT_SERIES},
    "contexts": {Scope.AFFECT_SERIES, Scope.CONTEXT},
    "prompts": {Scope.PROMPTS},
    "corrections": {Scope.AFFECT_SERIES},
    "answers": {Scope.PROMPTS},
    "estimates": {Scope.AFFECT_SERIES},
    "learner": {Scope.AFFECT_SERIES, Scope.PERSONAL_LEARNING},
}
SQL = {
    "observations": 'select "at" as t, recorded_at as r from observations where subject = :s',
    "contexts": 'select "at" as t, recorded_at as r from contexts where subject = :s',
    "prompts": "select scheduled_at as t, recorded_at as r from prompts where subject = :s",
    "corrections": 'select "at" as t, recorded_at as r from corrections '
    "where subject = :s and prompt is null",
    "answers": 'select "at" as t, recorded_at as r from corrections '
    "where subject = :s and prompt is not null",
    "estimates": 'select o."at" as t, e.recorded_at as r from estimates e join observations o on o.id = '
    "e.observation where o.subject = :s and e.snapshot = 0",
    "learner": 'select o."at" as t, e.recorded_at as r from estimates e join observations o on o.id = '
    "e.observation where o.subject = :s and e.snapshot > 0",
}


@contextmanager
def opened(url: str, folder: Path) -> Iterator[Access]:
    access = installation(url, folder)
    try:
        yield access
    finally:
        access.database.close()
        access.keys.close()


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    with opened(database_url, tmp_path) as found:
        yield found


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    with opened(sqlite_url, tmp_path) as found:
        yield found


def expected(access: Access, who: Person, at: datetime) -> dict[str, list[datetime]]:
    """What an export at an instant should hold of a person, straight from the tables of a SQLite file."""
    found = {}
    with access.database.read() as connection:
        for kind, query in SQL.items():
            since = max(
                _since(access, connection, who, kind, to_microseconds(at)),
                _since(access, connection, who, kind, 2**62),
            )
            rows = connection.execute(text(f"{query} order by 1"), {"s": who.subject}).all()
            found[kind] = [_instant(t) for t, r in rows if r <= to_microseconds(at) and t >= since]
    return found


def _since(access: Access, connection: object, who: Person, kind: str, until: int) -> int:
    """From when on a kind may be exported, from the sealed events themselves, opened one by one."""
    query = "select seq, sealed from consent_events where participant = :p and recorded_at <= :u order by seq"
    rows = connection.execute(text(query), {"p": who.id, "u": until}).all()  # type: ignore[attr-defined]
    last: dict[str, dict[str, str]] = {}
    for row in rows:
        plain = access.vault.open(who.id, "identity", row.sealed, f"consent_events.sealed|{row.seq}")
        said = json.loads(plain)
        last[said["scope"]] = said
    starts = []
    for scope in {Scope.EXPORT_PSEUDONYMOUS, *NEEDED[kind]}:
        said = last.get(scope.value, {"state": "never"})
        allowed = said["state"] in ("given", "renewed") and said["recorder"] == "participant"
        starts.append(to_microseconds(datetime.fromisoformat(said["covers_from"])) if allowed else 2**62)
    return max(starts)


def _instant(microseconds: int) -> datetime:
    return datetime.fromtimestamp(0, NOW.tzinfo) + timedelta(microseconds=microseconds)


def held(folder: Path) -> dict[str, list[datetime]]:
    """What an export holds, by the same kinds."""
    rows = {table: read(folder, table) for table in TABLES}
    return {
        "observations": [r["at"] for r in rows["observations"]],
        "contexts": [r["at"] for r in rows["contexts"]],
        "prompts": [r["scheduled_at"] for r in rows["prompts"]],
        "corrections": [r["at"] for r in rows["corrections"] if r["target"] == "emotion"],
        "answers": [r["at"] for r in rows["corrections"] if r["target"] != "emotion"],
        "estimates": [r["at"] for r in rows["estimates"] if r["source"] == "network"],
        "learner": [r["at"] for r in rows["estimates"] if r["source"] == "learner"],
    }


@pytest.mark.parametrize("gone", [*BASE, Scope.EXPORT_PSEUDONYMOUS])
def test_a_withdrawn_scope_takes_its_rows_along_and_no_others(
    access: Access, tmp_path: Path, gone: Scope
) -> None:
    someone(access, "ada", tuple(s for s in ALL if s is not gone))
    if gone is Scope.EXPORT_PSEUDONYMOUS:
        with pytest.raises(NothingToExportError, match="1 export_pseudonymous not in force"):
            export_dataset(access, tmp_path / "out", NOW)
        assert not (tmp_path / "out").exists()
        return
    result = export_dataset(access, tmp_path / "out", NOW)
    empty = {kind for kind, scopes in NEEDED.items() if gone in scopes}
    assert {kind for kind, rows in held(result.folder).items() if not rows} == empty
    assert set(result.excluded_rows) == {f"{t}: scope not in force" for t in {_table(kind) for kind in empty}}
    assert manifest(result.folder)["excluded_rows"] == result.excluded_rows
    if gone is Scope.AFFECT_SERIES:
        # An answer to a prompt stands on its own: the observation near it is not pointed to.
        assert {r["observation"] for r in read(result.folder, "corrections")} == {None}


def _table(kind: str) -> str:
    return {"learner": "estimates", "answers": "corrections"}.get(kind, kind)


def test_an_operators_record_exports_nothing_until_the_participant_confirms(
    access: Access, tmp_path: Path
) -> None:
    who = enrolment.enrol(access, "ada", "Europe/Berlin", NOW - DAY).person
    scopes = [*BASE, Scope.EXPORT_PSEUDONYMOUS]
    consenting.grant(
        access,
        who,
        scopes,
        NOW - DAY,
        recorder=Recorder.OPERATOR,
        covers_from=NOW - 2 * DAY,
        evidence="form 1",
    )
    fill(access, who)
    with pytest.raises(NothingToExportError, match="not confirmed by the participant"):
        export_dataset(access, tmp_path / "out", NOW)
    consenting.confirm(access, who, NOW)
    assert export_dataset(access, tmp_path / "out", NOW).rows["observations"] == 15


def test_an_unconfirmed_capture_scope_exports_none_of_its_rows(lite: Access, tmp_path: Path) -> None:
    who = person(lite, "ada", [s for s in ALL if s is not Scope.CONTEXT], now=NOW - DAY)
    consenting.grant(
        lite,
        who,
        [Scope.CONTEXT],
        NOW - DAY,
        recorder=Recorder.OPERATOR,
        covers_from=NOW - 2 * DAY,
        evidence="x",
    )
    fill(lite, who)
    assert export_dataset(lite, tmp_path / "out", NOW).excluded_rows == {"contexts: scope not in force": 1}


def test_rows_before_the_start_of_any_needed_scope_stay_out(access: Access, tmp_path: Path) -> None:
    who = someone(access, "ada")
    later = NOW - 10 * MINUTE
    consenting.withdraw(access, who, [Scope.EXPORT_PSEUDONYMOUS], NOW, recorder=Recorder.PARTICIPANT)
    consenting.grant(
        access, who, [Scope.EXPORT_PSEUDONYMOUS], NOW, recorder=Recorder.PARTICIPANT, covers_from=later
    )
    result = export_dataset(access, tmp_path / "out", NOW)
    assert all(at >= later for rows in held(result.folder).values() for at in rows)
    assert result.rows["observations"] == 10
    assert result.excluded_rows["observations: before covers_from"] == 5
    assert result.excluded_rows["contexts: before covers_from"] == 1
    # The prompt was due too early; its answer was given in time, and points to no prompt.
    assert [r["prompt"] for r in read(result.folder, "corrections")] == [None, None, None]


def test_an_export_of_the_past_holds_what_was_recorded_and_allowed_then(
    access: Access, tmp_path: Path
) -> None:
    who = someone(access, "ada")
    fill(access, who, NOW + DAY, source="b" * 64)
    past = export_dataset(access, tmp_path / "past", NOW + 2 * DAY, at=NOW)
    assert past.rows["observations"] == 15
    assert past.at == NOW
    assert past.rows["prompts"] == 1
    assert [r["state"] for r in read(past.folder, "prompts")] == ["completed"]
    assert export_dataset(access, tmp_path / "now", NOW + 2 * DAY).rows["observations"] == 30
    before = NOW - timedelta(days=3)
    with pytest.raises(NothingToExportError):
        export_dataset(access, tmp_path / "before", NOW, at=before)


def test_consent_given_later_does_not_reach_back_and_withdrawn_later_does(
    access: Access, tmp_path: Path
) -> None:
    ada = someone(access, "ada", tuple(s for s in ALL if s is not Scope.CONTEXT))
    grace = someone(access, "grace")
    later = NOW + DAY
    consenting.grant(
        access, ada, [Scope.CONTEXT], later, recorder=Recorder.PARTICIPANT, covers_from=NOW - 2 * DAY
    )
    consenting.withdraw(access, grace, [Scope.EXPORT_PSEUDONYMOUS], later, recorder=Recorder.PARTICIPANT)
    result = export_dataset(access, tmp_path / "out", later, at=NOW)
    assert result.rows["contexts"] == 0
    assert result.participants == 1
    assert result.excluded_participants == {"export_pseudonymous withdrawn since": 1}


def test_a_withdrawal_recorded_by_a_clock_ahead_of_ours_counts(lite: Access, tmp_path: Path) -> None:
    who = someone(lite, "ada")
    ahead = NOW + 3 * MINUTE
    consenting.withdraw(lite, who, [Scope.EXPORT_PSEUDONYMOUS], ahead, recorder=Recorder.PARTICIPANT)
    with pytest.raises(NothingToExportError):
        export_dataset(lite, tmp_path / "out", NOW)


def test_naive_and_future_instants_and_unknown_people_are_refused(lite: Access, tmp_path: Path) -> None:
    someone(lite, "ada")
    for at in (NOW.replace(tzinfo=None), NOW + DAY):
        with pytest.raises(InstantError):
            export_dataset(lite, tmp_path / "out", NOW, at=at)
    with pytest.raises(UnknownParticipantError, match="'ghost'"):
        export_dataset(lite, tmp_path / "out", NOW, participants=["ada", "ghost"])
    assert list(tmp_path.glob("out*")) == []


@dataclass(frozen=True)
class Said:
    scope: Scope
    given: bool
    hours: int
    covers: int


@pytest.mark.slow
@given(
    st.lists(
        st.builds(
            Said,
            st.sampled_from([*BASE, Scope.EXPORT_PSEUDONYMOUS]),
            st.booleans(),
            st.integers(1, 9),
            st.sampled_from([4, 10, 30, 60]),
        ),
        max_size=6,
    ),
    st.integers(0, 10),
)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_history_of_consent_exports_what_plain_sql_says(history: list[Said], instant: int) -> None:
    with TemporaryDirectory() as name, opened(f"sqlite:///{name}/a.db", Path(name)) as access:
        who = someone(access, "ada")
        fill(access, who, NOW + timedelta(minutes=1), source="b" * 64)
        for said in sorted(history, key=lambda s: s.hours):
            now = NOW + timedelta(hours=said.hours)
            if said.given:
                consenting.grant(
                    access,
                    who,
                    [said.scope],
                    now,
                    recorder=Recorder.PARTICIPANT,
                    covers_from=NOW - said.covers * MINUTE,
                )
            else:
                consenting.withdraw(access, who, [said.scope], now, recorder=Recorder.PARTICIPANT)
        at = NOW + timedelta(hours=instant)
        should = expected(access, who, at)
        try:
            out = export_dataset(access, Path(name) / "out", NOW + timedelta(hours=10), at=at).folder
        except NothingToExportError:
            assert not any(should.values())
        else:
            assert {kind: sorted(rows) for kind, rows in held(out).items()} == should
