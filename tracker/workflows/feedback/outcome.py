"""What a correction did, and what keeps one from being stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tracker.domain.affect import Distribution
from tracker.domain.consent import Scope
from tracker.personal import Source
from tracker.personal.answered import NoPromptError


class PromptError(NoPromptError):
    """An answer is to a prompt that was never put to this person."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction did.

    Attributes
    ----------
    correction
        Its id.
    at
        The moment it speaks of.
    superseded
        The correction that this one replaces, or None.
    machine
        What the network reads there, or None where there is no observation near.
    before, after
        What the person's learner said before it learned this, and says now: a distribution; a yes (above 0.5)
        or no, as sure as it is far from the other end; or a mean with its standard deviation. None where it
        learned nothing.
    missing
        Scopes without which nothing was learned.
    not_covered_since
        Where nothing was learned because the moment lies before what the grant of learning covers: the
        instant from which on it does; else None.
    source
        Where `before` comes from. Where nothing was learned because the person's own learner cannot be read, what
        answers in its place; else None.
    noted
        Whether a note was sealed beside it.
    hidden
        Whether nothing was learned because the participant hides the moment.
    """

    correction: int
    at: datetime
    observation: int | None
    superseded: int | None = None
    machine: Distribution | None = None
    before: Any = None
    after: Any = None
    missing: tuple[Scope, ...] = ()
    not_covered_since: datetime | None = None
    source: Source | None = None
    noted: bool = False
    hidden: bool = False
