"""Why a moment was decided, asked or passed over, and how a participant is told."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why the policy did what it did; the first three are reasons to ask."""

    WARM_UP = "warm_up"
    UNSURE = "unsure"
    RANDOM = "random"
    CONFIDENT = "confident"
    YIELDING = "yielding"
    QUIET_HOURS = "quiet_hours"
    JUST_ASKED = "just_asked"
    BUDGET_SPENT = "budget_spent"
    SPREADING = "spreading"
    PAUSED = "paused"


def in_words(reason: Reason, *, alone: float, share: float, warm_up_days: int) -> str:
    """Say a reason in one plain sentence to the participant.

    Parameters
    ----------
    reason
        What is to be said.
    alone
        The probability that they want to be left alone.
    share
        Which share of such moments is asked at random.
    warm_up_days
        How long everything is asked.

    Examples
    --------
    >>> in_words(Reason.UNSURE, alone=0.55, share=0.03, warm_up_days=7)
    'I was unsure: it looks like 55 % leave me alone, 45 % company.'
    >>> in_words(Reason.RANDOM, alone=0.55, share=0.03, warm_up_days=7)
    'About one moment in 33 is asked at random, to check how often I am right.'
    """
    percent = min(max(round(100 * alone), 1), 99)
    first = {7: "First week", 1: "First day"}.get(warm_up_days, f"First {warm_up_days} days")
    wish = f"leave me alone ({percent} %)" if alone >= 0.5 else f"company is fine ({100 - percent} %)"
    match reason:
        case Reason.WARM_UP:
            return f"{first}: everything is asked, to get to know you."
        case Reason.UNSURE:
            return f"I was unsure: it looks like {percent} % leave me alone, {100 - percent} % company."
        case Reason.RANDOM:
            often = (
                f"About one moment in {round(1 / share)}" if 1e-3 <= share <= 0.5 else "Now and then a moment"
            )
            return f"{often} is asked at random, to check how often I am right."
        case Reason.CONFIDENT:
            return f"It looks like {wish}, so nothing is asked."
        case Reason.YIELDING:
            return f"It looks like {wish}, so you are left alone."
        case Reason.QUIET_HOURS:
            return "These are your quiet hours, so nothing is asked."
        case Reason.JUST_ASKED:
            return "You were asked a short while ago, so nothing is asked."
        case Reason.BUDGET_SPENT:
            return "The day's questions have all been put, so nothing is asked."
        case Reason.PAUSED:
            return "You have paused, so nothing is asked."
        case Reason.SPREADING:
            return "The day's remaining questions are kept for later, so nothing is asked."
