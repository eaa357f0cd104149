from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import NOW, installation, person
from tests.lives import answered, lived
from tests.processes import close
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import ConsentError, Use
from tracker.domain.series import Context, Correction, Prompt
from tracker.store import chains, feedback, people, snapshots
from tracker.workflows import prompts


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def test_people_come_in_the_order_of_enrolment(access: Access) -> None:
    for name in ("zoe", "ada", "mia"):
        person(access, name, [])
    assert [p.name for p in access.everyone()] == sorted(
        ("zoe", "ada", "mia"), key=lambda n: (NOW, access.person(n).id)
    )
    with access.database.read() as connection:
        assert people.count(connection) == 3
        assert people.zones(connection) == ["Europe/Berlin"]


def test_the_subject_is_linked_to_nobody_in_the_clear(access: Access) -> None:
    who = lived(access)
    with access.database.read() as connection:
        row = people.by_id(connection, who.id)
    assert row is not None
    assert who.subject.encode() not in row.subject_sealed
    assert who.subject not in repr(row)


def test_events_come_back_in_the_logs_order(access: Access) -> None:
    who = person(access)
    with access.database.read() as connection:
        rows = chains.events_of(connection, chains.CONSENT, who.id)
        head = chains.head(connection, chains.CONSENT)
        log = chains.rows(connection, chains.CONSENT)
        assert [e.seq for e in access.events(connection, who.id)] == list(range(1, 13))
    assert [r.seq for r in rows] == list(range(1, 13))
    assert head == (12, log[-1].hash)
    assert len({r.salt for r in rows}) == 12


def test_a_slot_has_one_prompt(access: Access) -> None:
    ada, bob = person(access, "ada"), person(access, "bob")
    prompt = Prompt("2026-03-20-1", NOW, None, None, None, "planned")
    first = prompts.record(access, ada, prompt, NOW)
    assert first is not None
    assert prompts.record(access, ada, prompt, NOW) is None
    assert prompts.record(access, bob, prompt, NOW) not in (None, first)


def test_every_writer_of_feedback_demands_its_own_permit(access: Access) -> None:
    who = person(access)
    answered(access, who, NOW, Emotion.FEAR)
    with access.write(who.id, NOW) as unit:
        c, subject = unit.connection, who.subject

        def context(use: Use) -> None:
            feedback.add_context(c, unit.permit(use), subject, "UTC", Context(NOW, place="x"), NOW)

        def prompt(use: Use) -> None:
            planned = Prompt("s", NOW, None, None, None, "planned")
            feedback.put_prompt(c, unit.permit(use), subject, "UTC", planned, NOW)

        def correction(use: Use) -> None:
            said = Correction(NOW, "valence", None, value=0.5)
            feedback.add_correction(c, unit.permit(use), subject, "UTC", said, NOW, observation=None)

        asked = Prompt("asked", NOW, NOW, NOW, None, "planned")
        number = feedback.put_prompt(c, unit.permit(Use.PROMPT), subject, "UTC", asked, NOW)

        def answer(use: Use) -> None:
            said = Correction(NOW, "valence", None, value=0.5)
            feedback.add_correction(
                c, unit.permit(use), subject, "UTC", said, NOW, observation=None, prompt=number
            )

        def snapshot(use: Use) -> None:
            snapshots.add(
                c,
                unit.permit(use),
                subject,
                "emotion",
                prior="none",
                rebased_at=NOW,
                log_position=0,
                learn_since=NOW,
                context_since=NOW,
                prompts_since=None,
                faded_before=None,
                parameters={},
                sha256="0" * 64,
                now=NOW,
            )

        for write, uses in (
            (context, {Use.KEEP_CONTEXT}),
            (prompt, {Use.PROMPT}),
            (correction, {Use.CORRECT}),
            (answer, {Use.PROMPT}),
            (snapshot, {Use.LEARN}),
        ):
            for use in Use:
                if use in uses:
                    write(use)
                else:
                    with pytest.raises(ConsentError, match=r"does not allow|holds no grant"):
                        write(use)
