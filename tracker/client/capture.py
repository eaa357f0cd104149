"""Cameras and clips: frames one at a time, and clips in pieces."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from tracker.client.calling import Caller
from tracker.client.results import Progress, Uploaded, distribution, instant
from tracker.domain.series import Reason

Box = tuple[float, float, float, float]
"""Where a face is, as shares of the picture: x, y, width, height."""

_MEDIA = {b"\xff\xd8": "image/jpeg", b"\x89P": "image/png"}


class Live:
    """Live captures; each begins with `look`, where one says which face is one's own."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def look(self, picture: bytes, taken: datetime) -> tuple[str, list[Box]]:
        """The faces in a picture, and the id of the capture that may begin; nothing is stored."""
        told = self._picture("POST", "/captures", picture, taken)
        return told["capture"], [(f["x"], f["y"], f["width"], f["height"]) for f in told["faces"]]

    def start(self, capture: str, face: int, taken: datetime) -> Progress:
        """Begin with the face that is one's own, counted from 0."""
        sent = {"face": face, "taken_ms": _ms(taken)}
        return _progress(_json(self._caller, "PUT", f"/captures/{capture}", sent))

    def frame(self, capture: str, number: int, picture: bytes, taken: datetime) -> Progress:
        """Leave a frame to be looked at, and learn how those before it fared."""
        return _progress(self._picture("PUT", f"/captures/{capture}/frames/{number}", picture, taken))

    def stop(self, capture: str) -> Progress:
        """End a capture."""
        return _progress(_json(self._caller, "DELETE", f"/captures/{capture}", None))

    def _picture(self, method: str, path: str, picture: bytes, taken: datetime) -> dict[str, Any]:
        media = _MEDIA.get(picture[:2], "image/jpeg")
        return self._caller.carry(method, path, picture, media, {"taken_ms": _ms(taken)})


class Uploads:
    """Clips, sent in pieces and read in the background."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def send(
        self,
        path: Path,
        *,
        started_at: datetime | None = None,
        first_face: bool = False,
        told: Callable[[Uploaded], None] = lambda _: None,
    ) -> Uploaded:
        """Send a clip and have it read; goes on where an earlier try broke off.

        Parameters
        ----------
        path
            The file.
        started_at
            When it was recorded, where the clip does not say it.
        first_face
            Whether the first face that is alone in the picture is one's own.
        told
            Called after each piece.
        """
        size = path.stat().st_size
        sent = {"key": f"{path.name}|{size}|{path.stat().st_mtime_ns}", "size": size}
        state = _uploaded(self._caller.post("/uploads", sent))
        with path.open("rb") as file:
            while state.stage == "receiving":
                file.seek(state.offset)
                piece = file.read(state.largest_piece)
                there = f"/uploads/{state.id}/pieces/{state.offset}"
                state = _uploaded(self._caller.carry("PUT", there, piece, "application/octet-stream"))
                told(state)
        return self.read(state.id, started_at=started_at, first_face=first_face)

    def read(self, upload: str, *, started_at: datetime | None = None, first_face: bool = False) -> Uploaded:
        """Have a whole clip read."""
        sent = {"started_at": started_at, "first_face": first_face}
        return _uploaded(self._caller.post(f"/uploads/{upload}/read", sent))

    def state(self, upload: str) -> Uploaded:
        """Where an upload stands."""
        return _uploaded(self._caller.get(f"/uploads/{upload}"))

    def discard(self, upload: str) -> None:
        """Drop a clip, or have it read no further."""
        self._caller.ask("DELETE", f"/uploads/{upload}")


def _json(caller: Caller, method: str, path: str, sent: dict[str, Any] | None) -> dict[str, Any]:
    answer: dict[str, Any] = caller.ask(method, path, sent=sent).json()
    return answer


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _progress(told: dict[str, Any]) -> Progress:
    return Progress(
        told["taken"],
        told["dropped"],
        told["stored"],
        told["faces"],
        told["lost"],
        None if told["reason"] is None else Reason(told["reason"]),
        instant(told["at"]),
        distribution(told["looks"]),
    )


def _uploaded(told: dict[str, Any]) -> Uploaded:
    names = (
        "id",
        "stage",
        "offset",
        "size",
        "largest_piece",
        "share",
        "stored",
        "known",
        "read",
        "problem",
        "ask_start",
    )
    return Uploaded(*(told[name] for name in names))
