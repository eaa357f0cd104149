"""Faces, video and notes, and what a participant lets nobody else see."""

from __future__ import annotations

from tracker.domain.consent import Scope
from tracker.privacy.datamap.declaring import Ground, Retention, Stored, declared

_I, _R = Ground.IDENTITY, Retention

KEPT: tuple[Stored, ...] = (
    Stored(
        "crops",
        "The face that was read, as a small picture, encrypted.",
        declared("crops", Scope.FACE_CROPS, _R.ERASED, "id subject observation grant_id study recorded_at")
        + declared(
            "crops", Scope.FACE_CROPS, _R.ERASED, "sealed", sealed=True, derives_from="observations.id"
        ),
    ),
    Stored(
        "frames",
        "The video that was kept, picture by picture, covered but for a rectangle around its participant's head, "
        "encrypted.",
        declared("frames", Scope.RAW_VIDEO, _R.ERASED, "id subject observation grant_id study recorded_at")
        + declared(
            "frames", Scope.RAW_VIDEO, _R.ERASED, "sealed", sealed=True, derives_from="observations.id"
        ),
    ),
    Stored(
        "notes",
        "What a participant wrote beside an answer, encrypted.",
        declared("notes", Scope.NOTES, _R.ERASED, "id subject correction grant_id study recorded_at")
        + declared("notes", Scope.NOTES, _R.ERASED, "sealed", sealed=True),
    ),
    Stored(
        "hidden",
        "Which stretches of time a participant lets nobody else see, and when they showed one again.",
        declared("hidden", _I, _R.PERSON, "id subject starts_at ends_at recorded_at shown_at"),
    ),
)
