"""What raters do with what is stored about themselves: allow, look, take along, erase."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tracker.client.calling import Caller
from tracker.client.choices import Proof
from tracker.client.results import instant
from tracker.domain.raters import RaterNotice, RaterScope


@dataclass(frozen=True, slots=True)
class RaterAgreed:
    """What a rater allows about themselves.

    Attributes
    ----------
    scopes, at
        What they allow, and when they last said something; None: never.
    enough
        Whether they may rate.
    """

    scopes: frozenset[RaterScope]
    enough: bool
    at: datetime | None


@dataclass(frozen=True, slots=True)
class NoticeForRater:
    """The notice, and the state in which it was read; show all of it before anybody chooses.

    Attributes
    ----------
    text
        Word for word.
    sha256, tag
        Of the text, as the server says it, and of what was allowed then.
    """

    text: RaterNotice
    sha256: str
    tag: str


@dataclass(frozen=True, slots=True)
class Part:
    """How many of how many, and between what limits that may lie."""

    hits: int
    n: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RaterFigures:
    """What is stored and measured about a rater; a share is None where nothing can be said.

    Attributes
    ----------
    stored
        Rows by table.
    done, goal, total
        Today, the study's goal for a day, and in all.
    median_response_ms, visible_p95_ms
        How long answers took and faces took to be seen; None where it is not measured.
    cannot_tell, with_others, with_known, with_network
        Shares of one's answers.
    """

    stored: dict[str, int]
    done: int
    goal: int
    total: int
    median_response_ms: float | None
    visible_p95_ms: int | None
    cannot_tell: Part | None
    with_others: Part | None
    with_known: Part | None
    with_network: Part | None


class Rater:
    """A rater's own."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def read(self) -> NoticeForRater:
        """The notice for raters, and where everything stands while it is read."""
        tag = self._caller.ask("GET", "/rater/grants").headers.get("ETag", "")
        told = self._caller.get("/rater/notice")
        cards = tuple((RaterScope(card["scope"]), card["words"]) for card in told["cards"])
        return NoticeForRater(RaterNotice(tuple(told["paragraphs"]), cards), told["sha256"], tag)

    def agreed(self) -> RaterAgreed:
        """What one allows."""
        return _agreed(self._caller.get("/rater/grants"))

    def allow(self, notice: NoticeForRater, scopes: Iterable[RaterScope]) -> RaterAgreed:
        """Allow what is named and refuse the rest; whatever was said since the notice was read comes first (412)."""
        sent = {"notice": notice.sha256, "scopes": [scope.value for scope in scopes]}
        return _agreed(self._caller.put("/rater/grants", sent, tag=notice.tag))

    def figures(self) -> RaterFigures:
        """How far one is, and how often one agrees with others."""
        told = self._caller.get("/rater/figures")
        shares = ("cannot_tell", "with_others", "with_known", "with_network")
        return RaterFigures(**told | {name: told[name] and Part(**told[name]) for name in shares})

    def take_along(self, proof: Proof) -> dict[str, Any]:
        """Everything stored about one's ratings, as JSON has it."""
        found: dict[str, Any] = self._caller.post("/rater/archive", {"proof": proof.sent()})
        return found

    def erase(self, proof: Proof) -> dict[str, int]:
        """Erase what one said and what was measured of it; return how many rows went, by table."""
        rows: dict[str, int] = self._caller.post("/rater/erasure", {"proof": proof.sent()})["rows"]
        return rows


def _agreed(told: dict[str, Any]) -> RaterAgreed:
    scopes = frozenset(RaterScope(scope) for scope in told["scopes"])
    return RaterAgreed(scopes, told["enough"], instant(told["at"]))
