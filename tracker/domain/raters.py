"""What is measured of raters, and the notice that tells them before their first item."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum


class RaterScope(StrEnum):
    """One thing that a rater can allow about themselves; only the first is needed to rate."""

    VOTES = "votes"
    SPEED = "speed"
    AGREEMENT = "agreement"
    RESEARCH = "research"

    @property
    def words(self) -> str:
        """What it means, as the notice says it."""
        return _WORDS[self]


_WORDS = {
    RaterScope.VOTES: "Your answers are kept under a number of yours, with the moment at which you gave them. "
    "Without that nobody could rate.",
    RaterScope.SPEED: "How long an item took to appear and how long you took to answer is kept with each answer. "
    "It is never a target, and it pays nothing.",
    RaterScope.AGREEMENT: "How often you agree with others, with known answers and with the network is computed from "
    "your answers, and decides how much they count. If you refuse, your answers count as those of raters of whom "
    "nothing is known.",
    RaterScope.RESEARCH: "Your answers may be in the data sets that the study's researchers make, under a random name "
    "that is another one in each. Whoever has such a data set sees what you answered and when, how long you took if "
    "that is kept, and can compare your answers with those of others. They are in no data set that everybody may have.",
}

NEEDED = frozenset({RaterScope.VOTES})
"""What has to be allowed before the first item."""

PARAGRAPHS = (
    "You will see faces of people who take part in a study and allow this. Say what a face looks like; nobody can know "
    "what somebody feels from a picture, and 'cannot tell' is an answer as good as any.",
    "Whatever you see stays here: make no copies, and tell nobody whom you believe to have recognised. If you "
    "recognise somebody, or do not want to look, say 'uncomfortable': the item goes, and nothing is asked.",
    "Some items have a known answer. They look like all others, and show how well faces can be read at all.",
    "What is measured of you decides nothing by itself: no figure stops your work, pays you or ends it. People who run "
    "the study see your figures with their uncertainty.",
    "You can see, take along and erase what is stored about you at any time, and stop whenever you like. Erased "
    "answers are gone. What was put together of several people's answers stays, and names nobody.",
)
"""What a rater reads, before what is measured."""


@dataclass(frozen=True, slots=True)
class RaterNotice:
    """The exact text that raters agree to.

    Attributes
    ----------
    paragraphs
        What they read.
    scopes
        What is measured, each with its words.
    """

    paragraphs: tuple[str, ...]
    scopes: tuple[tuple[RaterScope, str], ...]

    @property
    def sha256(self) -> str:
        """SHA-256 of the text; what was agreed to under another is asked again."""
        said = [list(self.paragraphs), [[scope.value, words] for scope, words in self.scopes]]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def rater_notice(help_contact: str) -> RaterNotice:
    """The notice for raters of a study.

    Examples
    --------
    >>> notice = rater_notice("Dr. Example")
    >>> [scope.value for scope, _ in notice.scopes], "Dr. Example" in notice.paragraphs[-1]
    (['votes', 'speed', 'agreement', 'research'], True)
    """
    asking = f"Questions, or something that troubles you: {help_contact}."
    return RaterNotice((*PARAGRAPHS, asking), tuple((scope, scope.words) for scope in RaterScope))
