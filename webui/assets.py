"""Our style sheet and scripts, and BokehJS from the installed wheel: versioned paths, cached for long."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path

import bokeh
from flask import Blueprint, Response, abort, request, url_for

OWN = Path(__file__).parent / "static"
BOKEH = Path(bokeh.__file__).parent / "server" / "static" / "js"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
BOKEH_FILES = ("bokeh.min.js", "bokeh-api.min.js")

pages = Blueprint("assets", __name__)


@cache
def _files() -> dict[str, Path]:
    """What is served, by name: nothing else in any folder can be asked for."""
    own = {path.name: path for path in OWN.iterdir() if path.suffix in TYPES}
    return own | {name: BOKEH / name for name in BOKEH_FILES}


@cache
def _content(name: str) -> tuple[bytes, bytes, str]:
    plain = _files()[name].read_bytes()
    return plain, gzip.compress(plain, 6, mtime=0), hashlib.sha256(plain).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a file, with its content's hash in it: a changed file has another address."""
    return url_for("assets.file", version=_content(name)[2], name=name)


@pages.app_template_global("asset")
def _asset(name: str) -> str:
    return asset(name)


@pages.get("/assets/<version>/<name>")
def file(version: str, name: str) -> Response:
    """Serve one file, compressed where the browser takes it."""
    if name not in _files() or version != _content(name)[2]:
        abort(404)
    plain, packed, _ = _content(name)
    response = Response(plain, mimetype=TYPES[_files()[name].suffix])
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
