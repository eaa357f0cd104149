"""What you say about how you are: answers, corrections of moments, what surrounds you."""

from __future__ import annotations

import uuid
from typing import Any

from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf, Range

from tracker.domain.affect import Distribution, Emotion
from tracker.domain.answers import EITHER, NO, YES, Answer, of_strength
from tracker.domain.consent import Scope
from tracker.domain.series import Context, Correction
from tracker.workflows import feedback
from tracker.workflows.feedback import Answered, Corrected
from webui import auth
from webui.api import once, problems, prompts
from webui.api.parts import Instant, Strict, a_distribution, a_reading, an_emotion, read, shown
from webui.api.room import Room
from webui.services import services
from webui.study import study

room = Room("answers", "What you say about how you are.")

ALONE = {"yes": YES, "either": EITHER, "no": NO}
_SPACE = uuid.UUID("d3a7b6f0-6b0e-4f0e-9d43-6c1a7b0a2c11")
_LARGEST = 2**53


class Said(Strict):
    """How you are. Leave out what you do not want to say, but not everything."""

    at = Instant(metadata={"description": "The moment it speaks of; unless said, now."})
    emotion = an_emotion(metadata={"description": "What it is most like."})
    second = an_emotion(metadata={"description": "In a mixed state, what it is like as well."})
    intensity = fields.Integer(
        strict=True, validate=Range(1, 5), metadata={"description": "How strong, from 1 to 5."}
    )
    valence = fields.Float(
        validate=Range(-1, 1), metadata={"description": "How pleasant; goes with arousal."}
    )
    arousal = fields.Float(validate=Range(-1, 1), metadata={"description": "How lively; goes with valence."})
    alone = fields.String(
        validate=OneOf(ALONE), metadata={"description": "Whether you want to be left alone."}
    )
    own = fields.Dict(
        fields.String(),
        fields.Float(validate=Range(-1, 1)),
        metadata={
            "description": "What the study asks besides, by target: 1, 0.5 or 0 to a yes or no, else from -1 to 1."
        },
    )
    place = fields.String(validate=Length(1, 64))
    activity = fields.String(validate=Length(1, 64))
    company = fields.String(validate=Length(1, 64))
    note = fields.String(metadata={"description": "Your own words; kept sealed, and shown to nobody else."})
    response_ms = fields.Integer(strict=True, validate=Range(0, 2**31 - 1))
    prompt = fields.Integer(
        strict=True, validate=Range(0, _LARGEST), metadata={"description": "Which question it answers."}
    )


class Done(Schema):
    """What an answer did."""

    at = Instant(required=True)
    words = fields.Dict(
        fields.String(),
        fields.Integer(),
        required=True,
        metadata={"description": "Ids of what was kept, by target."},
    )
    context = fields.Boolean(required=True)
    noted = fields.Boolean(required=True)
    left_out = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Scopes for want of which a part was not kept."},
    )
    missing = fields.List(
        fields.String(), required=True, metadata={"description": "Scopes without which nothing was learned."}
    )


class Offers(Schema):
    """What you may say now."""

    words = fields.Boolean(
        required=True, metadata={"description": "Emotions, the grid and company, at any time."}
    )
    prompts = fields.Boolean(required=True, metadata={"description": "The same in answer to a question."})
    context = fields.Boolean(required=True)
    note = fields.Boolean(required=True)
    learn = fields.Boolean(required=True)
    missing = fields.List(fields.String(), required=True)


class Word(Strict):
    """What a moment looked like to you."""

    at = Instant(required=True)
    emotion = an_emotion(required=True)
    second = an_emotion()
    note = fields.String()


class Changed(Schema):
    """What a correction did: what your learner said before it, and says now."""

    id = fields.Integer(required=True)
    at = Instant(required=True)
    network = a_reading(required=True)
    before = a_distribution(required=True)
    after = a_distribution(required=True)
    superseded = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The correction whose place it takes."}
    )
    noted = fields.Boolean(required=True)
    missing = fields.List(fields.String(), required=True)
    not_covered_since = Instant(
        required=True,
        allow_none=True,
        metadata={
            "description": "Nothing was learned, because learning is allowed from this instant on alone."
        },
    )


class Around(Strict):
    """What surrounds you: at least one of them."""

    at = Instant(metadata={"description": "From when on; unless said, now."})
    place = fields.String(validate=Length(1, 64))
    activity = fields.String(validate=Length(1, 64))
    company = fields.String(validate=Length(1, 64))


class Kept(Schema):
    """What was kept."""

    id = fields.Integer(required=True)


@room.at("GET", "/answers/offers", gives=Offers)
def offers() -> dict[str, Any]:
    """Say what you may answer now, and what is missing for the rest."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        found = feedback.offers(unit)
    return {
        "words": found.words,
        "prompts": found.prompts,
        "context": found.context,
        "note": found.note,
        "learn": found.learn,
        "missing": [scope.value for scope in found.missing],
    }


@room.at("POST", "/answers", takes=Said, gives=Done, status=201)
def answer(said: dict[str, Any]) -> dict[str, Any]:
    """Store how you are, and learn from it."""
    first, second = _emotions(said)
    strength = said.get("intensity") if first is not None else None
    given = Answer(
        key=_key(),
        at=said.get("at") or auth.now(),
        emotion=None if first is None else Distribution.said(first, second),
        intensity=None if strength is None else of_strength(strength),
        valence=said.get("valence"),
        arousal=said.get("arousal"),
        alone=ALONE[said["alone"]] if "alone" in said else None,
        place=said.get("place"),
        activity=said.get("activity"),
        company=said.get("company"),
        note=said.get("note"),
        response_ms=said.get("response_ms"),
        own=_own(said.get("own", {})),
    )
    done = feedback.answer(services().access, auth.person(), given, auth.now(), prompt=said.get("prompt"))
    return _done(done)


@room.at("POST", "/corrections", takes=Word, gives=Changed, status=201)
def correct(word: dict[str, Any]) -> dict[str, Any]:
    """Say what a moment looked like to you; it takes the place of what you said of it before."""
    first, second = _emotions(word)
    assert first is not None
    correction = Correction(word["at"], "emotion", Distribution.said(first, second), suggestion_shown=True)
    done = feedback.correct(services().access, auth.person(), correction, auth.now(), note=word.get("note"))
    return _changed(done)


@room.at("POST", "/contexts", takes=Around, gives=Kept, status=201)
def context(around: dict[str, Any]) -> dict[str, int]:
    """Keep what surrounds you from an instant on, for two hours at most."""
    said = {name: around.get(name) for name in ("place", "activity", "company")}
    kept = Context(around.get("at") or auth.now(), **said, key=_key())
    return {"id": feedback.add_context(services().access, auth.person(), kept, auth.now())}


def _emotions(said: dict[str, Any]) -> tuple[Emotion | None, Emotion | None]:
    first = Emotion(said["emotion"]) if "emotion" in said else None
    second = Emotion(said["second"]) if "second" in said else None
    if second is not None and first is None:
        raise ValueError("Say a first emotion before the second.")
    if second is not None and second is first:
        raise ValueError("The second emotion is the same as the first; choose another or none.")
    return first, second


def _own(said: dict[str, float]) -> dict[str, float]:
    """What was said to the study's own questions, if it asks them and they can be answered so."""
    asked = {question.name: question for question in study().own_questions}
    for name, value in said.items():
        if name not in asked:
            raise ValueError(f"This study does not ask for {name[:64]!r}.")
        if not asked[name].number and value not in ALONE.values():
            raise ValueError(f"{name} is answered with 1 (yes), 0.5 (either) or 0 (no).")
    return said


def _key() -> str:
    """The key of this request as a UUID: what is stored under it is stored once, whatever is kept of the request."""
    return str(uuid.uuid5(_SPACE, f"{auth.whom().id}|{once.key()}"))


def _done(done: Answered) -> dict[str, Any]:
    unlearned = {scope for word in done.words.values() for scope in word.missing}
    return {
        "at": done.at,
        "words": {target: word.correction for target, word in done.words.items()},
        "context": done.context,
        "noted": done.noted,
        "left_out": [scope.value for scope in done.left_out],
        "missing": [scope.value for scope in Scope if scope in unlearned],
    }


def _changed(done: Corrected) -> dict[str, Any]:
    return {
        "id": done.correction,
        "at": done.at,
        "network": read(done.machine),
        "before": shown(done.before),
        "after": shown(done.after),
        "superseded": done.superseded,
        "noted": done.noted,
        "missing": [scope.value for scope in done.missing],
        "not_covered_since": done.not_covered_since,
    }


room.register_error_handler(ValueError, problems.refused)
prompts.explain(room)
