"""``import FILE --mapping MAP``: what other programs wrote comes in, with a dry run and a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from rich.table import Table

from tracker.access import Access
from tracker.cli.output import err, out, print_json, progress
from tracker.cli.reader import reader as reader_of
from tracker.domain.consent import ConsentError, Recorder
from tracker.domain.instants import parse_instant
from tracker.domain.people import Person
from tracker.store import studies
from tracker.workflows import consenting, enrolment, foreign

LOOK = "what is stored at the instants of a file that is imported"
NOTHING_STORED = "dry run: nothing was stored"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for on the command line.

    Attributes
    ----------
    file, mapping
        What is imported, and the file that says what it is.
    dry
        Whether it is told only.
    attested_by, document, covers_from
        Who says that people allowed it, the document in which they did, and from when on it does.
    participant, starts_at
        Whose rows they are and when the recording began, where the mapping does not say.
    existing
        Names of people of the file who are enrolled here already.
    """

    file: Path
    mapping: Path
    dry: bool
    attested_by: str | None = None
    document: Path | None = None
    covers_from: str | None = None
    participant: str | None = None
    starts_at: str | None = None
    existing: tuple[str, ...] = ()


def bring(access: Access, asked: Asked, now: datetime, as_json: bool) -> None:
    """Take a file in, or tell what would come of it."""
    mapping = foreign.load(asked.mapping)
    with access.database.read() as connection:
        study = studies.in_force(connection)
    study.demand_open("nothing is imported")
    study.demand_asked(mapping.consent.scopes)
    foreign.demand_targets(study, mapping)
    start = None if asked.covers_from is None else parse_instant(asked.covers_from)
    attest = None if asked.dry else _attesting(asked)
    with _opened(asked, mapping) as source:
        reader = foreign.Reader(
            source, mapping, now, participant=asked.participant, starts_at=asked.starts_at
        )
        with progress(f"Reading {source.name}") as report:
            survey = foreign.Survey(source, mapping, reader, report)
        people = foreign.whom(
            access,
            survey.people,
            mapping,
            survey.found.sha256,
            now,
            existing=asked.existing,
            named=asked.participant,
        )
        survey.found.enrolled = [name for name, person in people.items() if person is None]
        # The report tells whether something else is stored of an instant.
        looked_at = [person.id for person in people.values() if person is not None]
        access.record_looks(looked_at, now, reader=reader_of().told, what=LOOK)
        if attest is None:
            survey.found.dry = True
            with progress("Looking what is there") as report:
                for n, (name, person) in enumerate(people.items()):
                    foreign.foresee(access, survey, mapping, name, person, start, now)
                    report((n + 1) / len(people))
        else:
            survey.found.dry = False
            attestation = attest(survey.found.sha256, mapping)
            with progress(f"Importing {source.name}") as report:
                for n, (name, person) in enumerate(people.items()):
                    part = partial(_part, report, n, len(people))
                    _store(access, survey, mapping, name, person, attestation, now, part)
    _print(survey.found, as_json)
    if left := len(survey.found.left):
        verb = "would be" if survey.found.dry else "was"
        raise ConsentError(
            f"nothing {verb} imported of {left} of {len(people)} people, who do not allow it; the report names them"
        )


def _attesting(asked: Asked) -> Callable[[str, foreign.MappingFile], foreign.Attestation]:
    missing = [
        option
        for option, value in (
            ("--attested-by WHO", asked.attested_by),
            ("--document FILE", asked.document),
            ("--covers-from ISO", asked.covers_from),
        )
        if not value
    ]
    if missing or asked.attested_by is None or asked.document is None or asked.covers_from is None:
        raise foreign.AskedError(
            f"an import is attested: add {', '.join(missing)} (who imports, the document in which participants "
            "allowed it, and from when on it does); or look first, with --dry-run"
        )
    by, document, start = asked.attested_by.strip(), asked.document, parse_instant(asked.covers_from)
    if not by or len(by) > 100 or not by.isprintable():
        raise foreign.AskedError(f"--attested-by {by!r} names nobody; write a name of at most 100 characters")
    return lambda sha256, mapping: foreign.Attestation(
        by,
        document.name,
        foreign.hash_of(document),
        start,
        mapping.consent.scopes,
        asked.file.name,
        sha256,
        foreign.hash_of(asked.mapping),
    )


def _store(
    access: Access,
    survey: foreign.Survey,
    mapping: foreign.MappingFile,
    name: str,
    person: Person | None,
    attestation: foreign.Attestation,
    now: datetime,
    report: Callable[[float], None],
) -> None:
    if person is None:
        person = enrolment.admit(
            access,
            name,
            survey.zone_of(name),
            now,
            within=lambda unit: foreign.keep(access, unit, attestation),
        )
    with access.read(person.id, now) as unit:
        if (refused := foreign.refusal(unit, mapping)) is not None:
            # Nothing is granted for whoever would not have anything come in.
            survey.found.left[name] = refused
            return
        new = foreign.unanswered(unit, mapping.consent.scopes)
    try:
        if new:
            consenting.grant(
                access,
                person,
                new,
                now,
                recorder=Recorder.OPERATOR,
                covers_from=min(attestation.covers_from, now),
                evidence=attestation.evidence,
            )
        foreign.store(access, survey, mapping, name, person, attestation, now, report)
    except ConsentError as error:
        survey.found.left[name] = str(error)


def _part(report: Callable[[float], None], n: int, people: int, share: float) -> None:
    report((n + share) / people)


@contextmanager
def _opened(asked: Asked, mapping: foreign.MappingFile) -> Iterator[foreign.Source]:
    source = foreign.Source(asked.file, mapping)
    try:
        yield source
    finally:
        source.close()


def _print(found: foreign.Report, as_json: bool) -> None:
    if as_json:
        print_json(found.as_json())
        return
    console = out()
    ends = (
        f"{found.first.isoformat(timespec='minutes')} to {found.last.isoformat(timespec='minutes')}"
        if found.first is not None and found.last is not None
        else "no row"
    )
    console.print(
        f"{foreign.shown(found.file)} (SHA-256 {found.sha256[:12]}…): {found.rows} rows, {ends}",
        highlight=False,
        soft_wrap=True,
    )
    people = len(found.people)
    console.print(
        f"{people} {'person' if people == 1 else 'people'}, {len(found.enrolled)} of them "
        f"{'would be' if found.dry else 'were'} enrolled",
        highlight=False,
    )
    verb = "would come in" if found.dry else "came in"
    table = Table("table", verb, "there before")
    for kind, n in found.as_json()["new"].items():
        if n or found.there[kind]:
            table.add_row(kind, str(n), str(found.there[kind]))
    console.print(table)
    if found.refused:
        table = Table("rows", "refused because", "lines", "the first says")
        for reason, why in sorted(found.refused.items()):
            lines = ", ".join(map(str, why.lines)) + (", …" if why.rows > len(why.lines) else "")
            says = f"{foreign.shown(why.column)}: {why.value!r}" if why.column else ""
            table.add_row(str(why.rows), reason, lines, says)
        console.print(table)
    for told in _told(found):
        console.print(told, highlight=False, soft_wrap=True)
    for name, why_not in sorted(found.left.items()):
        err().print(f"{name}: {why_not}", highlight=False, soft_wrap=True)
    if found.dry:
        console.print(NOTHING_STORED, highlight=False, soft_wrap=True)


def _told(found: foreign.Report) -> Iterator[str]:
    if found.silent:
        yield f"{found.silent} rows say nothing in the columns that are taken"
    if found.repeated:
        yield f"{found.repeated} rows say again what another says"
    if found.twice:
        yield f"{found.twice} local times were twice, as the clocks were put back; the {found.twice_taken} was taken"
    for zone, at, by in found.moved:
        yield f"{zone}: the clocks were moved by {by} on {at.isoformat(timespec='minutes')}"
    if found.unread:
        yield f"{', '.join(found.unread)}: not read by that network; its 0 says nothing"
    if found.not_taken:
        some = ", ".join(found.not_taken[:12]) + (", …" if len(found.not_taken) > 12 else "")
        yield f"{len(found.not_taken)} columns are not taken: {some}"
    if not found.dry and found.new["corrections"]:
        yield f"learned: {found.learned} corrections of the last 30 days"
