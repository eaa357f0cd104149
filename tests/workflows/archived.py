"""People with something in every table that archives hold, and archives as their files."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from sqlalchemy import insert, select

from tests.builders import NOW
from tests.lives import entered, pooled, rated, told, travelled
from tests.workflows.exported import someone
from tracker.access import Access
from tracker.domain import notes as words
from tracker.domain.consent import Recorder, Scope, Use
from tracker.domain.people import Person, UnknownParticipantError
from tracker.domain.stretches import Stretch
from tracker.privacy.keys import IDENTITY
from tracker.store import crops, former, frames, hiding, notes, tables
from tracker.workflows import consenting, enrolment, importing
from tracker.workflows.portability import write_bundle


def face(shade: int) -> bytes:
    """A small PNG picture of one shade."""
    done, picture = cv2.imencode(".png", np.full((8, 8, 3), shade, np.uint8))
    assert done
    return picture.tobytes()


def bundle(access: Access, who: Person, now: datetime = NOW) -> dict[str, bytes]:
    """The files of a person's archive."""
    return unpacked(packed(access, who, now))


def packed(access: Access, who: Person, now: datetime = NOW) -> bytes:
    """A person's archive."""
    out = io.BytesIO()
    write_bundle(access, who, now, out)
    return out.getvalue()


def unpacked(archive: bytes) -> dict[str, bytes]:
    """The files of an archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def rows(files: dict[str, bytes], table: str) -> list[dict[str, Any]]:
    """The rows of a table of an archive."""
    found: list[dict[str, Any]] = json.loads(files[f"data/{table}.json"])
    return found


def noted(access: Access, who: Person, text: str, now: datetime = NOW) -> None:
    """A note beside the person's first correction."""
    with access.write(who.id, now) as unit:
        query = select(tables.corrections.c.id, tables.corrections.c.at)
        said = unit.connection.execute(query.where(tables.corrections.c.subject == who.subject)).first()
        assert said is not None
        name = f"{said.id:032x}"
        sealed = access.vault.seal(who.id, Scope.NOTES.value, words.to_bytes(text), notes.place(name))
        permit = unit.permit(Use.KEEP_NOTES)
        notes.add(unit.connection, permit, who.subject, name, said.id, said.at, sealed, now)


def pictured(access: Access, who: Person, shade: int, now: datetime = NOW) -> None:
    """A picture of the person's first observation."""
    with access.write(who.id, now) as unit:
        query = select(tables.observations.c.id, tables.observations.c.at)
        seen = unit.connection.execute(query.where(tables.observations.c.subject == who.subject)).first()
        assert seen is not None
        name = f"{seen.id:032x}"
        sealed = access.vault.seal(who.id, Scope.FACE_CROPS.value, face(shade), crops.place(name))
        new = crops.NewCrop(name, seen.id, seen.at, sealed)
        crops.append(unit.connection, unit.permit(Use.KEEP_CROPS), who.subject, [new], now)


def film(shade: int) -> bytes:
    """A frame as it is kept: a JPEG."""
    done, picture = cv2.imencode(".jpg", np.full((270, 480, 3), shade, np.uint8))
    assert done
    return picture.tobytes()


def filmed(access: Access, who: Person, shade: int, now: datetime = NOW) -> None:
    """A frame of the person's first observation."""
    with access.write(who.id, now) as unit:
        query = select(tables.observations.c.id, tables.observations.c.at)
        seen = unit.connection.execute(query.where(tables.observations.c.subject == who.subject)).first()
        assert seen is not None
        name = f"{seen.id:032x}"
        sealed = access.vault.seal(who.id, Scope.RAW_VIDEO.value, film(shade), frames.place(name))
        new = frames.NewFrame(name, seen.id, seen.at, sealed)
        frames.append(unit.connection, unit.permit(Use.KEEP_VIDEO), who.subject, [new], now)


def whole(access: Access, name: str, shade: int = 90) -> Person:
    """Somebody with rows in every table about people but exports."""
    who = someone(access, name)
    noted(access, who, f"a note by {name}")
    pictured(access, who, shade)
    filmed(access, who, shade)
    pooled(access, who)
    travelled(access, who)
    with access.database.read() as connection:
        p = tables.prompts.c
        asked = (
            connection.execute(select(p.id).where(p.subject == who.subject).order_by(p.id)).scalars().first()
        )
    assert asked is not None
    told(access, who, asked)
    rated(access, who)
    entered(access, who)
    with access.database.write() as connection:
        away = Stretch(NOW - timedelta(hours=5), NOW - timedelta(hours=4))
        hiding.hide(connection, who.subject, away, NOW)
    consenting.withdraw(
        access, who, [Scope.RAW_VIDEO], NOW, recorder=Recorder.OPERATOR, evidence=f"a call by {name}"
    )
    access.record_look(who.id, NOW, reader=f"reader of {name}", what=f"the timeline of {name}")
    record = {"installation": "elsewhere", "table": "access_events", "position": 0, "row": {"reader": name}}
    place = f"{name:>032}"
    sealed = access.vault.seal(who.id, IDENTITY, json.dumps(record).encode(), former.place(place))
    with access.database.write() as connection:
        former.add(connection, who.id, [(place, sealed)], NOW)
        release = {"study": "s", "at": NOW, "query": {}, "epsilon": 0.1, "delta": 0.0, "result": {}}
        [number] = connection.execute(
            insert(tables.releases).values(**release).returning(tables.releases.c.id)
        ).one()
        connection.execute(insert(tables.release_members).values(release=number, subject=who.subject))
    return who


def taken_in(
    access: Access, path: Path, name: str, now: datetime, *, evidence: str = "", **more: Any
) -> tuple[Person, importing.Imported]:
    """Take an archive in as the command does: whoever is missing is enrolled, grants are recorded on evidence."""
    with importing.sound(path, now) as found:
        try:
            who = access.person(name)
        except UnknownParticipantError:
            if not evidence:
                raise
            who = enrolment.enrol(access, name, found.zone, now, simulated=found.simulated).person
        missing = importing.require_room(access, who, found, now)
        if missing and evidence:
            start = min(missing.values())
            operator = Recorder.OPERATOR
            consenting.grant(
                access, who, list(missing), now, recorder=operator, covers_from=start, evidence=evidence
            )
        return who, importing.take_in(access, found, who, now, **more)
