"""What a participant hides, nobody else reads, counts, exports or learns from; shown again, all of them may."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import NOW, observed, person, store
from tests.personal.saying import PLACE, newest, replayed, talkative
from tests.workflows.exported import fill, read, stored_instants
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.consent import ConsentMissingError, Recorder, Scope, Use
from tracker.domain.instants import InstantError
from tracker.domain.people import Person
from tracker.domain.readers import Reader, Role
from tracker.domain.series import Correction, Prompt
from tracker.domain.stretches import Stretch, any_holds
from tracker.store import aggregating, drifts, exports, glimpses, learned, series
from tracker.store import asked as asked_rows
from tracker.store.feedback import put_prompt
from tracker.workflows import consenting, export, feedback, hiding, prompting, timeline
from tracker.workflows.hiding import HiddenError

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RESEARCHER = Reader("grace", Role.RESEARCHER)


def shown_to_a_researcher(access: Access, who: Person, now: datetime) -> list[datetime]:
    with timeline.looked_at(access, who, now, RESEARCHER) as (_, moments):
        return [moment.at for moment in moments]


STRETCHES = st.lists(
    st.tuples(st.integers(0, 44), st.integers(1, 20)).map(
        lambda pair: Stretch(NOW - pair[0] * MINUTE - pair[1] * MINUTE, NOW - pair[0] * MINUTE)
    ),
    min_size=1,
    max_size=3,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(gaps=STRETCHES)
def test_every_reader_leaves_out_exactly_what_an_independent_query_finds_hidden(
    access: Access, tmp_path_factory: pytest.TempPathFactory, gaps: Sequence[Stretch]
) -> None:
    who = person(access, f"p{len(access.everyone())}", now=NOW - DAY)
    fill(access, who)
    store(access, who, [observed(NOW - 3 * HOUR)])  # an export of nothing at all is refused
    numbers = [hiding.hide(access, who, gap, NOW).number for gap in gaps]
    folder = tmp_path_factory.mktemp("export") / "out"
    export.export_dataset(access, folder, NOW, formats={"parquet"}, participants=[who.name])

    def left(table: str, column: str = "at") -> list[datetime]:
        return [at for at in stored_instants(access, table, who, column) if not any_holds(gaps, at)]

    assert sorted(row["at"] for row in read(folder, "observations")) == left("observations")
    assert sorted(row["at"] for row in read(folder, "contexts")) == left("contexts")
    assert sorted(row["scheduled_at"] for row in read(folder, "prompts")) == left("prompts", "scheduled_at")
    assert {row["at"] for row in read(folder, "corrections")} <= set(left("corrections"))
    assert {row["at"] for row in read(folder, "estimates")} <= set(left("observations"))
    spoken = set(left("observations")) | set(left("corrections"))
    assert set(shown_to_a_researcher(access, who, NOW)) <= spoken
    assert set(left("observations")) <= set(shown_to_a_researcher(access, who, NOW))
    with access.read(who.id, NOW) as unit:
        asked = unit.connection, who.subject, NOW - DAY, NOW
        assert aggregating.observed(*asked) == len(left("observations"))
        assert [g.at for g in glimpses.glimpses(*asked)] == left("observations")
    replayed(access, who)
    for number in set(numbers):
        hiding.show_again(access, who, number, NOW)
    assert set(stored_instants(access, "observations", who)) <= set(shown_to_a_researcher(access, who, NOW))


def test_learners_hold_nothing_of_what_is_hidden_and_learn_it_again_when_it_is_shown(access: Access) -> None:
    who = talkative(access)
    before = {target: newest(access, who, target).sha256 for target in replayed(access, who)}
    held = replayed(access, who)
    away = Stretch(NOW - 3 * DAY, NOW - 2 * DAY)
    done = hiding.hide(access, who, away, NOW)
    assert done.learners == len(held)
    without = replayed(access, who)
    assert all(0 < without[target] < held[target] for target in held)
    hiding.show_again(access, who, done.number, NOW + MINUTE)
    assert replayed(access, who) == held
    assert {target: newest(access, who, target).sha256 for target in held} == before


def test_a_hidden_context_leaves_every_learner(access: Access) -> None:
    who = talkative(access)
    assert any(PLACE in repr(newest(access, who, t).parameters) for t in replayed(access, who))
    said = stored_instants(access, "contexts", who)
    for at in said:
        hiding.hide(access, who, Stretch(at, at + MINUTE), NOW)
    for target in replayed(access, who):
        assert PLACE not in repr(newest(access, who, target).parameters), target


def test_a_hidden_moment_can_be_corrected_and_is_not_learned_from(access: Access) -> None:
    who = talkative(access)
    held = replayed(access, who)
    at = stored_instants(access, "observations", who)[0]
    hiding.hide(access, who, Stretch(at - HOUR, at + HOUR), NOW)
    without = replayed(access, who)
    done = feedback.correct(access, who, Correction(at, "valence", None, 0.5), NOW)
    assert done.hidden
    assert done.machine is None
    assert done.before is None
    assert replayed(access, who) == without
    assert without["valence"] < held["valence"]
    seen = feedback.correct(access, who, Correction(NOW - MINUTE, "valence", None, 0.5), NOW)
    assert not seen.hidden
    assert seen.after is not None


def test_an_earlier_export_is_outdated_and_cannot_be_repeated(access: Access, tmp_path: Path) -> None:
    who = person(access, now=NOW - DAY)
    fill(access, who)
    first = export.export_dataset(access, tmp_path / "first", NOW, formats={"parquet"})
    done = hiding.hide(access, who, Stretch(NOW - 10 * MINUTE, NOW - 5 * MINUTE), NOW + MINUTE)
    assert done.exports == 1
    with access.database.read() as connection:
        found = exports.get(connection, first.id)
    assert found is not None
    assert found.outdated_at is not None
    with pytest.raises(export.WithdrawnError):
        export.export_dataset(access, tmp_path / "again", NOW + 2 * MINUTE, again=first.id)


def test_an_export_made_while_something_was_hidden_is_repeated_as_it_was(
    access: Access, tmp_path: Path
) -> None:
    who = person(access, now=NOW - DAY)
    fill(access, who)
    done = hiding.hide(access, who, Stretch(NOW - 10 * MINUTE, NOW - 5 * MINUTE), NOW)
    later = NOW + MINUTE
    first = export.export_dataset(access, tmp_path / "first", later, formats={"parquet"})
    hiding.show_again(access, who, done.number, later + MINUTE)
    export.export_dataset(access, tmp_path / "again", later + HOUR, again=first.id)
    assert read(tmp_path / "first", "observations") == read(tmp_path / "again", "observations")
    assert len(read(tmp_path / "again", "observations")) < len(stored_instants(access, "observations", who))


def test_hiding_needs_no_grant_and_only_what_has_passed_can_be_hidden(access: Access) -> None:
    who = person(access, scopes=())
    done = hiding.hide(access, who, Stretch(NOW - HOUR, NOW), NOW)
    assert hiding.hide(access, who, Stretch(NOW - HOUR, NOW), NOW).number == done.number
    with access.read(who.id, NOW) as unit:
        assert [row.stretch for row in hiding.hidden(unit)] == [Stretch(NOW - HOUR, NOW)]
    with pytest.raises(InstantError, match="hide what has passed"):
        hiding.hide(access, who, Stretch(NOW, NOW + MINUTE), NOW)
    with pytest.raises(HiddenError):
        hiding.show_again(access, person(access, "other"), done.number, NOW)
    hiding.show_again(access, who, done.number, NOW)
    with pytest.raises(HiddenError):
        hiding.show_again(access, who, done.number, NOW)


def test_a_person_is_told_what_a_stretch_holds(access: Access) -> None:
    who = person(access, now=NOW - DAY)
    fill(access, who)
    with access.read(who.id, NOW) as unit:
        told: Any = hiding.held(unit, Stretch(NOW - 6 * MINUTE, NOW - 4 * MINUTE))
    assert told["observations"] == 2
    assert told["corrections"] == 2
    assert "learning_events" not in told


STAFF_LOOKS = {
    "tracker/workflows/timeline.py": "looked_at, which leaves out what is hidden",
    "tracker/cli/prompting.py": "history_for_staff, which leaves out what is hidden",
    "tracker/cli/saying.py": "how many events a learner holds, and whether they replay",
    "tracker/cli/hiding.py": "where hidden stretches begin and end, for whoever is asked to show one again",
    "tracker/cli/looking.py": "who looked",
    "tracker/workflows/monitoring/cohort.py": "what arrived, without hidden quarter hours: tests/webui/test_monitor.py",
}
"""Everywhere that opens a unit for somebody of the staff, and what it shows: tested here where that could be hidden."""


def test_whoever_opens_a_look_is_known_to_leave_out_what_is_hidden() -> None:
    root = Path(__file__).parents[2]
    found = {
        str(path.relative_to(root))
        for room in ("tracker", "webui")
        for path in (root / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "look"
        and any(word.arg == "reader" for word in node.keywords)
    }
    assert found == set(STAFF_LOOKS)


@pytest.mark.parametrize("role", Role)
def test_staff_see_no_prompt_that_is_hidden_or_from_before_the_grant(access: Access, role: Role) -> None:
    who = person(access, now=NOW - DAY)
    for hour in range(1, 6):
        asked(access, who, NOW - hour * HOUR)
    hid = hiding.hide(access, who, Stretch(NOW - 2 * HOUR, NOW - HOUR), NOW)

    def seen(now: datetime) -> list[int]:
        with access.look(who.id, now, reader="grace", what="what you were asked") as unit:
            past = prompting.history_for_staff(unit, role, NOW - DAY, NOW)
        return [(NOW - one.scheduled_at) // HOUR for one in past]

    assert seen(NOW) == [5, 4, 3, 1]
    with access.read(who.id, NOW) as unit:  # the person sees it all
        assert len(prompting.history(unit, NOW - DAY, NOW)) == 5
    hiding.show_again(access, who, hid.number, NOW)
    assert seen(NOW) == [5, 4, 3, 2, 1]
    consenting.withdraw(access, who, [Scope.PROMPTS], NOW, recorder=Recorder.PARTICIPANT)
    with pytest.raises(ConsentMissingError):
        seen(NOW)
    later, since = NOW + MINUTE, NOW - 3 * HOUR
    consenting.grant(access, who, [Scope.PROMPTS], later, recorder=Recorder.PARTICIPANT, covers_from=since)
    assert seen(later) == [3, 2, 1]


def asked(access: Access, who: Person, at: datetime, *, answered: bool = True) -> int:
    prompt = Prompt(f"day:{at.isoformat()}", at, at, None, None, "notified")
    if answered:
        prompt = replace(prompt, completed_at=at + MINUTE, state="completed", ended_at=at + MINUTE)
    with access.write(who.id, NOW) as unit:
        permit = unit.permit(Use.PROMPT)
        number = put_prompt(unit.connection, permit, who.subject, who.zone, prompt, NOW)
    assert number is not None
    return number


Readers = dict[str, bool]
DUE, SEEN, SAID = NOW - 3 * HOUR, NOW - 2 * HOUR, NOW - HOUR


def told_of_an_answer(access: Access, who: Person) -> Readers:
    """Whether each reader counts the one answer that there is."""
    target = "valence"
    with access.read(who.id, NOW) as unit:
        c, subject, early = unit.connection, who.subject, NOW - DAY
        readers = {
            "mean": aggregating.mean_answer(c, subject, target, early, NOW, early) is not None,
            "past": bool(learned.past(c, subject, target, since=early, at=NOW)),
            "judged": bool(learned.judged(c, subject, target, after=early)),
            "foretold": bool(learned.foretold(c, subject, target, since=early)),
            "asked": bool(asked_rows.judged_answers(c, unit.permit(Use.LEARN), subject, target, since=early)),
        }
    with timeline.looked_at(access, who, NOW, RESEARCHER) as (_, moments):
        readers["staff"] = any(moment.correction is not None for moment in moments)
    return readers | {"learner": replayed(access, who)[target] > 0}


@pytest.mark.parametrize("at", [DUE, SEEN, SAID], ids=["asked", "seen", "said"])
def test_an_answer_is_hidden_with_its_question_with_what_it_speaks_of_and_with_its_moment(
    access: Access, at: datetime
) -> None:
    who = person(access, now=NOW - DAY)
    store(access, who, [observed(SEEN)])
    with access.read(who.id, NOW) as unit:
        near = series.nearest(unit.connection, who.subject, SEEN, MINUTE)
    assert near is not None
    said = (
        Correction(SAID, "valence", None, 0.5),
        Correction(SAID, "emotion", Distribution.said(Emotion.FEAR)),
    )
    for second, word in enumerate(said):
        number = asked(access, who, DUE + timedelta(seconds=second), answered=False)
        done = feedback.correct(access, who, word, NOW, observation=near[0], prompt=number)
        assert done.source is not None
    assert all(told_of_an_answer(access, who).values())
    hid = hiding.hide(access, who, Stretch(at, at + MINUTE), NOW)
    assert not any(told_of_an_answer(access, who).values())
    hiding.show_again(access, who, hid.number, NOW)
    assert all(told_of_an_answer(access, who).values())


def test_a_drift_in_a_hidden_stretch_fades_nothing(access: Access) -> None:
    who = talkative(access)
    at = NOW - 2 * DAY
    with access.write(who.id, NOW) as unit:
        drifts.add(
            unit.connection,
            unit.permit(Use.LEARN),
            who.subject,
            "valence",
            at=at,
            kind="page_hinkley",
            detail={"before": 0.1, "after": 0.9, "answers": 5},
            now=NOW,
        )
        personal.renew_all(unit)
    assert newest(access, who, "valence").faded_before == at
    faded = newest(access, who, "valence").sha256
    hid = hiding.hide(access, who, Stretch(at - MINUTE, at + MINUTE), NOW + MINUTE)
    assert newest(access, who, "valence").faded_before is None
    replayed(access, who)
    hiding.show_again(access, who, hid.number, NOW + MINUTE)
    assert newest(access, who, "valence").faded_before == at
    assert newest(access, who, "valence").sha256 == faded
