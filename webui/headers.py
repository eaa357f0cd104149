"""Headers on every response: nothing from other hosts, no inline scripts, no caching of personal pages."""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response, request

_BASE = {
    "default-src": "'none'",
    "object-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "frame-src": "'self'",
    "frame-ancestors": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
}
# Bokeh writes its style sheets into the page and draws tool icons from data URLs. Its frame alone may,
# and holds no text of users.
_CHART = _BASE | {"style-src": "'self' 'unsafe-inline'", "img-src": "'self' data:", "frame-src": "'none'"}
CHART_ENDPOINT = "timeline.chart"
CAMERA_ENDPOINT = "capturing.page"
"""The one page that may ask for the camera."""


def policy(endpoint: str | None) -> str:
    """The content security policy of an endpoint.

    Examples
    --------
    >>> "unsafe" in policy("timeline.page"), "'unsafe-inline'" in policy("timeline.chart")
    (False, True)
    """
    rules = _CHART if endpoint == CHART_ENDPOINT else _BASE
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def protect(app: Flask) -> None:
    """Add the headers to every response of the app."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = policy(request.endpoint)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "SAMEORIGIN"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    camera = "(self)" if request.endpoint == CAMERA_ENDPOINT else "()"
    headers["Permissions-Policy"] = f"camera={camera}, microphone=(), geolocation=()"
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.blueprint != "assets" or response.status_code != HTTPStatus.OK:
        headers["Cache-Control"] = "no-store, private"
    return response
