"""What is stored about a participant, and what becomes of it: the data map in plain words, for anybody to read."""

from __future__ import annotations

from flask import Blueprint, g, render_template
from flask_babel import gettext

from tracker.privacy.datamap import Ground
from tracker.privacy.files import FILES
from tracker.privacy.plain import held_on
from tracker.study import DEFAULT
from tracker.workflows import receipts
from webui import auth
from webui.services import services
from webui.study import study, text

pages = Blueprint("privacy", __name__)


@pages.get("/privacy")
def page() -> str:
    """Show it; beside each thing, whether whoever is logged in allows it."""
    granted = None
    if "person" in g:
        with services().access.read(auth.person().id, auth.now()) as unit:
            granted = set(unit.grants())
    shown = text()
    return render_template(
        "privacy.html",
        study=study(),
        controller=_controller(),
        cards=[(card, held_on(card.scope)) for card in shown.cards],
        granted=granted,
        identity=held_on(Ground.IDENTITY),
        operation=held_on(Ground.OPERATION),
        staff=held_on(Ground.STAFF),
        files=FILES,
        key=receipts.key(services().access),
        language_of_notice=shown.language,
    )


def _controller() -> str:
    """Who answers for the study; a study that names nobody has words of ours, said in the page's language."""
    name = study().controller.name
    return str(gettext("whoever runs this installation")) if name == DEFAULT.controller.name else name
