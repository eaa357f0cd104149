"""The timeline as a table and as a sentence: the same points as the chart, by quarter hour, hour or day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from flask_babel import gettext, ngettext

from tracker.domain.affect import EMOTIONS, Distribution, Emotion, derived_valence_arousal
from tracker.domain.series import Reason
from tracker.store.feedback import CorrectionRow
from tracker.workflows.blanks import Blank, Why
from tracker.workflows.timeline import Page
from webui.participant.around import Fate, bands, fate_of
from webui.participant.ranges import Range, midnight
from webui.words import BLANKS, FATES, REASONS, day_name, named, percent

STEPS = {"day": timedelta(minutes=15), "week": timedelta(hours=1), "month": timedelta(days=1)}
FINE = timedelta(seconds=10)
"""A row's length for a recording so short that it is drawn by the second."""


@dataclass
class Row:
    """One row of the table: the mean over a stretch.

    Attributes
    ----------
    at, until
        Start and end, on the participant's clock.
    n
        Readings in it.
    sums
        Sums of their probabilities, in the one order.
    gaps
        Observations without a reading, by reason.
    corrections
        Which emotion was said of moments in it.
    answers
        What else was said: of being left alone, valence, arousal, a study's own questions.
    contexts
        What surrounded it, in the person's words.
    asked
        What became of questions in it.
    why
        Why nothing stands in it, or why nobody else sees it; such a row is of that stretch alone.
    """

    at: datetime
    until: datetime
    n: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0] * len(EMOTIONS))
    gaps: Counter[Reason] = field(default_factory=Counter)
    corrections: list[CorrectionRow] = field(default_factory=list)
    answers: list[CorrectionRow] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    asked: Counter[Fate] = field(default_factory=Counter)
    why: Blank | None = None

    @property
    def mean(self) -> Distribution | None:
        """The mean reading, or None where nothing was read."""
        return Distribution.from_sequence(self.sums) if self.n else None

    @property
    def derived(self) -> tuple[float, float] | None:
        """Valence and arousal derived from the mean."""
        mean = self.mean
        return None if mean is None else derived_valence_arousal(mean)


def rows(page: Page, shown: Range, personal: bool, blanks: Iterable[Blank] = ()) -> list[Row]:
    """The table's rows, in order; stretches without anything are left out, and explained where they can be."""
    table: dict[datetime, Row] = {}
    step = step_of(page, shown)

    def row(at: datetime) -> Row:
        key = floor(at.astimezone(shown.zone), step)
        return table.setdefault(key.astimezone(UTC), Row(key, _end(key, step)))

    for point in page.points:
        said = (point.personal or point.machine) if personal else point.machine
        if said is not None:
            add(row(point.at), said, max(point.n, 1))
    for gap in page.gaps:
        row(gap.at).gaps[gap.reason] += gap.n
    for correction in page.corrections:
        of = row(correction.at)
        (of.answers if correction.distribution is None else of.corrections).append(correction)
    for asked in page.asked:
        if (fate := fate_of(asked)) is not None:
            row(asked.at).asked[fate] += 1
    for band in bands(page.contexts, page.start, page.end):
        there = row(band.start).contexts
        if band.words not in there:
            there.append(band.words)
    in_order = [table[key] for key in sorted(table)]
    if shown.unit == "month":
        return in_order
    return sorted([*_joined(in_order), *_explained(blanks, shown)], key=lambda r: r.at.astimezone(UTC))


def _explained(blanks: Iterable[Blank], shown: Range) -> Iterator[Row]:
    """A row for each blank and each local day that it touches."""
    for blank in blanks:
        at = blank.start
        while at < blank.end:
            until = min(blank.end, midnight(at.astimezone(shown.zone).date() + timedelta(days=1), shown.zone))
            yield Row(at.astimezone(shown.zone), until.astimezone(shown.zone), why=blank)
            at = until


def unread(page: Page, personal: bool) -> frozenset[Emotion]:
    """What no network of a page reads: each gave exactly 0 to it all along; a learner says all eight."""
    words = ((p.personal or p.machine) if personal else p.machine for p in page.points)
    each = [frozenset(e for e in EMOTIONS if word[e] == 0) for word in words if word is not None]
    return frozenset.intersection(*each) if each else frozenset()


def add(row: Row, said: Distribution, n: int) -> None:
    """Count a mean of `n` readings."""
    row.n += n
    row.sums = [total + n * p for total, p in zip(row.sums, said.probabilities, strict=True)]


def step_of(page: Page, shown: Range) -> timedelta:
    """How long a row is."""
    return FINE if page.step < FINE else STEPS[shown.unit]


def floor(at: datetime, step: timedelta) -> datetime:
    """The start of the row that holds a local instant: a part of its local day.

    Examples
    --------
    >>> floor(datetime(2026, 3, 1, 9, 44, 59), STEPS["day"]).isoformat()
    '2026-03-01T09:30:00'
    """
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if step >= timedelta(days=1):
        return midnight
    inside = timedelta(hours=at.hour, minutes=at.minute, seconds=at.second) // step * step
    return (midnight + inside).replace(fold=at.fold)


def _end(at: datetime, step: timedelta) -> datetime:
    # A day ends at midnight, whatever its length; shorter rows are lengths of true time.
    if step >= timedelta(days=1):
        return at + step
    return (at.astimezone(UTC) + step).astimezone(at.tzinfo)


def _joined(table: list[Row]) -> list[Row]:
    """One row for a whole stretch of a day in which nothing was read: nights are long."""
    joined: list[Row] = []
    for row in table:
        before = joined[-1] if joined else None
        if before and before.at.date() == row.at.date() and not (_spoken(before) or _spoken(row)):
            before.until = row.until
            before.gaps.update(row.gaps)
        else:
            joined.append(row)
    return joined


def _spoken(row: Row) -> bool:
    return bool(row.n or row.corrections or row.answers or row.contexts or row.asked)


def total(table: Iterable[Row]) -> Row | None:
    """Everything in one row; None for an empty table."""
    whole: Row | None = None
    for row in table:
        whole = whole or Row(row.at, row.until)
        whole.n += row.n
        whole.sums = [a + b for a, b in zip(whole.sums, row.sums, strict=True)]
        whole.gaps.update(row.gaps)
        whole.corrections.extend(row.corrections)
        whole.answers.extend(row.answers)
        whole.asked.update(row.asked)
    return whole


def summary(table: list[Row], shown: Range, blanks: Sequence[Blank] = ()) -> str:
    """One sentence for the whole stretch, with how much it rests on.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> from datetime import UTC, date
    >>> at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    >>> row = Row(at, at, 30, [0, 20.0, 0, 10.0, 0, 0, 0, 0], Counter({Reason.NO_FACE: 10}))
    >>> said = summary([row], Range("day", date(2026, 3, 1), ZoneInfo("UTC")))
    >>> said.replace(chr(0xA0), " ")[:82]
    'On Sunday 1 March 2026 your face looks on average most like happiness (67 %), then'
    """
    whole = total(table)
    if shown.unit == "day":
        when = gettext("On %(day)s", day=day_name(shown.last))
    else:
        first_day, last_day = shown.ends
        when = gettext("From %(first)s to %(last)s", first=first_day, last=last_day)
    why = _whys(blanks)
    if whole is None or (not whole.n and not whole.gaps):
        nothing = gettext("%(when)s there is no reading", when=when)
        return f"{nothing}{f'; {why}' if why else ''}."
    parts: list[str] = []
    mean = whole.mean
    if mean is None:
        parts.append(gettext("%(when)s no face could be read", when=when))
    else:
        first, second = sorted(EMOTIONS, key=lambda e: -mean[e])[:2]
        parts.append(
            gettext(
                "%(when)s your face looks on average most like %(first)s, then %(second)s, in %(n)s readings",
                when=when,
                first=_share(mean, first),
                second=_share(mean, second),
                n=whole.n,
            )
        )
    if whole.gaps:
        reasons = ", ".join(f"{REASONS[r]} {n}" for r, n in whole.gaps.most_common())
        parts.append(gettext("%(n)s looks gave none (%(reasons)s)", n=whole.gaps.total(), reasons=reasons))
    if whole.corrections:
        parts.append(
            ngettext("you corrected %(num)d moment", "you corrected %(num)d moments", len(whole.corrections))
        )
    if whole.asked:
        told = ", ".join(f"{whole.asked[fate]} {FATES[fate]}" for fate in Fate if whole.asked[fate])
        times = whole.asked.total()
        parts.append(
            ngettext(
                "you were asked once (%(told)s)", "you were asked %(num)d times (%(told)s)", times, told=told
            )
        )
    if why:
        parts.append(why)
    return "; ".join(parts) + "."


def _whys(blanks: Sequence[Blank]) -> str:
    """Why parts of it are empty, in one clause; empty where nothing is known."""
    told = [
        f"{BLANKS[why]} ({length(sum((b.end - b.start for b in blanks if b.why is why), timedelta()))})"
        for why in Why
        if any(b.why is why for b in blanks)
    ]
    return ", ".join(told)


def length(time: timedelta) -> str:
    """How long something is, in words.

    Examples
    --------
    >>> length(timedelta(minutes=90)), length(timedelta(days=3)), length(timedelta(seconds=20))
    ('1 h 30 min', '3 days', '20 s')
    """
    seconds = round(time.total_seconds())
    if seconds >= 2 * 86400:
        return str(gettext("%(n)s days", n=round(seconds / 86400)))
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return " ".join(parts) or f"{seconds} s"


def by_day(table: Iterable[Row]) -> Iterator[tuple[datetime, list[Row]]]:
    """Rows grouped by local day, in order."""
    days: dict[datetime, list[Row]] = {}
    for row in table:
        days.setdefault(row.at.replace(hour=0, minute=0, second=0, microsecond=0), []).append(row)
    yield from days.items()


def _share(mean: Distribution, emotion: Emotion) -> str:
    return f"{named(emotion)} ({percent(mean[emotion])})"
