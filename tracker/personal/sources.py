"""Where a learner's answers come from, and how a person is told."""

from __future__ import annotations

from enum import StrEnum


class Source(StrEnum):
    """Where a learner's answers come from: the first of these that can be read."""

    SNAPSHOT = "snapshot"
    REPLAY = "replay"
    PRIOR = "prior"
    NETWORK = "network"

    @property
    def own(self) -> bool:
        """Whether the answers are of the person's own learner."""
        return self in (Source.SNAPSHOT, Source.REPLAY)

    @property
    def sentence(self) -> str:
        """What it means, for a person to read."""
        return _SENTENCES[self]


_SENTENCES = {
    Source.SNAPSHOT: "your own learner answers",
    Source.REPLAY: "your learner's last state could not be read; it was learned again from your corrections",
    Source.PRIOR: "your learner cannot be read, and neither can all of your corrections; what people have in common "
    "answers until it is rebased",
    Source.NETWORK: "your learner cannot be asked now; the network alone answers until it is rebased",
}
