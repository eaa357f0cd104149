"""The page of answers for when there is no network: a shell without anything personal, and the worker that keeps it."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, render_template, url_for
from flask_babel import gettext as _

from webui.assets import asset
from webui.participant.answering_form import form, parts
from webui.study import study

pages = Blueprint("answer_shell", __name__)

FILES = ("icon.svg", "style.css", "answer.css", "offline.js", "answer.js")


@pages.get("/answer/shell")
def shell() -> str:
    """The form alone: it is the same for everybody, and knows nobody."""
    return _shell()


@pages.get("/answer/worker.js")
def worker() -> Response:
    """The script that answers for /answer where no network does."""
    files = [asset(name) for name in FILES]
    version = hashlib.sha256("|".join([_shell(), *files]).encode()).hexdigest()[:12]
    script = render_template(
        "answer-worker.js",
        version=version,
        files=files,
        shell=url_for("answer_shell.shell"),
        standing=url_for("answer_phone.standing"),
        answer=url_for("answering.page"),
        title=_("A question is waiting"),
        body=_("Tap to answer. You need not."),
    )
    response = Response(script, mimetype="text/javascript")
    response.headers["Service-Worker-Allowed"] = url_for("answering.page")
    return response


def _shell() -> str:
    return render_template("answer_shell.html", form=form(study()), chosen={}, asked=parts(None, study()))
