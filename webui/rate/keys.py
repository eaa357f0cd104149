"""A rater's own keys: changed, switched off one by one or all at once, and kept with their account."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from tracker.domain.affect import Emotion
from tracker.domain.keymap import KEYS, NAMED, KeyMap, KeyMapError
from tracker.workflows import rating
from webui import auth
from webui.rate import room
from webui.rate.room import WORDS, pages
from webui.services import services

_GROUPS = (
    (lazy_gettext("What a face looks like"), [e.value for e in Emotion]),
    (lazy_gettext("None of these"), ["cannot_tell", "not_a_face", "uncomfortable"]),
    (lazy_gettext("The desk"), ["undo", "last_ten", "help"]),
    (
        lazy_gettext("Clips"),
        ["play_back", "play_pause", "play_on", "slower", "faster", "trace_up", "trace_down"],
    ),
)


@pages.get("/rate/keys")
def keys() -> str:
    """Show the keys, each in a field."""
    found = room.keymap()
    return _page(found, {action: found[action] for action in KEYS}, saved="saved" in request.args)


@pages.post("/rate/keys")
def change_keys() -> Response | tuple[str, int]:
    """Keep the keys as the form has them, or as they were at first."""
    form = request.form
    if form.get("reset"):
        return _keep(KeyMap())
    given = {action: form.get(action, "") for action in KEYS}
    try:
        return _keep(room.keymap().changed(given, on=bool(form.get("on"))))
    except KeyMapError as error:
        told = gettext("Not saved: %(why)s.", why=str(error))
        return _page(room.keymap(), given, problem=told), 400


def _keep(keymap: KeyMap) -> Response:
    rating.set_key_map(services().access, auth.member(), keymap, auth.now())
    return redirect(url_for(".keys", saved=1), 303)


def _page(keymap: KeyMap, given: dict[str, str], *, saved: bool = False, problem: str = "") -> str:
    return room.shown(
        "rate_keys.html",
        given=given,
        saved=saved,
        problem=problem,
        named=sorted(NAMED),
        groups=[(title, [(action, WORDS[action]) for action in actions]) for title, actions in _GROUPS],
    )
