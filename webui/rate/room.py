"""What every page of this room needs: the blueprint, whose desk it is, their keys, and one key per decision."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, render_template, request
from flask_babel import gettext, lazy_gettext

from tracker.domain.affect import Distribution, Emotion
from tracker.domain.items import is_item
from tracker.domain.keymap import KEYS, KeyMap
from tracker.domain.rating import Because, RatingError, Verdict
from tracker.workflows import rating
from tracker.workflows.rating import UnknownItemError
from webui import auth, csrf, words
from webui.services import services

pages = Blueprint("rate", __name__)
"""One blueprint for the whole room: the gate lets members in by it, and roles by endpoint."""

STEPS = tuple(n / 4 for n in range(-4, 5))
"""What the optional valence and arousal can be."""

WORDS: dict[str, Any] = {
    **{emotion.value: words.NAMES[emotion] for emotion in Emotion},
    "cannot_tell": lazy_gettext("cannot tell"),
    "not_a_face": lazy_gettext("not a face"),
    "uncomfortable": lazy_gettext("uncomfortable, skip"),
    "undo": lazy_gettext("undo the last answer"),
    "last_ten": lazy_gettext("go to the last ten"),
    "help": lazy_gettext("show the keys"),
    "play_back": lazy_gettext("play backwards"),
    "play_pause": lazy_gettext("play or pause"),
    "play_on": lazy_gettext("play on"),
    "slower": lazy_gettext("slower"),
    "faster": lazy_gettext("faster"),
    "trace_up": lazy_gettext("trace up"),
    "trace_down": lazy_gettext("trace down"),
}
"""What each action of a `KeyMap` is called on a page."""

BECAUSE: dict[Because, Any] = {
    Because.UNSURE: lazy_gettext("The network is unsure about this face, so your word teaches most here."),
    Because.WAITED: lazy_gettext("Nobody has said anything about a moment like this for a while."),
    Because.CHANCE: lazy_gettext("Drawn at random, so that the figures of this study stay fair."),
    Because.REOPENED: lazy_gettext("You opened it again; what you say now replaces what you said."),
}
"""Why an item is shown, in the language of the page."""

_CAPS = {"ArrowUp": "↑", "ArrowDown": "↓", "ArrowLeft": "←", "ArrowRight": "→"}


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as a page sends it, before the workflow looks at it."""

    verdict: Verdict
    distribution: Distribution | None
    valence: float | None
    arousal: float | None


def keymap() -> KeyMap:
    """The keys of whoever is logged in: one answer for the whole request."""
    if "keymap" not in g:
        g.keymap = rating.key_map(services().access, auth.member())
    found: KeyMap = g.keymap
    return found


def shown(template: str, **values: Any) -> str:
    """Render a page of this room."""
    keys = keymap()
    return render_template(
        template,
        keymap=keys,
        keymap_json=json.dumps({"on": keys.on, "keys": {a: keys[a] for a in KEYS}}),
        actions=list(WORDS.items()),
        token=csrf.token(),
        desk_of=auth.member().id,
        steps=STEPS,
        fresh_key=secrets.token_urlsafe(16),
        undo_key=secrets.token_urlsafe(16),
        **values,
    )


def progress() -> dict[str, Any]:
    """How far today's goal is, for a bar and in words."""
    found = rating.progress(services().access, auth.member(), auth.now())
    told = gettext("%(done)s of %(goal)s today", done=found.done, goal=found.goal)
    if found.done > found.goal:
        told = gettext("%(done)s today, the goal of %(goal)s is reached", done=found.done, goal=found.goal)
    return {"done": found.done, "goal": found.goal, "words": told}


def given() -> dict[str, Any]:
    """The fields of a form, or the object of a JSON request; `RatingError` for anything else."""
    if not request.is_json:
        return request.form.to_dict()
    body = request.get_json()
    if not isinstance(body, dict):
        raise RatingError("send an object with item, answer and key")
    return body


def item(named: object) -> str:
    """The id of an item as it was sent; `UnknownItemError` for what can be none, before any database is asked."""
    if not (isinstance(named, str) and is_item(named)):
        raise UnknownItemError
    return named


def read_answer(fields: dict[str, Any]) -> Said:
    """Read what was chosen.

    Examples
    --------
    >>> read_answer({"answer": "fear", "second": "surprise", "valence": "-0.5"}).distribution.top.value
    'fear'
    >>> read_answer({"answer": "cannot_tell"}).verdict.value
    'cannot_tell'
    """
    chosen = fields.get("answer")
    try:
        first = Emotion(chosen)  # type: ignore[arg-type]
    except ValueError:
        try:
            return Said(Verdict(chosen), None, None, None)  # type: ignore[arg-type]
        except ValueError:
            raise RatingError(f"{chosen!r} is no answer; choose one of the buttons") from None
    second = _second(fields.get("second"))
    said = Distribution.said(first, second)
    return Said(Verdict.EMOTION, said, number(fields, "valence"), number(fields, "arousal"))


def _second(chosen: Any) -> Emotion | None:
    """The second emotion, or None where none was chosen; what is none is refused, never left out in silence."""
    if chosen is None or chosen == "":
        return None
    try:
        return Emotion(chosen)
    except ValueError:
        raise RatingError(f"{str(chosen)[:32]!r} is no second emotion; choose another or none") from None


def number(fields: dict[str, Any], name: str) -> float | None:
    """A number that may be left out; `RatingError` for what is none."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise RatingError(f"{name} is {value!r}, which is no number") from None


@pages.app_template_filter("keycap")
def keycap(key: str) -> str:
    """How a key is printed.

    Examples
    --------
    >>> keycap("u"), keycap("ArrowUp")
    ('u', '↑')
    """
    return _CAPS.get(key, key)


def said_words(verdict: Verdict, distribution: Distribution | None) -> str:
    """An answer in words."""
    if distribution is not None:
        return words.said(distribution)
    return str(WORDS.get(verdict.value, verdict.value))
