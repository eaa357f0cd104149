"""Noticing that a person has changed: a Page-Hinkley test on how surprising their answers are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tracker.domain.instants import require_instant

MOST = 3.0
"""Log-loss (nats) beyond which being wrong counts no more: one answer raises no alarm."""


@dataclass(frozen=True, slots=True)
class DriftEvent:
    """A person's answers have become more surprising than they used to be.

    Parameters
    ----------
    at
        When it was noticed: the instant of the answer that tipped the test.
    since
        About when it began: from where on the answers surprise more than before.
    before, after
        Mean surprise (nats; 0 for a calibrated learner) before `since` and from then on.
    answers
        How many answers since then.
    """

    at: datetime
    since: datetime
    before: float
    after: float
    answers: int


def surprise(predicted: Sequence[float], answer: Sequence[float]) -> float:
    """How much worse a forecast did than it expected to: its clipped log-loss less the mean of that under itself.

    For a calibrated learner its mean is 0 whatever is asked. The bare log-loss is not fit for drift: after the warm-up
    only unsure moments are asked, whose losses are larger without anybody having changed (in simulation it raises
    five times as many false alarms at the same speed of detection).

    Parameters
    ----------
    predicted
        Probabilities, (k,); for a yes or no (p, 1 - p).
    answer
        What was said, a distribution over the same, (k,).

    Examples
    --------
    >>> round(surprise((0.9, 0.1), (1.0, 0.0)), 3), round(surprise((0.9, 0.1), (0.0, 1.0)), 3)
    (-0.22, 1.978)
    >>> surprise((0.5, 0.5), (1.0, 0.0))
    0.0
    """
    if len(predicted) != len(answer):
        raise ValueError(f"{len(predicted)} probabilities, but an answer over {len(answer)}")
    return math.fsum(
        (said - p) * (min(-math.log(p), MOST) if p > 0.0 else MOST)
        for p, said in zip(predicted, answer, strict=True)
    )


class DriftMonitor:
    """Watches one person's surprises in the order in which they were recorded; the same ones give the same events.

    Its state is what it has seen: replay it (`replay`) instead of storing it. After an event it starts anew. In
    simulation 2 % of steady people raise an alarm in a month of four moments a day of which the unsure are asked (7 %
    with every answer); a person who turns round is noticed after 11 answers or 4 days (median; 6 answers with
    every one), one who becomes unreadable after 25 (11).

    Parameters
    ----------
    tolerance
        Rise of the mean surprise (nats) that is no change. Larger notices only upheavals.
    alarm
        Sum of surprise beyond the tolerance at which it speaks up. Larger raises fewer false alarms, later.
    settle
        Answers before it speaks up at all.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> start, hour = datetime(2026, 3, 1, tzinfo=UTC), timedelta(hours=1)
    >>> steady = [surprise((0.9, 0.1), (float(k % 10 > 0), float(k % 10 == 0))) for k in range(60)]
    >>> changed = [surprise((0.9, 0.1), (0.0, 1.0))] * 6
    >>> (event,) = replay([(s, start + k * hour) for k, s in enumerate(steady + changed)])
    >>> event.at - start, event.answers
    (datetime.timedelta(days=2, seconds=54000), 4)

    References
    ----------
    Page (1954), Continuous inspection schemes, Biometrika 41. ADWIN (Bifet & Gavalda 2007) needs three times as
    many answers here: its bound knows only the range of the losses.
    """

    def __init__(self, tolerance: float = 0.05, alarm: float = 7.0, settle: int = 15) -> None:
        self._tolerance, self._alarm, self._settle = tolerance, alarm, settle
        self._begin()

    def update(self, surprised: float, at: datetime) -> DriftEvent | None:
        """Take in the surprise of one answer; return an event when this is the answer that tips the test."""
        if not math.isfinite(surprised):
            raise ValueError(f"surprise {surprised} is no number")
        self._seen.append((require_instant(at), surprised))
        self._test.update(surprised)
        if not self._test.drift_detected:
            return None
        event = self._event()
        self._begin()
        return event

    def _begin(self) -> None:
        from river.drift import PageHinkley  # noqa: PLC0415 - loads pandas and SciPy

        # Without fading (alpha 1): a month holds too few answers to forget any.
        self._test: Any = PageHinkley(
            min_instances=self._settle, delta=self._tolerance, threshold=self._alarm, alpha=1.0, mode="up"
        )
        self._seen: list[tuple[datetime, float]] = []

    def _event(self) -> DriftEvent:
        # The change is dated to where splitting the answers in two explains them best.
        values = [value for _, value in self._seen]
        total, n, before = math.fsum(values), len(values), 0.0
        split, best = n - 1, -math.inf
        for k in range(1, n):
            before += values[k - 1]
            rise = (total - before) / (n - k) - before / k
            gain = rise * abs(rise) * k * (n - k) / n
            if gain > best:
                split, best = k, gain
        earlier, later = values[:split], values[split:]
        return DriftEvent(
            at=self._seen[-1][0],
            since=self._seen[split][0],
            before=math.fsum(earlier) / len(earlier),
            after=math.fsum(later) / len(later),
            answers=len(later),
        )


def replay(
    surprises: Iterable[tuple[float, datetime]], monitor: DriftMonitor | None = None
) -> list[DriftEvent]:
    """Give the events of a person's whole history of surprises, in the order in which they were recorded."""
    watching = DriftMonitor() if monitor is None else monitor
    events = (watching.update(surprised, at) for surprised, at in surprises)
    return [event for event in events if event is not None]
