"""What participants do with all that is stored: allow, hide, take along, erase."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tracker.client.calling import Caller
from tracker.client.results import Stands, demanded, instant, stands
from tracker.domain.consent import Scope
from tracker.domain.stretches import Stretch


@dataclass(frozen=True, slots=True)
class Proof:
    """Who asks: their password, and a code where they have a second factor.

    Examples
    --------
    >>> Proof("correct horse battery").sent()
    {'password': 'correct horse battery'}
    >>> Proof("correct horse battery", "123456")
    Proof()
    """

    password: str = field(repr=False)
    code: str = field(default="", repr=False)

    def sent(self) -> dict[str, str]:
        """As the server reads it."""
        said = {"password": self.password, "code": self.code}
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class NoticeRead:
    """A notice, word for word, and the state in which it was read; show all of it before anybody chooses.

    Attributes
    ----------
    version, language, languages, sha256
        Of the text; in which languages there is one; and what is allowed under it names.
    document
        ``preamble``, ``cards`` by scope, and what the study says of itself.
    asked, guardians
        Scopes that the study asks for; whether a guardian's consent is needed beside it.
    tag
        Of where each scope stood.
    """

    version: str
    language: str
    languages: tuple[str, ...]
    sha256: str
    document: Mapping[str, Any]
    asked: tuple[Scope, ...]
    guardians: bool
    tag: str


class Grants:
    """Allowing things, under the notice that was read, in the state in which it was."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def read(self, language: str | None = None) -> NoticeRead:
        """The notice that stands, and where everything stands while it is read."""
        tag = self._caller.ask("GET", "/consent/grants").headers.get("ETag", "")
        told = self._caller.get("/consent/notice", {"language": language})
        return NoticeRead(
            told["version"],
            told["language"],
            tuple(told["languages"]),
            told["sha256"],
            told["document"],
            tuple(Scope(scope) for scope in told["asked"]),
            told["guardians"],
            tag,
        )

    def allow(
        self,
        notice: NoticeRead,
        scopes: Iterable[Scope],
        *,
        covers_from: datetime | None = None,
        key: str = "",
    ) -> dict[Scope, Stands]:
        """Allow scopes; whatever was said since the notice was read comes first, and nothing is recorded then (412).

        Parameters
        ----------
        notice
            As it was read.
        scopes
            What is allowed; each was chosen by itself.
        covers_from
            From when on, where recordings made earlier are meant too.
        key
            Of this request; unless said, a new one.
        """
        sent = {
            "notice": notice.sha256,
            "scopes": [scope.value for scope in scopes],
            "covers_from": covers_from,
        }
        return stands(self._caller.post("/consent/grants", sent, key=key, tag=notice.tag))

    def confirm(self, notice: NoticeRead, *, key: str = "") -> dict[Scope, Stands]:
        """Confirm everything that an operator recorded for one."""
        sent = {"notice": notice.sha256}
        return stands(self._caller.post("/consent/confirmations", sent, key=key, tag=notice.tag))


@dataclass(frozen=True, slots=True)
class HiddenStretch:
    """A stretch that one hides: its number to show it again by, and since when."""

    number: int
    stretch: Stretch
    hidden_at: datetime


class Hiding:
    """Stretches of time that one hides from everybody else."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def hidden(self) -> list[HiddenStretch]:
        """What one hides now, in order of time."""
        return [
            HiddenStretch(
                one["number"],
                Stretch(demanded(one["from"]), demanded(one["to"])),
                demanded(one["hidden_at"]),
            )
            for one in self._caller.pages("/hidden", {})
        ]

    def rows(self, stretch: Stretch) -> dict[str, int]:
        """How many rows of each table speak of a stretch."""
        rows: dict[str, int] = self._caller.get("/stretches/rows", _edges(stretch))["rows"]
        return rows

    def hide(self, stretch: Stretch, *, key: str = "") -> int:
        """Hide a stretch that has passed; return its number."""
        return int(self._caller.post("/hidden", _edges(stretch), key=key)["number"])

    def show(self, number: int) -> None:
        """Show a stretch again to whom one allows it."""
        self._caller.ask("DELETE", f"/hidden/{number}")


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure: ``under_way``, ``data_gone``, or ``clean`` when no learner of others holds anything of it either.

    Attributes
    ----------
    id
        Keep it: it tells how far the erasure is, also when one's token is gone.
    what
        ``everything``, ``stretch``, or a scope.
    stage, gone_at, clean_at
        How far it is.
    rows, keys, learners_left
        What went, and how many learners of others answer from the network until they are rebased.
    told
        The same for people.
    """

    id: str
    what: str
    stage: str
    gone_at: datetime | None
    clean_at: datetime | None
    rows: int | None
    keys: int | None
    learners_left: int | None
    told: tuple[str, ...]


class Erasures:
    """Erasing what is stored about one, for good."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def everything(self, proof: Proof, *, key: str = "") -> Erasure:
        """Erase everything; no token works afterwards, but `state` does."""
        (begun,) = self._begin({"everything": True}, proof, key)
        return begun

    def scopes(self, scopes: Iterable[Scope], proof: Proof, *, key: str = "") -> list[Erasure]:
        """Erase what scopes cover; what is allowed of them still is withdrawn first."""
        return self._begin({"scopes": [scope.value for scope in scopes]}, proof, key)

    def stretch(self, stretch: Stretch, proof: Proof, *, key: str = "") -> Erasure:
        """Erase what is stored of a stretch of time."""
        (begun,) = self._begin(_edges(stretch), proof, key)
        return begun

    def done(self) -> list[Erasure]:
        """What one had erased and stayed, newest first."""
        return [_erasure(told) for told in self._caller.pages("/erasures", {})]

    def state(self, erasure: str) -> Erasure:
        """How far an erasure is."""
        return _erasure(self._caller.get(f"/erasures/{erasure}"))

    def certificate(self, erasure: str) -> bytes:
        """The signed certificate of an erasure whose data are gone."""
        return self._caller.ask("GET", f"/erasures/{erasure}/certificate").data

    def _begin(self, what: Mapping[str, Any], proof: Proof, key: str) -> list[Erasure]:
        told = self._caller.post("/erasures", {**what, "proof": proof.sent()}, key=key)
        return [_erasure(one) for one in told["items"]]


class Archives:
    """Everything that is stored about one."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def take_along(self, path: Path, proof: Proof) -> Path:
        """Write the archive; whoever is cut off leaves nothing that looks whole."""
        told = self._caller.post("/archives", {"proof": proof.sent()})
        return self._caller.download(f"/archives/{told['id']}/file", path)


def _edges(stretch: Stretch) -> dict[str, Any]:
    return {"from": stretch.start, "to": stretch.end}


def _erasure(told: Mapping[str, Any]) -> Erasure:
    return Erasure(
        told["id"],
        told["what"],
        told["stage"],
        instant(told["gone_at"]),
        instant(told["clean_at"]),
        told["rows"],
        told["keys"],
        told["learners_left"],
        tuple(told["told"]),
    )
