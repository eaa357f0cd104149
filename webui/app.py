"""The app factory: everything a request needs hangs on the app that it made, nothing is global."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from flask import Flask

from tracker.access import Access
from tracker.workflows.ingest import Captures, Reader, Uploads
from webui import (
    addresses,
    assets,
    auth,
    auth_store,
    characters,
    cookies,
    csrf,
    datasets,
    errors,
    headers,
    health,
    journal,
    languages,
    limits,
    monitor,
    rate,
    roles,
    words,
)
from webui.account import confirming, invited, page, passkeys, second, tokens
from webui.api import wiring
from webui.participant import (
    answering,
    answering_offline,
    answering_phone,
    capturing,
    consent,
    correcting,
    entering,
    erased,
    hiding,
    learned,
    leaving,
    mydata,
    privacy,
    telling,
    timeline,
    uploading,
)
from webui.services import NAME, Services


def create_app(
    access: Access,
    clock: Callable[[], datetime],
    *,
    secure_cookies: bool = False,
    help_contact: str = "",
    entries: Mapping[str, str] | None = None,
    reader: Callable[[], Reader] | None = None,
) -> Flask:
    """Make the web app.

    Parameters
    ----------
    access
        The gate, opened in the process that serves.
    clock
        Returns the current instant (aware, UTC).
    secure_cookies
        Send cookies over TLS only; set it wherever TLS ends in this process or before it.
    help_contact
        Whom participants ask, where it is not who the study says; shown on every page.
    entries
        For the demo alone: one-time tokens of ``/enter/TOKEN`` and the participant ids that they log in.
    reader
        Loads what reads faces, on first use; without it nobody can capture in the browser.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=access.vault.secret("sessions"),
        MAX_CONTENT_LENGTH=limits.LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=limits.LARGEST_REQUEST,
        DEMO_ENTRIES=dict(entries or {}),
    )
    captures = (
        Captures(access, reader, clock, time.monotonic, max(1, (os.cpu_count() or 1) // 2))
        if reader is not None
        else None
    )
    app.extensions[NAME] = Services(
        access,
        clock,
        limits.Rate(limits.LOGINS, limits.PER),
        limits.Turns(),
        help_contact,
        captures=captures,
        uploads=Uploads(access, captures.reader, clock, time.monotonic) if captures is not None else None,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    cookies.set_up(app, secure=secure_cookies)
    journal.teach(app)
    auth_store.set_up(app, access)
    auth.protect(app)
    csrf.protect(app)
    characters.protect(app)
    headers.protect(app)
    errors.explain(app)
    words.teach(app)
    languages.teach(app)
    addresses.teach(app)
    for pages in (
        assets.pages,
        health.pages,
        languages.pages,
        entering.pages,
        second.pages,
        passkeys.pages,
        confirming.pages,
        invited.pages,
        page.pages,
        tokens.pages,
        capturing.pages,
        consent.pages,
        timeline.pages,
        correcting.pages,
        learned.pages,
        hiding.pages,
        answering.pages,
        answering_offline.pages,
        answering_phone.pages,
        telling.pages,
        mydata.pages,
        erased.pages,
        uploading.pages,
        leaving.pages,
        privacy.pages,
        rate.pages,
        monitor.pages,
        datasets.pages,
    ):
        app.register_blueprint(pages)
    wiring.teach(app)
    roles.demand_complete(app)
    return app
