"""What follows from a drift for some days: ask a little more, and decide a little less.

That what was learned before it weighs less is `tracker.personal.drifting`'s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tracker.learning.asking import AskingPolicy
from tracker.learning.drift import DriftEvent

ASKING_LASTS = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Vigilance:
    """How watchful to be about a person.

    Parameters
    ----------
    audits
        By how much the random shares are multiplied.
    raised
        By how much the threshold is raised, in log-odds.
    """

    audits: float = 1.0
    raised: float = 0.0


STEADY = Vigilance()
"""Nothing has changed."""


def vigilance(drifts: Iterable[DriftEvent], now: datetime) -> Vigilance:
    """How watchful the drifts noticed so far call for being now.

    Examples
    --------
    >>> from datetime import UTC
    >>> noticed = datetime(2026, 3, 1, tzinfo=UTC)
    >>> drift = DriftEvent(noticed, noticed, 0.0, 0.6, 8)
    >>> for days in (1, 5, 9):
    ...     vigilant = vigilance([drift], noticed + timedelta(days=days))
    ...     print(vigilant.audits, vigilant.raised)
    2.0 0.3
    1.0 0.0
    1.0 0.0
    """
    ages = [now - drift.at for drift in drifts if drift.at <= now]
    newest = min(ages, default=timedelta.max)
    asking = newest < ASKING_LASTS
    return Vigilance(
        audits=2.0 if asking else 1.0,
        raised=0.3 if asking else 0.0,
    )


def watchful(policy: AskingPolicy, vigilant: Vigilance) -> AskingPolicy:
    """Give the policy with its random shares multiplied; quiet hours, budget and gap stay.

    Examples
    --------
    >>> watchful(AskingPolicy(), Vigilance(audits=2.0)).audits
    0.06
    """
    return replace(
        policy,
        audits=min(policy.audits * vigilant.audits, 1.0),
        through_silence=min(policy.through_silence * vigilant.audits, 1.0),
    )


def raised(threshold: float, vigilant: Vigilance) -> float:
    """Give a threshold raised in log-odds; one that nothing reaches stays out of reach.

    Examples
    --------
    >>> round(raised(0.9, Vigilance(raised=0.3)), 3), raised(0.9, STEADY), raised(1.01, Vigilance(raised=0.3))
    (0.924, 0.9, 1.01)
    """
    if not vigilant.raised or not 0.0 < threshold < 1.0:
        return threshold
    return 1.0 / (1.0 + (1.0 - threshold) / threshold * math.exp(-vigilant.raised))
