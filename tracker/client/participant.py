"""What participants do: their timeline, answers, questions and consent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from tracker.client.calling import Caller
from tracker.client.results import (
    Answered,
    Asked,
    Corrected,
    Kept,
    Stands,
    Waits,
    demanded,
    distribution,
    instant,
    moment,
    stands,
)
from tracker.domain.affect import Emotion
from tracker.domain.consent import Scope
from tracker.domain.series import Moment


class Timeline:
    """One's own series."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def moments(
        self, start: datetime | None = None, end: datetime | None = None, *, page: int = 500
    ) -> Iterator[Moment]:
        """Stream every moment of [start, end), in order; either end may be open, and pages are asked for as needed."""
        query = {"from": start, "to": end, "limit": page}
        for told in self._caller.pages("/timeline/moments", query):
            yield moment(told)

    def points(self, start: datetime | None = None, end: datetime | None = None) -> dict[str, Any]:
        """A stretch as a chart draws it, as JSON; unless said, the 24 hours before now."""
        return self._caller.get("/timeline/points", {"from": start, "to": end})

    def kept(self, at: datetime, observation: int | None = None) -> Kept:
        """What is kept sealed of a moment, for oneself alone."""
        told = self._caller.get("/timeline/kept", {"at": at, "observation": observation})
        return Kept(told["picture"], told["note"], told["may_note"])

    def picture(self, observation: int) -> bytes:
        """One's own face as it was kept of an observation."""
        return self._caller.ask("GET", f"/timeline/observations/{observation}/picture").data


class Answers:
    """What one says about how one is."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def answer(
        self,
        emotion: Emotion | None = None,
        second: Emotion | None = None,
        *,
        at: datetime | None = None,
        intensity: int | None = None,
        valence: float | None = None,
        arousal: float | None = None,
        alone: str | None = None,
        own: Mapping[str, float] | None = None,
        place: str | None = None,
        activity: str | None = None,
        company: str | None = None,
        note: str | None = None,
        prompt: int | None = None,
        key: str = "",
    ) -> Answered:
        """Say how it is: any of it may be left out, not all.

        Parameters
        ----------
        emotion, second, intensity
            What it is most like, what besides, and how strong from 1 to 5.
        at
            The moment that it speaks of; unless said, now.
        valence, arousal
            How pleasant and how lively, from -1 to 1; both or none.
        alone
            Whether one wants to be left alone: ``yes``, ``either`` or ``no``.
        own
            What the study asks besides, by target: 1, 0.5 or 0 to a yes-or-no question, else from -1 to 1.
        place, activity, company, note
            What surrounds one, and one's own words.
        prompt
            The question that it answers.
        key
            Of this answer: one that is sent twice with it is stored once. Unless said, a new one.
        """
        sent = {
            "emotion": emotion,
            "second": second,
            "at": at,
            "intensity": intensity,
            "valence": valence,
            "arousal": arousal,
            "alone": alone,
            "own": dict(own) if own else None,
            "place": place,
            "activity": activity,
            "company": company,
            "note": note,
            "prompt": prompt,
        }
        told = self._caller.post("/answers", sent, key=key)
        return Answered(
            demanded(told["at"]),
            told["words"],
            told["context"],
            told["noted"],
            tuple(told["left_out"]),
            tuple(told["missing"]),
        )

    def correct(
        self,
        at: datetime,
        emotion: Emotion,
        second: Emotion | None = None,
        *,
        note: str | None = None,
        key: str = "",
    ) -> Corrected:
        """Say what a moment looked like; it takes the place of what was said of it before."""
        sent = {"at": at, "emotion": emotion, "second": second, "note": note}
        told = self._caller.post("/corrections", sent, key=key)
        return Corrected(
            told["id"],
            demanded(told["at"]),
            distribution(told["network"]),
            distribution(told["before"]),
            distribution(told["after"]),
            told["superseded"],
            told["noted"],
            tuple(told["missing"]),
        )

    def surroundings(
        self,
        *,
        place: str | None = None,
        activity: str | None = None,
        company: str | None = None,
        at: datetime | None = None,
        key: str = "",
    ) -> int:
        """Keep what surrounds one from an instant on; return its id."""
        sent = {"place": place, "activity": activity, "company": company, "at": at}
        return int(self._caller.post("/contexts", sent, key=key)["id"])


class Prompts:
    """Questions that one is asked."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def waiting(self) -> Waits | None:
        """The question to answer now; None where none waits."""
        told = self._caller.get("/prompts/waiting")["prompt"]
        return None if told is None else _waits(told)

    def history(self, start: datetime | None = None, end: datetime | None = None) -> Iterator[Asked]:
        """Stream the questions of [start, end), oldest first; unless said, of the last 30 days."""
        for told in self._caller.pages("/prompts", {"from": start, "to": end}):
            yield Asked(
                told["id"],
                told["schedule"],
                demanded(told["scheduled_at"]),
                instant(told["notified_at"]),
                instant(told["started_at"]),
                instant(told["completed_at"]),
                told["state"],
                told["why"],
            )

    def start(self, prompt: int) -> Waits:
        """Note that a question was opened."""
        return _waits(self._caller.post(f"/prompts/{prompt}/start"))

    def zone(self) -> str:
        """By which clock questions come: an IANA time zone."""
        return str(self._caller.get("/zone")["zone"])

    def move(self, zone: str) -> None:
        """Say where one is: what falls due follows the clock there from now on."""
        self._caller.put("/zone", {"zone": zone})

    def dismiss(self, prompt: int) -> None:
        """Put a question away unanswered, for good."""
        self._caller.post(f"/prompts/{prompt}/dismiss")


class Consent:
    """What one allows, and taking it back."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def state(self) -> dict[Scope, Stands]:
        """Where each scope stands."""
        return stands(self._caller.get("/consent"))

    def withdraw(self, scopes: Iterable[Scope], *, keep: bool = False) -> dict[Scope, Stands]:
        """Withdraw scopes at once; what is stored is kept for oneself, or one is asked on the page Consent."""
        sent = {"scopes": [scope.value for scope in scopes], "then": "keep" if keep else "ask"}
        return stands(self._caller.post("/consent/withdrawals", sent))

    def keep(self) -> None:
        """Have what withdrawn scopes cover kept for oneself, which would be erased when the time is over."""
        self._caller.post("/consent/answers", {"answer": "keep"})

    def refuse(self, scopes: Iterable[Scope]) -> dict[Scope, Stands]:
        """Say no to scopes that one has not allowed."""
        return stands(self._caller.post("/consent/refusals", {"scopes": [scope.value for scope in scopes]}))

    def receipt(self) -> bytes:
        """Everything that one allowed, refused and withdrew, signed."""
        return self._caller.ask("GET", "/consent/receipt").data

    def pause(self) -> None:
        """Store nothing of one's series until `resume`."""
        self._caller.put("/pause", {"paused": True})

    def resume(self) -> None:
        """Store the series again."""
        self._caller.put("/pause", {"paused": False})


def _waits(told: dict[str, Any]) -> Waits:
    return Waits(
        told["id"],
        told["schedule"],
        demanded(told["scheduled_at"]),
        told["started"],
        instant(told["ends_at"]),
        tuple(told["asks"]),
        told["why"],
    )
