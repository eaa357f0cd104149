"""Sessions in browser tests that are about something else than logging in: no password is typed for them."""

from __future__ import annotations

import secrets

from flask import Flask

from tests import builders
from tests.e2e.site import Served, Visit
from tracker.access.credentials import Whom
from tracker.domain.members import Member
from tracker.workflows import accounts
from webui.cookies import Sessions


def let_in(site: Served, visit: Visit, whom: Whom) -> None:
    """Give a browser a session of somebody, as the server itself would have begun it at its start."""
    version, _ = accounts.standing(site.access, whom, builders.NOW)
    kind, since = "m" if isinstance(whom, Member) else "p", builders.NOW.timestamp()
    session = {"_user_id": f"{kind}.{whom.id}.{version}", "_fresh": True, "since": since, "fresh": since}
    app = Flask(__name__)
    app.secret_key = site.access.vault.secret("sessions")
    serializer = Sessions().get_signing_serializer(app)
    assert serializer is not None
    visit.page.context.add_cookies(
        [{"name": "affect_session", "value": serializer.dumps(session), "url": site.address}]
    )


def with_second_factor(site: Served, whom: Whom) -> None:
    """Set up an authenticator app, as researchers and operators have to before anything else."""
    accounts.add_app(site.access, whom, secrets.token_hex(16), 0, builders.NOW)
