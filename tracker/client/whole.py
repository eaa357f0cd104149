"""The client: one server, one token, a member for each subject."""

from __future__ import annotations

from types import TracebackType
from urllib.parse import urlsplit

from tracker.client.calling import TRIES, Caller
from tracker.client.capture import Live, Uploads
from tracker.client.choices import Archives, Erasures, Grants, Hiding
from tracker.client.judging import Adjudication, Clips
from tracker.client.participant import Answers, Consent, Prompts, Timeline
from tracker.client.rater import Rater
from tracker.client.results import Self
from tracker.client.staff import Exports, Rating, Studies
from tracker.client.watching import Monitor

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts to which a token may go without TLS."""


class Client:
    """Asks a server in somebody's name.

    Parameters
    ----------
    address
        Where the web app is, such as ``https://study.example.org``.
    token
        Made on the page Account; what it is not for is refused with `ProblemError`.
    patience_s
        Seconds to wait for a connection, and for each part of an answer.
    tries
        How often a request is sent at most. None is carried out twice.

    Attributes
    ----------
    timeline, answers, prompts, consent, grants, hiding, archives, erasures, live, uploads
        What participants can ask, by subject.
    rating, clips, rater, adjudication, monitor, studies, exports
        What raters, researchers and operators can ask.

    Raises
    ------
    ValueError
        When the address is none, or would carry the token over a network in the open.

    Examples
    --------
    >>> Client("http://study.example.org", "aff_…")
    Traceback (most recent call last):
    ...
    ValueError: 'http://study.example.org' would carry your token in the open; use https://
    """

    def __init__(self, address: str, token: str, *, patience_s: float = 30.0, tries: int = TRIES) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{address!r} is no address; write it like https://study.example.org")
        if parts.scheme == "http" and parts.hostname not in LOCAL:
            raise ValueError(f"{address!r} would carry your token in the open; use https://")
        self.address = f"{address.rstrip('/')}/api/v1"
        self._caller = Caller(self.address, token, patience_s, tries)
        self.timeline = Timeline(self._caller)
        self.answers = Answers(self._caller)
        self.prompts = Prompts(self._caller)
        self.consent = Consent(self._caller)
        self.grants = Grants(self._caller)
        self.hiding = Hiding(self._caller)
        self.archives = Archives(self._caller)
        self.erasures = Erasures(self._caller)
        self.live = Live(self._caller)
        self.uploads = Uploads(self._caller)
        self.rating = Rating(self._caller)
        self.clips = Clips(self._caller)
        self.rater = Rater(self._caller)
        self.adjudication = Adjudication(self._caller)
        self.monitor = Monitor(self._caller)
        self.studies = Studies(self._caller)
        self.exports = Exports(self._caller)

    def who(self) -> Self:
        """Whose token this is, and what it is for."""
        told = self._caller.get("/token")
        return Self(
            told["kind"],
            told["name"],
            told["study"],
            tuple(told["roles"]),
            tuple(told["purposes"]),
            told["zone"],
            told["simulated"],
        )

    def close(self) -> None:
        """Let the connections go."""
        self._caller.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.address!r})"
