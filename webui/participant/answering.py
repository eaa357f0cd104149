"""Answer in seconds: how it is now, of one's own accord or because a question was put."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.domain.clocks import ClockOffError
from tracker.domain.consent import ConsentError, Scope
from tracker.domain.prompting import State
from tracker.workflows import feedback, prompting
from tracker.workflows.feedback import Answered
from tracker.workflows.prompting import Live, NoPromptError, PromptOverError
from webui import auth, refusals
from webui.errors import answer as complain
from webui.errors import consent_sentence
from webui.participant import answering_form, answering_phone
from webui.participant.answering_reading import read
from webui.services import services
from webui.study import study, text
from webui.words import instant

pages = Blueprint("answering", __name__)

LOOK_BACK = timedelta(days=7)
"""Of how many days the page says what was asked."""


@pages.get("/answer")
def page() -> str:
    """How it is now."""
    return _page()


@pages.get("/answer/<int:prompt>")
def question(prompt: int) -> str:
    """One question; opening it is noted. One that is over says so, and asks how it is now instead."""
    try:
        live = prompting.start(services().access, auth.person(), prompt, auth.now())
    except NoPromptError:
        abort(404, _("There is no such question of yours."))
    except PromptOverError as over:
        return _page(over=_over(over))
    return _page(live=live)


@pages.post("/answer/<int:prompt>/dismiss")
def dismiss(prompt: int) -> Response:
    """Put a question away, for good."""
    try:
        prompting.dismiss(services().access, auth.person(), prompt, auth.now())
    except NoPromptError:
        abort(404, _("There is no such question of yours."))
    except PromptOverError:
        pass  # it has ended by itself
    return redirect(url_for(".page"), 303)


@pages.post("/answer")
def save() -> str | Response | tuple[Response | str, int]:
    """Store an answer, once for its key; JSON is for what a phone kept while it was offline.

    Takes a form, or JSON with the same fields, all texts: ``key``, ``emotion``, ``second``, ``intensity`` (1 to 5),
    ``grid`` (``"pleasant,lively"``, each from -4 to 4), ``alone`` (``yes``, ``either``, ``no``), ``place``,
    ``activity``, ``company``, ``note``, ``response_ms``, ``prompt``; and ``at`` with ``clock``, what the phone's clock
    said as the answer was given, and says as it is sent.
    """
    given = request.get_json() if request.is_json else request.form
    try:
        answer, prompt = read(given, auth.now(), study().own_questions)
        done = feedback.answer(services().access, auth.person(), answer, auth.now(), prompt=prompt)
    except NoPromptError:
        return _refused(404, _("There is no such question of yours; nothing was saved."), given)
    except PromptOverError as over:
        return _refused(409, _over(over), given)
    except ClockOffError as error:
        # With our time, by which the page puts right what it noted: once its clock is set, nobody can tell any more.
        return jsonify(error=refusals.said(error), now=auth.now().isoformat()), 400
    except ValueError as error:
        return _refused(400, refusals.said(error), given)
    except ConsentError as error:
        return _refused(403, consent_sentence(error), given)
    said = answering_form.told(done, text(), study())
    if request.is_json:
        html = render_template("_answer_done.html", done=done, **said)
        return jsonify(key=answer.key, at=done.at.isoformat(), again=done.again, html=html, **_facts(done))
    return _page(done=done, **said)


def _page(chosen: Mapping[str, Any] | None = None, live: Live | None = None, **more: Any) -> str:
    chosen = chosen or {}
    with services().access.read(auth.person().id, auth.now()) as unit:
        offered = feedback.offers(unit)
        waits = prompting.live(unit) if live is None else None
        past = prompting.history(unit, auth.now() - LOOK_BACK, auth.now())
    return render_template(
        "answer.html",
        form=answering_form.form(study()),
        may_say=offered.prompts if live is not None else offered.words,
        offers=offered,
        missing=answering_form.missing(offered, text()),
        owner=answering_phone.owner(auth.person()),
        key=chosen.get("key") or str(uuid.uuid4()),
        chosen=chosen,
        live=live,
        waits=waits,
        past=[
            (one, answering_form.became(one)) for one in reversed(past) if one.state is not State.SCHEDULED
        ],
        asked=answering_form.parts(live, study()),
        tells_devices=study().asking.web_push and not study().closed,
        **more,
    )


def _over(over: PromptOverError) -> str:
    said: str = _("This question was put away, or taken back. No harm done.")
    if over.state is State.COMPLETED:
        said = _("You have answered this question already. Thank you.")
    elif over.state is State.EXPIRED and over.ended_at is not None:
        said = _("This question ended on %(when)s. No harm done.", when=instant(over.ended_at))
    elif over.state is State.EXPIRED:
        said = _("This question has ended. No harm done.")
    return said


def _refused(status: int, message: str, given: Any) -> tuple[Response | str, int]:
    if request.is_json:
        return complain(status, message)
    # With all that was chosen, so that nothing is typed twice; a question that is over is a question no more.
    chosen = {name: value for name, value in given.items() if status != 409 or name != "prompt"}
    return _page(chosen=chosen, problem=message, ended=status == 409), status


def _facts(done: Answered) -> dict[str, Any]:
    unlearned = {scope for word in done.words.values() for scope in word.missing}
    return {
        "words": {target: word.correction for target, word in done.words.items()},
        "context": done.context,
        "noted": done.noted,
        "left_out": [scope.value for scope in done.left_out],
        "missing": [scope.value for scope in Scope if scope in unlearned],
    }
