"""Decide, ask, or stay silent: what to do at a moment, and why. Pure: chance comes in as a number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from tracker.learning.choosing import Action, Choice, choose
from tracker.learning.reasons import Reason, in_words


@dataclass(frozen=True, slots=True)
class AskingPolicy:
    """What a study allows itself to ask.

    Parameters
    ----------
    per_day
        Questions a day at most. More teach faster and annoy more; the first week earns most of what can be learned.
    warm_up_days
        Days in which everything is asked, within the rest of the policy.
    audits
        Share of moments that are asked whatever the learner thinks, so that its accuracy can be estimated without
        bias and people who change are noticed. Below .03 it becomes confidently wrong unnoticed.
    through_silence
        The same where the person looks like they want to be left alone: 0 leaves them alone always, and nobody
        ever learns whether the silence was right.
    quiet_from, quiet_until
        Local times between which nothing is asked, also across midnight; equal for no quiet hours. A day of the
        budget runs from one `quiet_until` to the next.
    gap
        Shortest time between two questions.
    """

    per_day: int = 5
    warm_up_days: int = 7
    audits: float = 0.03
    through_silence: float = 0.03
    quiet_from: time = time(22, 0)
    quiet_until: time = time(8, 0)
    gap: timedelta = timedelta(minutes=60)

    def __post_init__(self) -> None:
        if self.per_day < 0 or self.warm_up_days < 0:
            raise ValueError(f"{self.per_day} questions a day, {self.warm_up_days} days: both are 0 or more")
        if not (0.0 <= self.audits <= 1.0 and 0.0 <= self.through_silence <= 1.0):
            raise ValueError(f"random shares {self.audits} and {self.through_silence} are not in [0, 1]")
        if self.gap < timedelta(0):
            raise ValueError(f"a gap of {self.gap} is no time between questions")

    def quiet(self, hour: float) -> bool:
        """Whether a local hour lies within the quiet hours (their end is outside).

        Examples
        --------
        >>> [AskingPolicy().quiet(hour) for hour in (21.9, 22.0, 0.0, 7.9, 8.0)]
        [False, True, True, True, False]
        """
        return self._awake(hour) >= self.waking_hours

    def day_spent(self, hour: float) -> float:
        """How much of the waking day is over at a local hour, in [0, 1].

        Examples
        --------
        >>> [round(AskingPolicy().day_spent(hour), 2) for hour in (8.0, 15.0, 21.5, 23.0)]
        [0.0, 0.5, 0.96, 1.0]
        """
        return min(self._awake(hour) / self.waking_hours, 1.0)

    def day_began(self, local: datetime) -> datetime:
        """When the day of the budget began that holds a local time: at the last end of quiet hours.

        Examples
        --------
        >>> AskingPolicy().day_began(datetime(2026, 3, 2, 1, 30)).isoformat()
        '2026-03-01T08:00:00'
        """
        began = datetime.combine(local.date(), self.quiet_until, tzinfo=local.tzinfo)
        # By the clock on the wall: an hour that the change of clocks repeats belongs to the same day.
        return began if local.time() >= self.quiet_until else began - timedelta(days=1)

    @property
    def waking_hours(self) -> float:
        """Hours of a day that are not quiet."""
        return (_hours(self.quiet_from) - _hours(self.quiet_until)) % 24.0 or 24.0

    def _awake(self, hour: float) -> float:
        if not 0.0 <= hour < 24.0:
            raise ValueError(f"local hour {hour} is not in [0, 24)")
        return (hour - _hours(self.quiet_until)) % 24.0


@dataclass(frozen=True, slots=True)
class Today:
    """Where a person's day stands.

    Parameters
    ----------
    day
        Day of participation, from 1.
    hour
        Local hour, [0, 24).
    asked
        Questions put since the day began.
    since_last
        Time since the last question, of any day; None when there was none.
    """

    day: int
    hour: float
    asked: int
    since_last: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do at a moment.

    Parameters
    ----------
    action
        Decide alone, ask, or neither.
    because
        The reason; it is kept with a question.
    audit
        Whether the question was drawn at random, and so speaks for all such moments.
    words
        The reason in one sentence to the participant.
    """

    action: Action
    because: Reason
    audit: bool
    words: str


def decide(
    policy: AskingPolicy, today: Today, *, alone: float, threshold: float, u: float, novelty: float = 1.0
) -> Decision:
    """Decide, ask or stay silent at a moment.

    Call it at moments at which a question could be put, every half hour say: the random shares are shares of those.
    Nothing is asked in quiet hours, beyond the budget or within the gap. Within them the budget is spread evenly over
    the waking day: a question of worth 1 may be put half a question early, one of worth 0 waits until it is half a
    question late. Its worth is uncertainty times novelty, and 1 in the warm-up. (Elaborate values of information gain
    nothing: asking the unsure moments already earns all but .003 of the log-loss that knowing every truth would.)
    Random questions do not wait for their turn.

    Parameters
    ----------
    policy, today
        What the study allows, and where the day stands.
    alone
        The learner's probability that the person wants to be left alone.
    threshold
        From which confidence on it decides.
    u
        A uniform random number in [0, 1), drawn for this moment.
    novelty
        How little is known of moments like this one, in [0, 1] (`tracker.learning.novelty`).

    Examples
    --------
    >>> noon = Today(day=12, hour=12.0, asked=1, since_last=timedelta(hours=2))
    >>> decide(AskingPolicy(), noon, alone=0.55, threshold=0.9, u=0.5).words
    'I was unsure: it looks like 55 % leave me alone, 45 % company.'
    >>> decide(AskingPolicy(), noon, alone=0.97, threshold=0.9, u=0.5).because.value
    'yielding'
    """
    for name, value in (("alone", alone), ("novelty", novelty)):
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} {value} is not in [0, 1]")
    if not 0.0 <= u < 1.0:
        raise ValueError(f"a random number u of {u} is not in [0, 1)")
    confidence = max(alone, 1.0 - alone)
    yields = alone >= 0.5 and confidence >= threshold
    share = policy.through_silence if yields else policy.audits
    warming_up = today.day <= policy.warm_up_days
    hindrance = _hindrance(policy, today)
    choice = choose(
        confidence,
        threshold,
        warming_up=warming_up,
        u=u,
        audits=share,
        left_today=0 if hindrance else policy.per_day - today.asked,
    )
    if choice.action is Action.SILENT and hindrance:
        choice = Choice(Action.SILENT, hindrance)
    elif choice.action is Action.DECIDE and yields:
        choice = Choice(Action.DECIDE, Reason.YIELDING)
    elif choice.action is Action.ASK and not choice.audit:
        worth = 1.0 if warming_up else 2.0 * (1.0 - confidence) * novelty
        choice = _spread(policy, today, choice, worth, u)
    words = in_words(choice.because, alone=alone, share=share, warm_up_days=policy.warm_up_days)
    return Decision(choice.action, choice.because, choice.audit, words)


def _hindrance(policy: AskingPolicy, today: Today) -> Reason | None:
    if policy.quiet(today.hour):
        return Reason.QUIET_HOURS
    if today.asked >= policy.per_day:
        return Reason.BUDGET_SPENT
    if today.since_last is not None and today.since_last < policy.gap:
        return Reason.JUST_ASKED
    return None


def _spread(policy: AskingPolicy, today: Today, choice: Choice, worth: float, u: float) -> Choice:
    ahead = today.asked + 0.5 - policy.per_day * policy.day_spent(today.hour)
    if ahead < worth:
        return choice
    if u < policy.audits:
        return Choice(Action.ASK, Reason.RANDOM, audit=True)
    return Choice(Action.SILENT, Reason.SPREADING)


def _hours(at: time) -> float:
    return at.hour + at.minute / 60.0 + at.second / 3600.0
