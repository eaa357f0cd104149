"""What pages say of the study in force: its notice in the reader's language, and whom to ask."""

from __future__ import annotations

from contextlib import suppress

from flask import g, request
from flask_babel import gettext

from tracker.domain.notice import HELP_CONTACT, NoticeText
from tracker.store.database import DatabaseError
from tracker.study import Study, notice_text, notice_texts
from tracker.workflows import studies
from webui.languages import current
from webui.services import services


def study() -> Study:
    """The study in force: one for the whole request."""
    if "study" not in g:
        g.study = studies.in_force(services().access)
    found: Study = g.study
    return found


def text() -> NoticeText:
    """The study's notice in the language of the page, else in one that the browser prefers, else in its first."""
    known = [found.language for found in notice_texts(study())]
    here = current()
    return notice_text(study(), here if here in known else request.accept_languages.best_match(known))


def texts() -> frozenset[str]:
    """The SHA-256 of the study's notice in each of its languages."""
    return frozenset(found.notice().sha256 for found in notice_texts(study()))


def help_contact() -> str:
    """Whom participants ask; on every page, so on those too that say that the database cannot be used."""
    if stated := services().help_contact:
        return stated
    with suppress(DatabaseError):
        if (named := study().help_contact) != HELP_CONTACT:
            return named
    return str(gettext("the people who gave you your code"))  # HELP_CONTACT's own words
