"""Answer with a picture that was opened: what it is stands in its first bytes. No cache keeps it (`webui.headers`)."""

from __future__ import annotations

from flask import Response

PICTURES = "image/*"
"""What a description says of them: which of the two it is depends on what the participant allows."""

_JPEG = b"\xff\xd8"


def picture_of(opened: bytes) -> Response:
    """Answer with a kept picture: a cut-out face is a PNG file, a frame of video a JPEG.

    Examples
    --------
    >>> picture_of(b"\\xff\\xd8\\xff").mimetype, picture_of(b"\\x89PNG").mimetype
    ('image/jpeg', 'image/png')
    """
    return Response(opened, mimetype="image/jpeg" if opened.startswith(_JPEG) else "image/png")
