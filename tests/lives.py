"""A person with something in every table: what erasures, exports and replays are tested on."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import insert, select

from tests.builders import NOW, leaning, member, observed, person, store
from tracker.access import Access, Unit
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.consent import Recorder, Scope, Use
from tracker.domain.entering import How
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.rating import Ballot, Because, Dimension, Sample, Trace, Verdict
from tracker.domain.series import Context, Correction, Prompt
from tracker.domain.stretches import Stretch
from tracker.domain.tokens import Purpose
from tracker.privacy.keys import IDENTITY
from tracker.store import (
    crops,
    drifts,
    exports,
    frames,
    hiding,
    priors,
    prompting,
    pushing,
    raters,
    rating_decisions,
    rating_tasks,
    rating_votes,
    tables,
)
from tracker.store.raters import RaterConsent
from tracker.workflows import accounts, consenting, feedback, prompts, repeating, studies, tokens

PLACE = "canary-place-7f3a"
SOURCE = "5ca1ab1e" * 8
NOTE = "canary-note-33d0: it was a long day"
FACE = b"canary-face-b8e1" * 8
FILM = b"canary-film-6c4d" * 8
ENDPOINT = "https://fcm.googleapis.com/canary-push-2e71"


def lived(access: Access, name: str = "canary-name-91c2", *, now: datetime = NOW) -> Person:
    """Someone with two hours of observations, contexts, corrections (one undone), prompts and answers."""
    who = person(access, name, now=now)
    start = now - timedelta(hours=2)
    minutes = [start + timedelta(minutes=i) for i in range(0, 120, 4)]
    store(access, who, [observed(at, Emotion.SADNESS, source=SOURCE) for at in minutes], now)
    store(access, who, [observed(start + timedelta(minutes=2), None, source=SOURCE)], now)
    feedback.add_context(access, who, Context(start, place=PLACE, company="alone"), now)
    for i, emotion in ((3, Emotion.ANGER), (9, Emotion.NEUTRAL), (3, Emotion.FEAR)):
        word = Correction(minutes[i], "emotion", leaning(emotion, 0.9))
        feedback.correct(access, who, word, now, note=NOTE if emotion is Emotion.NEUTRAL else None)
    told(access, who, answered(access, who, minutes[20], Emotion.HAPPINESS, now), now)
    answered(access, who, minutes[9], Emotion.SURPRISE, now)
    travelled(access, who, now)
    # A scope that stores nothing by itself was withdrawn, and its request waits for an answer.
    consenting.withdraw(access, who, [Scope.EXPORT_PUBLIC], now, recorder=Recorder.PARTICIPANT)
    exported(access, who, now)
    pooled(access, who, now)
    kept(access, who, now)
    rated(access, who, now)
    entered(access, who, now)
    access.record_look(who.id, now, reader="operator", what="timeline")
    return who


def entered(access: Access, who: Person, now: datetime = NOW) -> list[str]:
    """A sign-in, a link that was not followed, a program's token with an answer, and recovery codes (returned)."""
    accounts.note_sign_in(access, who, How.PASSWORD, "Mozilla/5.0 (X11; Linux) Firefox/140.0", now)
    accounts.invite(access, who, now)
    study = studies.in_force(access).id
    roles = frozenset({Role.PARTICIPANT})
    tokens.make(access, who, roles, "watch", [Purpose.TIMELINE], study, now)
    claimed = repeating.claim(access, who, f"lived-{who.id}", b"asked", now)
    assert isinstance(claimed, str)
    repeating.keep(access, who, claimed, 201, PLACE.encode(), now)
    return accounts.new_codes(access, who, now)


def answered(access: Access, who: Person, at: datetime, emotion: Emotion, now: datetime = NOW) -> int:
    """A prompt at a moment, and the answer to it; returns the prompt."""
    prompt = Prompt(f"slot-{at:%d%H%M}", at, at, at, at, "answered")
    number = prompts.record(access, who, prompt, now)
    assert number is not None
    feedback.correct(access, who, Correction(at, "emotion", leaning(emotion, 0.8)), now, prompt=number)
    return number


def travelled(access: Access, who: Person, now: datetime = NOW) -> None:
    """An hour ago they came back to where they live."""
    with access.write(who.id, now) as unit:
        permit, zone = unit.permit(Use.PROMPT), unit.person.zone
        for at, there in ((now - timedelta(hours=3), "Asia/Tokyo"), (now - timedelta(hours=1), zone)):
            prompting.add_zone(unit.connection, permit, who.subject, there, at, now)


def told(access: Access, who: Person, prompt: int, now: datetime = NOW) -> None:
    """A device that is told that questions wait, and was told of one."""
    device, said = secrets.token_hex(16), json.dumps({"endpoint": ENDPOINT, "maker": "Google", "browser": ""})
    with access.write(who.id, now) as unit:
        permit = unit.permit(Use.PROMPT)
        sealed = access.vault.seal(who.id, Scope.PROMPTS, said.encode(), pushing.place(device))
        digest = access.vault.digest("push endpoints", f"{ENDPOINT}/{who.id}")
        pushing.add(unit.connection, permit, who.subject, device, digest, sealed, 1, now)
        assert pushing.queue(unit.connection, permit, who.subject, prompt, 0, now) == 1


def exported(access: Access, who: Person, now: datetime = NOW) -> str:
    """An export in which the person is; returns its id."""
    export = f"export-{who.id[:8]}"
    row = exports.ExportRow(export, now, now, {"format": "csv"}, "0" * 64, None)
    with access.database.write() as connection:
        exports.add(connection, row, [who.id])
    return export


def pooled(access: Access, who: Person, now: datetime = NOW) -> None:
    """A prior in which the person is, of a target that nobody learns, and a drift of their learner of it."""
    target = "number:canary"
    with access.write(who.id, now) as unit:
        permit, learn = unit.permit(Use.POOL), unit.permit(Use.LEARN)
        member = priors.MemberRow(who.subject, permit.covers_from, None, None)
        row = priors.PriorRow(
            hashlib.sha256(who.id.encode()).hexdigest(), target, {"weights": {}}, 5, 50, now, None
        )
        priors.add(unit.connection, row, [(permit, member)])
        drifts.add(
            unit.connection,
            learn,
            who.subject,
            target,
            at=now,
            kind="loss",
            detail={"before": 0.0, "after": 0.4, "answers": 8},
            now=now,
        )


def cropped(access: Access, who: Person, now: datetime = NOW) -> None:
    """The picture of the face in the first observation, as tracking keeps it."""
    crop = secrets.token_hex(16)
    with access.write(who.id, now) as unit:
        number, at = _first(unit, who)
        sealed = access.vault.seal(who.id, Scope.FACE_CROPS, FACE, crops.place(crop))
        permit = unit.permit(Use.KEEP_CROPS)
        crops.append(unit.connection, permit, who.subject, [crops.NewCrop(crop, number, at, sealed)], now)


def _first(unit: Unit, who: Person) -> tuple[int, datetime]:
    o = tables.observations.c
    number, at = unit.connection.execute(select(o.id, o.at).where(o.subject == who.subject).limit(1)).one()
    return number, at


def kept(access: Access, who: Person, now: datetime = NOW) -> None:
    """A crop, a frame, a record of elsewhere, a share in a figure that was given out, and a hidden stretch."""
    record, frame = secrets.token_hex(16), secrets.token_hex(16)
    cropped(access, who, now)
    with access.write(who.id, now) as unit:
        number, at = _first(unit, who)
        sealed = access.vault.seal(who.id, Scope.RAW_VIDEO, FILM, frames.place(frame))
        new = frames.NewFrame(frame, number, at, sealed)
        frames.append(unit.connection, unit.permit(Use.KEEP_VIDEO), who.subject, [new], now)
        said = access.vault.seal(who.id, IDENTITY, b"{}", f"former_records.sealed|{record}")
        away = Stretch(now - timedelta(hours=5), now - timedelta(hours=4))
        hiding.hide(unit.connection, who.subject, away, now)
        former = {"id": record, "participant": who.id, "sealed": said, "recorded_at": now}
        unit.connection.execute(insert(tables.former_records).values(former))
        release = {"study": "canary", "at": now, "query": {}, "epsilon": 0.1, "delta": 0.0, "result": {}}
        added = unit.connection.execute(
            insert(tables.releases).values(release).returning(tables.releases.c.id)
        )
        share = {"release": added.scalar_one(), "subject": who.subject}
        unit.connection.execute(insert(tables.release_members).values(share))


def rated(access: Access, who: Person, now: datetime = NOW) -> Member:
    """A rater who said what the kept picture looks like, followed it, and was decided about; returns the rater."""
    rater = member(access, f"rater-{who.id[:8]}", Role.RATER, now=now)
    judge = member(access, f"judge-{who.id[:8]}", Role.RESEARCHER, now=now)
    c, fear, said = tables.crops.c, Distribution.said(Emotion.FEAR), secrets.token_hex(8)
    with access.write(who.id, now) as unit:
        connection, permit, subject = unit.connection, unit.permit(Use.RATE_CROPS), who.subject
        raters.record(connection, rater.id, RaterConsent("votes", "given", "0" * 64, now))
        raters.set_keys(connection, rater.id, {"on": True, "keys": {}}, now)
        item = connection.execute(select(c.observation).where(c.subject == subject)).scalar_one()
        task = rating_tasks.offer(
            connection,
            permit,
            rating_tasks.TaskRow(
                secrets.token_hex(16),
                subject,
                item,
                rater.id,
                "crop",
                1,
                Because.UNSURE,
                False,
                False,
                now,
                now,
                None,
                now,
            ),
        )
        ballot = Ballot(Verdict.EMOTION, f"{said}-1", now, 900, fear)
        first = rating_votes.add(connection, permit, task, ballot, None, now)
        rating_votes.add(connection, permit, task, replace(ballot, key=f"{said}-2"), first, now)
        trace = Trace(Dimension.VALENCE, (Sample(now, 0.5, item),), 2.0, f"{said}-3")
        rating_votes.keep_trace(connection, permit, task, trace, now)
        rating_decisions.set_gold(connection, permit, subject, item, fear, judge.id, now)
        for key in ("4", "5"):
            rating_decisions.adjudicate(
                connection, permit, subject, item, judge.id, Verdict.EMOTION, fear, f"{said}-{key}", now
            )
    return rater
