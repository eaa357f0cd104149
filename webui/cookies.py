"""The one cookie: a signed session that scripts cannot read, and that over TLS belongs to this host alone."""

from __future__ import annotations

import hashlib

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

NAME = "affect_session"
PREFIX = "__Host-"
"""Over TLS a browser takes a cookie of such a name from this host alone, for the whole of it, and never without TLS."""


class Sessions(SecureCookieSessionInterface):
    """Flask's sessions in a cookie, signed with HMAC-SHA-256; they are named after how they travel."""

    digest_method = staticmethod(hashlib.sha256)

    def get_cookie_name(self, app: Flask) -> str:
        """`NAME`, with `PREFIX` where cookies are for TLS alone."""
        return (PREFIX if self.get_cookie_secure(app) else "") + NAME


def set_up(app: Flask, *, secure: bool) -> None:
    """Let an app keep its sessions so.

    Parameters
    ----------
    app
        The app.
    secure
        Whether there is TLS between browsers and us.
    """
    app.config.update(
        SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_SECURE=secure
    )
    app.session_interface = Sessions()
