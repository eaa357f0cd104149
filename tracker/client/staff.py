"""What raters, researchers and operators do: rate faces, read and check the study."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tracker.client.calling import Caller
from tracker.client.results import (
    Checked,
    Difference,
    ExportJob,
    Item,
    Registered,
    demanded,
    distribution,
    instant,
)
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.rating import Verdict

_YAML, _TOML = "application/yaml", "application/toml"


class Rating:
    """The desk of a rater."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def items(self, n: int = 1) -> list[Item]:
        """What comes next, kept for one for a while."""
        return [_item(told) for told in self._caller.get("/rating/items", {"limit": n})["items"]]

    def picture(self, item: str) -> bytes:
        """The face of an item; keep it nowhere."""
        return self._caller.ask("GET", f"/rating/items/{item}/picture").data

    def vote(
        self,
        item: str,
        said: Emotion | Verdict,
        second: Emotion | None = None,
        *,
        response_ms: int | None = None,
        key: str = "",
    ) -> Distribution | None:
        """Say what a face looks like, or why not; return what the network says, where the study reveals it."""
        sent: dict[str, Any] = {"second": second, "response_ms": response_ms}
        sent |= {"verdict": said} if isinstance(said, Verdict) else {"verdict": "emotion", "emotion": said}
        return distribution(self._caller.post(f"/rating/items/{item}/vote", sent, key=key)["network"])

    def undo(self, item: str, *, key: str = "") -> Item:
        """Take back what one said of an item; it is open again."""
        return _item(self._caller.post(f"/rating/items/{item}/undo", key=key))

    def progress(self) -> tuple[int, int]:
        """How many today, and the study's goal for a day."""
        told = self._caller.get("/rating/progress")
        return told["done"], told["goal"]


class Exports:
    """Research datasets."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def registered(self) -> list[Registered]:
        """What was exported, newest first."""
        return [
            Registered(
                one["id"],
                demanded(one["at"]),
                demanded(one["created_at"]),
                one["public"],
                tuple(one["formats"]),
                one["participants"],
                instant(one["outdated_at"]),
            )
            for one in self._caller.get("/exports")["items"]
        ]

    def begin(
        self,
        formats: Iterable[str] = ("parquet",),
        *,
        shape: str | None = None,
        every_s: int | None = None,
        key: str = "",
    ) -> ExportJob:
        """Begin an export in the background: ``parquet``, ``csv`` or ``openesm``; the series ``wide`` or ``long``."""
        sent = {"formats": list(formats), "shape": shape, "every_s": every_s}
        return _job(self._caller.post("/exports", sent, key=key))

    def state(self, job: str) -> ExportJob:
        """How far an export is."""
        return _job(self._caller.get(f"/exports/{job}"))

    def download(self, job: str, path: Path) -> Path:
        """Write the archive of an export that is done; whoever is cut off leaves nothing that looks whole."""
        return self._caller.download(f"/exports/{job}/archive", path)

    def discard(self, job: str) -> None:
        """Delete an export that waits, or stop making it."""
        self._caller.ask("DELETE", f"/exports/{job}")


class Studies:
    """The study that governs."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def show(self) -> dict[str, Any]:
        """Everything that the study in force says."""
        document: dict[str, Any] = self._caller.get("/study")["document"]
        return document

    def check(self, text: str, *, yaml: bool = False) -> Checked:
        """Whether the text of a study file is sound."""
        told = self._file("/study/checks", text, yaml)
        return Checked(told["sound"], tuple(told["problems"]), told["sha256"])

    def diff(self, text: str, *, yaml: bool = False) -> list[Difference]:
        """What a study file says otherwise than the study in force."""
        found = self._file("/study/diffs", text, yaml)["items"]
        return [Difference(tuple(one["place"]), one["before"], one["after"], one["told"]) for one in found]

    def preview(self, text: str, *, yaml: bool = False) -> list[str]:
        """What applying a study file would change, in sentences; for operators."""
        return [str(line) for line in self._file("/study/previews", text, yaml)["told"]]

    def apply(
        self, text: str, over: str, code: str, *, takes_away: bool = False, yaml: bool = False, key: str = ""
    ) -> bool:
        """Let a study file govern from now on; for operators. Return False where it governed already.

        Parameters
        ----------
        text, yaml
            The file, and whether it is YAML instead of TOML.
        over
            `governing` before `preview` told what this changes: where another study governs by now, nothing is changed.
        code
            What the operator's authenticator app shows.
        takes_away
            Whether it is meant where the preview says that it takes something away.
        key
            Of this request; unless said, a new one.
        """
        query = {"over": over, "takes_away": "true" if takes_away else "false"}
        named = {"Idempotency-Key": key or str(uuid.uuid4()), "Proof-Code": code}
        media = _YAML if yaml else _TOML
        path = "/study/versions"
        return bool(self._caller.carry("POST", path, text.encode(), media, query, named)["applied"])

    def governing(self) -> str:
        """The SHA-256 of the study in force."""
        return str(self._caller.get("/study")["sha256"])

    def _file(self, path: str, text: str, yaml: bool) -> dict[str, Any]:
        return self._caller.carry("POST", path, text.encode(), _YAML if yaml else _TOML)


def _job(told: dict[str, Any]) -> ExportJob:
    return ExportJob(
        told["id"],
        told["stage"],
        told["share"],
        demanded(told["began_at"]),
        told["export"],
        told["size"],
        told["problem"],
    )


def _item(told: dict[str, Any]) -> Item:
    return Item(told["id"], told["because"], demanded(told["kept_until"]))
