"""Clips that raters follow, and faces on which they disagree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tracker.client.calling import Caller
from tracker.client.results import demanded, distribution
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.rating import Trace, Verdict


@dataclass(frozen=True, slots=True)
class ClipWaits:
    """A clip that waits for a rater."""

    id: str
    because: str
    pictures: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a clip; what the network says stands there once the rater has said something."""

    observation: int
    at: datetime
    network: Distribution | None


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that was opened, and the lag that the study proposes for traces."""

    id: str
    frames: tuple[Frame, ...]
    said: Verdict | None
    lag_s: float


class Clips:
    """Clips at the desk of a rater; they are voted on with `Rating.vote`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def waiting(self) -> list[ClipWaits]:
        """The clips that wait."""
        found = self._caller.get("/rating/clips")["items"]
        return [ClipWaits(one["id"], one["because"], one["pictures"], one["seconds"]) for one in found]

    def open(self, clip: str) -> Clip:
        """Open a clip: its participant reads that one looked, and its pictures open for a while."""
        told = self._caller.get(f"/rating/clips/{clip}")
        frames = tuple(
            Frame(one["observation"], demanded(one["at"]), distribution(one["network"]))
            for one in told["frames"]
        )
        said = Verdict(told["said"]["verdict"]) if told["said"] is not None else None
        return Clip(told["id"], frames, said, told["lag_s"])

    def picture(self, clip: str, observation: int) -> bytes:
        """One picture of a clip that was opened; keep it nowhere."""
        return self._caller.ask("GET", f"/rating/clips/{clip}/frames/{observation}").data

    def is_open(self, clip: str, held: Iterable[int] = ()) -> bool:
        """Whether a clip may still be seen, with every picture that one holds; ask while it plays."""
        query = {"frames": ",".join(str(number) for number in held)}
        return bool(self._caller.get(f"/rating/clips/{clip}/open", query)["open"])

    def trace(self, clip: str, trace: Trace) -> int:
        """Keep a trace as it was drawn, once for its key."""
        sent = {
            "dimension": trace.dimension.value,
            "lag_s": trace.lag_s,
            "samples": [
                {"at": s.at.isoformat(), "value": s.value, "observation": s.observation}
                for s in trace.samples
            ],
        }
        return int(self._caller.post(f"/rating/clips/{clip}/traces", sent, key=trace.key)["trace"])


@dataclass(frozen=True, slots=True)
class SeenVote:
    """What one rater said; who it was is not told."""

    who: str
    verdict: Verdict
    emotions: Distribution | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A face with what raters said of it, what the network says where the study reveals it, and what stands decided."""

    id: str
    votes: tuple[SeenVote, ...]
    network: Distribution | None
    decided: Verdict | None


class Adjudication:
    """Faces on which raters disagree."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def waiting(self) -> list[str]:
        """Which faces wait for a decision."""
        return [one["id"] for one in self._caller.get("/adjudication")["items"]]

    def open(self, item: str) -> Dispute:
        """What raters said of one of them."""
        told = self._caller.get(f"/adjudication/{item}")
        votes = tuple(_vote(one) for one in told["votes"])
        decided = Verdict(told["decided"]["verdict"]) if told["decided"] is not None else None
        return Dispute(told["id"], votes, distribution(told["network"]), decided)

    def picture(self, item: str) -> bytes:
        """The face to decide about; keep it nowhere, its participant reads that one looked."""
        return self._caller.ask("GET", f"/adjudication/{item}/picture").data

    def is_open(self, item: str) -> bool:
        """Whether it may still be seen."""
        return bool(self._caller.get(f"/adjudication/{item}/open")["open"])

    def decide(
        self, item: str, said: Emotion | Verdict, second: Emotion | None = None, *, key: str = ""
    ) -> int:
        """Decide; it takes the place of a decision before, and the votes stay."""
        sent: dict[str, Any] = {"second": second}
        sent |= {"verdict": said} if isinstance(said, Verdict) else {"verdict": "emotion", "emotion": said}
        return int(self._caller.post(f"/adjudication/{item}/decision", sent, key=key)["decision"])


def _vote(told: Mapping[str, Any]) -> SeenVote:
    return SeenVote(told["who"], Verdict(told["verdict"]), distribution(told["emotions"]))
