"""The rule at the core of asking, which the app and the challenge share."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from tracker.learning.reasons import Reason


class Action(IntEnum):
    """What happens at a moment."""

    DECIDE = 0
    ASK = 1
    SILENT = 2


class Choice(NamedTuple):
    """An action, its reason, and whether the question is one of those drawn at random."""

    action: Action
    because: Reason
    audit: bool = False


def choose(
    confidence: float,
    threshold: float,
    *,
    warming_up: bool,
    u: float,
    audits: float,
    left_today: int | None,
) -> Choice:
    """Choose by the rule that the app and the challenge share.

    In the warm-up everything is asked. Afterwards what is confident is decided, but for a random share of it,
    and what is unsure is asked. Without a question left, what is unsure stays silent.

    Parameters
    ----------
    confidence
        max(p, 1 - p).
    threshold
        From which confidence on it decides (`tracker.learning.abstention`).
    warming_up
        Whether the person's first days are not over.
    u
        A uniform random number in [0, 1).
    audits
        Share of confident decisions that are asked nonetheless.
    left_today
        How many questions may still be put; None for no limit.

    Examples
    --------
    >>> rules = {"warming_up": False, "audits": 0.03, "left_today": 2}
    >>> choose(0.97, 0.9, u=0.5, **rules).action.name, choose(0.8, 0.9, u=0.5, **rules).action.name
    ('DECIDE', 'ASK')
    >>> choose(0.97, 0.9, u=0.01, **rules)
    Choice(action=<Action.ASK: 1>, because=<Reason.RANDOM: 'random'>, audit=True)
    """
    may_ask = left_today is None or left_today > 0
    sure = confidence >= threshold
    if warming_up:
        return Choice(Action.ASK, Reason.WARM_UP) if may_ask else Choice(Action.SILENT, Reason.BUDGET_SPENT)
    if sure and may_ask and u < audits:
        return Choice(Action.ASK, Reason.RANDOM, audit=True)
    if sure:
        return Choice(Action.DECIDE, Reason.CONFIDENT)
    return Choice(Action.ASK, Reason.UNSURE) if may_ask else Choice(Action.SILENT, Reason.BUDGET_SPENT)
