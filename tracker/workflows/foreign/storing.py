"""Store what a file holds of one person, batch by batch: each is one transaction, and stored once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import TypeVar

from tracker.access import Access, Unit
from tracker.access.erased import erased_stretches
from tracker.domain.consent import SCOPES_OF, ConsentMissingError, PausedError, Permit, Scope, Use
from tracker.domain.people import Person
from tracker.personal.learning_again import learn_again
from tracker.store import feedback, imported, series, studies
from tracker.study import Study, readable_from, taken_from
from tracker.workflows.foreign import attesting
from tracker.workflows.foreign.asking import unanswered
from tracker.workflows.foreign.attesting import Attestation
from tracker.workflows.foreign.mapping import MappingFile
from tracker.workflows.foreign.report import Report
from tracker.workflows.foreign.rows import Row
from tracker.workflows.foreign.sifting import Bounds, Sieve, Sifted
from tracker.workflows.foreign.survey import Survey

BATCH = 2_000
"""Moments that are stored in one transaction."""

NEAR = timedelta(minutes=2)
"""How far an observation may lie from an answer to be the one spoken of, as for an answer of today."""

_USES = {"series": Use.STORE_SERIES, "words": Use.CORRECT, "contexts": Use.KEEP_CONTEXT}
_T = TypeVar("_T")


def store(
    access: Access,
    survey: Survey,
    mapping: MappingFile,
    name: str,
    person: Person,
    attestation: Attestation,
    now: datetime,
    report: Callable[[float], None] = lambda _: None,
) -> None:
    """Store what a file holds of one person, and let their learners learn it; the survey's report counts it.

    What is stored already stays as it is, so a run that was killed is gone on with by the same again.

    Parameters
    ----------
    access, survey, mapping
        The gate, the file that was read whole, and what it is.
    name, person
        How the file calls them, and who that is.
    attestation
        Who says that they allowed it.
    now
        The instant of now (UTC).
    report
        Called with the share done, 0 to 1.

    Raises
    ------
    ConsentMissingError, StudyClosedError, PausedError
        When they do not allow it now; batches that were stored before stay.
    """
    sieve, done = Sieve(mapping, attestation.sha256), 0
    for block, is_last in _blocks(survey.rows(name)):
        with access.write(person.id, now) as unit:
            unit.study.demand_open("nothing is imported")
            if unit.person.paused_at is not None:
                raise PausedError(unit.person.name, unit.person.paused_at)
            attesting.keep(access, unit, attestation)
            permits = permits_of(unit, mapping)
            sifted = sieve.sift(
                block, _bounds(access, unit, permits, attestation), unit.connection, person.subject
            )
            _write(unit, permits, sifted)
            new = (
                imported.unlearned(unit.connection, person.subject) if is_last and mapping.targets else set()
            )
            learned = learn_again(unit, new) if new else 0
        # Counted once it is committed: a report never tells more than there is.
        _count(survey.found, sifted)
        survey.found.learned += learned
        done += len(block)
        report(done / survey.moments(name))


def foresee(
    access: Access,
    survey: Survey,
    mapping: MappingFile,
    name: str,
    person: Person | None,
    covers_from: datetime | None,
    now: datetime,
) -> None:
    """Count what `store` would do, and store nothing.

    Parameters
    ----------
    person
        Who they are; None: they would be enrolled.
    covers_from
        From when on the document allows it; None: as far back as the file goes.
    """
    sieve = Sieve(mapping, survey.found.sha256)
    covers = dict.fromkeys(_USES, covers_from) if covers_from is not None else {}
    for block, _ in _blocks(survey.rows(name)):
        if person is None:
            with access.database.read() as connection:
                study = studies.in_force(connection)
            _count(survey.found, sieve.sift(block, Bounds(covers, _kept(study, now))))
            continue
        with access.read(person.id, now) as unit:
            if (why_not := refusal(unit, mapping)) is not None:
                survey.found.left[name] = why_not
                return
            # Whoever has not been asked yet is covered by the document, as far as it goes.
            limits = dict(covers)
            for kind, use in _USES.items():
                if (permit := unit.allowed(use)) is not None:
                    limits[kind] = max(permit.covers_from, limits.get(kind, permit.covers_from))
            bounds = Bounds(limits, _kept(unit.study, now), erased_stretches(access, unit))
            _count(survey.found, sieve.sift(block, bounds, unit.connection, person.subject))


def permits_of(unit: Unit, mapping: MappingFile) -> dict[str, Permit]:
    """The permits under which rows of a mapping are written; raise `ConsentMissingError` where one is missing."""
    if mapping.face is not None:
        return {"series": unit.capture_permit()}
    found = {}
    if mapping.targets:
        found["words"] = unit.keeping(unit.permit(Use.CORRECT), Scope.AFFECT_SERIES)
    if mapping.contexts is not None:
        found["contexts"] = unit.keeping(unit.permit(Use.KEEP_CONTEXT), Scope.CONTEXT)
    return found


def refusal(unit: Unit, mapping: MappingFile) -> str | None:
    """Why nothing of a person would be stored; None where they allow it, or were not asked what a document says."""
    if unit.person.paused_at is not None:
        return str(PausedError(unit.person.name, unit.person.paused_at))
    open_ = {*unit.grants(), *unanswered(unit, mapping.consent.scopes)}
    needed = {"series": mapping.face, "words": mapping.targets, "contexts": mapping.contexts}
    for kind, taken in needed.items():
        if taken and not SCOPES_OF[_USES[kind]] <= open_:
            try:
                unit.permit(_USES[kind])
            except ConsentMissingError as error:
                return str(error)
    return None


def _bounds(access: Access, unit: Unit, permits: dict[str, Permit], attestation: Attestation) -> Bounds:
    kept = _kept(unit.study, unit.now)
    covers = {}
    for kind in permits:
        granted = unit.permit(_USES[kind]).covers_from
        covers[kind] = max(granted, attestation.covers_from)
    kept = {kind: max(kept[kind], permits[kind].covers_from) for kind in permits if kind in kept}
    return Bounds(covers, kept, erased_stretches(access, unit))


def _kept(study: Study, now: datetime) -> dict[str, datetime]:
    ends = {
        "series": taken_from(study, Scope.AFFECT_SERIES, now),
        "words": readable_from(study, Scope.AFFECT_SERIES, now),
        "contexts": readable_from(study, Scope.CONTEXT, now),
    }
    return {kind: at for kind, at in ends.items() if at is not None}


def _write(unit: Unit, permits: dict[str, Permit], sifted: Sifted) -> None:
    connection, subject = unit.connection, unit.person.subject
    for zone, same in groupby(sifted.observed, key=lambda found: found[0]):
        batch = [observed for _, observed in same]
        series.store_observed(connection, permits["series"], subject, zone, batch, unit.now)
    for zone, context in sifted.contexts:
        feedback.add_context(connection, permits["contexts"], subject, zone, context, unit.now)
    for zone, word in sifted.words:
        near = series.nearest(connection, subject, word.at, NEAR)
        # A word about an observation would replace the one before: somebody's own, or the file's of a minute ago.
        observation = near[0] if near is not None else None
        if observation is not None and imported.spoken_of(connection, subject, observation, word.target):
            observation = None
        feedback.add_correction(
            connection,
            permits["words"],
            subject,
            zone,
            word,
            unit.now,
            observation=observation,
        )


def _count(found: Report, sifted: Sifted) -> None:
    found.new.update(sifted.new())
    found.there.update(sifted.there)
    for reason, line in sifted.refused:
        found.refuse(reason, line)


def _blocks(moments: Iterator[Sequence[Row]]) -> Iterator[tuple[list[Sequence[Row]], bool]]:
    """Moments in batches, and whether one is the last."""
    block = list(islice(moments, BATCH))
    while block:
        coming = list(islice(moments, BATCH))
        yield block, not coming
        block = coming
