"""What left the installation: figures and data sets."""

from __future__ import annotations

from tracker.privacy.datamap.declaring import Ground, Retention, Stored, declared

_I, _O, _R = Ground.IDENTITY, Ground.OPERATION, Retention

GIVEN_OUT: tuple[Stored, ...] = (
    Stored(
        "releases",
        "Figures about everybody that were given out, with noise enough that nobody shows in them.",
        declared("releases", _O, _R.NOTICE, "id study at query epsilon delta result"),
    ),
    Stored(
        "release_members",
        "Whose budget a release was charged to.",
        declared("release_members", _I, _R.PERSON, "release subject"),
    ),
    Stored(
        "exports",
        "Which datasets were made; an erasure or withdrawal marks them as outdated.",
        declared("exports", _O, _R.EXPORT, "id at created_at request manifest_sha256 outdated_at"),
    ),
    Stored(
        "export_members",
        "Who is in which dataset.",
        declared("export_members", _I, _R.PERSON, "export participant"),
    ),
)
