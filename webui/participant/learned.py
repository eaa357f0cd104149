"""What the learner has learned about its person, in plain words: each figure with its interval and its rivals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template
from flask_babel import gettext

from tracker.access import Unit
from tracker.domain.consent import Use
from tracker.learning.kinds import AROUSAL, EMOTION, LEAVE_ME_ALONE, VALENCE, Kind, kind_of
from tracker.learning.shares import FEWEST, Share
from tracker.personal.figures import Figure, Judged, Misses
from tracker.personal.pulls import Pull
from tracker.personal.telling import Alone, Told
from tracker.workflows import timeline
from webui import auth
from webui.participant.surrounding_words import in_page_language
from webui.services import services
from webui.words import day_name, decimal, local, named, percent

pages = Blueprint("learned", __name__)


def _(text: str, **filled: object) -> str:
    """The text in the reader's language."""
    return str(gettext(text, **filled))


MOST_PULLS = 6
"""Sentences about what moves an estimate, at most: the strongest."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table of figures: what it is of, the figure in words, and how wide it is sure to be."""

    name: str
    figure: str
    interval: str


@dataclass(frozen=True, slots=True)
class Card:
    """One learner, in words."""

    title: str
    number: bool
    lead: str
    pulls: tuple[str, ...]
    lines: tuple[Line, ...]
    footnotes: tuple[str, ...]
    asks: tuple[str, ...]
    drifts: tuple[str, ...]


@pages.get("/learned")
def page() -> str:
    """Tell all that has been learned, and how often it was right."""
    with services().access.read(auth.person().id, auth.now()) as work:
        found = timeline.learned(work)
        may = work.allowed(Use.LEARN) is not None
    return render_template("learned.html", cards=[_card(told) for told in found], may=may, fewest=FEWEST)


def cards(work: Unit) -> list[str]:
    """How often it was right, in a sentence or two for the timeline; nothing where nothing was learned."""
    found = timeline.judged(work, (EMOTION, LEAVE_ME_ALONE))
    return [f"{title(target)}: {_early(one) if one.early else _right(one)}" for target, one in found.items()]


def title(target: str) -> str:
    """What a learner answers for, as a heading."""
    known = {
        EMOTION: _("What your face looks like"),
        LEAVE_ME_ALONE: _("Whether you want to be left alone"),
        VALENCE: _("How pleasant it is (valence)"),
        AROUSAL: _("How stirring it is (arousal)"),
    }
    name = (target.partition(":")[2] or target).replace("_", " ")
    return known.get(target) or _("Your study's question “%(name)s”", name=name)


def _card(told: Told) -> Card:
    judged = told.judged
    return Card(
        title=title(told.target),
        number=kind_of(told.target) is Kind.NUMBER,
        lead=_early(judged) if judged.early else _right(judged),
        pulls=() if judged.early else (*_meant(told), *(_pull(told, p) for p in told.pulls[:MOST_PULLS])),
        lines=() if judged.early else tuple(_lines(judged)),
        footnotes=tuple(_footnotes(told)),
        asks=() if told.alone is None else tuple(_asks(told.alone)),
        drifts=tuple(
            _(
                "On %(noticed)s it was noticed that since %(since)s my estimates fitted less well "
                "(%(n)s answers); what you said before that counts a quarter since.",
                noticed=_day(drift.at),
                since=_day(drift.since),
                n=drift.answers,
            )
            for drift in told.drifts
        ),
    )


def _early(judged: Judged) -> str:
    return _(
        "too early to say anything. It has been told %(n)s answers that can be counted; from %(fewest)s on there is a "
        "figure.",
        n=judged.n,
        fewest=FEWEST,
    )


def _right(judged: Judged) -> str:
    if isinstance(judged.learner, Misses):
        return _("in the last 30 days it was off by %(figure)s.", figure=_figure(judged.learner))
    return _(
        "in the last 30 days it foretold %(figure)s of your answers (%(interval)s).",
        figure=_figure(judged.learner),
        interval=_interval(judged.learner),
    )


def _lines(judged: Judged) -> list[Line]:
    told: list[tuple[str, Figure | None]] = [
        (_("Your learner, before it knew the answer"), judged.learner),
        (_("The network alone: before anything is learned from you"), judged.network),
        (_("Always what you had said most often until then"), judged.majority),
        (_("Always what you had said last"), judged.last),
        (_("Your learner, first half of the answers"), judged.earlier),
        (_("Your learner, second half"), judged.later),
    ]
    if isinstance(judged.majority, Misses):
        told[2] = (_("Always your mean until then"), judged.majority)
    return [Line(name, _figure(figure), _interval(figure)) for name, figure in told if figure is not None]


def _footnotes(told: Told) -> list[str]:
    judged, notes = told.judged, []
    if judged.shown.hits:
        notes.append(
            _(
                "%(n)s of these answers were given while an estimate was on the screen; agreeing is easy then, so all "
                "figures look better than they are.",
                n=judged.shown.hits,
            )
        )
    if judged.skipped:
        notes.append(
            _(
                "%(n)s answers are not counted: the network had read nothing there, or “either is fine” was said.",
                n=judged.skipped,
            )
        )
    if not told.source.own:
        notes.append(_("Just now your own learner does not answer; it is made anew within the hour."))
    return notes


def _meant(told: Told) -> list[str]:
    return [
        _(
            "Where the network reads %(read)s, you have mostly said %(said)s (%(share)s of about %(n)s answers).",
            read=named(m.read),
            said=named(m.said),
            share=percent(m.share),
            n=round(m.answers),
        )
        for m in told.meant
    ]


def _pull(told: Told, pull: Pull) -> str:
    where = _where(pull)
    low, high = sorted((abs(pull.low), abs(pull.high)))
    points = _(
        "%(by)s points (%(low)s to %(high)s; %(n)s moments)",
        by=round(abs(pull.by) * 100),
        low=round(low * 100) if pull.low * pull.high > 0 else 0,
        high=round(high * 100),
        n=pull.n,
    )
    if pull.emotion is not None:
        more = _("more") if pull.by > 0 else _("less")
        return _(
            "%(where)s your learner reads %(more)s %(emotion)s than it would without knowing that: by %(points)s.",
            where=where,
            more=more,
            emotion=named(pull.emotion),
            points=points,
        )
    if not pull.value:
        return _("%(what)s moves it by %(points)s.", what=where, points=points)
    if told.target == LEAVE_ME_ALONE:
        way = _("“leave me alone”") if pull.by > 0 else _("company")
    else:
        number = kind_of(told.target) is Kind.NUMBER
        higher, lower = (_("higher"), _("lower")) if number else (_("yes"), _("no"))
        way = higher if pull.by > 0 else lower
    return _("%(where)s it leans towards %(way)s: by %(points)s.", where=where, way=way, points=points)


def _where(pull: Pull) -> str:
    match pull.what, pull.value:
        case "place", place:
            return _("Where you said “%(word)s”,", word=in_page_language(place))
        case "activity", activity:
            return _("While you said “%(word)s”,", word=in_page_language(activity))
        case "company", company:
            return _("With “%(word)s” as company,", word=in_page_language(company))
        case "days", days:
            return _("At weekends") if days == "weekend" else _("On weekdays")
        case "time", part:
            return {
                "morning": _("In the morning"),
                "afternoon": _("In the afternoon"),
                "evening": _("In the evening"),
                "night": _("At night"),
            }[part]
        case family, _:
            return {
                "lately": _("What you answered lately"),
                "face": _("How your face looked in the minutes before"),
                "clock": _("The time of day and week"),
                "words": _("What you said of place, activity and company"),
            }[family]


def _asks(alone: Alone) -> list[str]:
    policy = alone.policy
    lines = []
    if alone.warm_up:
        lines.append(
            _("In the first %(n)s days everything is asked, to get to know you.", n=policy.warm_up_days)
        )
    if alone.threshold > 1:
        lines.append(_("So far it is never sure enough to leave you unasked."))
    else:
        lines.append(
            _(
                "It asks when it is less than %(sure)s sure; when it is surer that you want to be left alone, it "
                "leaves you alone.",
                sure=percent(alone.threshold),
            )
        )
    if policy.audits:
        lines.append(
            _(
                "About one moment in %(n)s is asked at random nonetheless: the only way to find out how often it is "
                "right.",
                n=round(1 / policy.audits),
            )
        )
    if alone.decided.early:
        lines.append(
            _(
                "Of %(n)s moments that were asked about, too few to say how often it would have been right.",
                n=alone.decided.n,
            )
        )
    else:
        lines.append(
            _(
                "Of %(n)s moments that were asked about, it would have decided %(decided)s without asking.",
                n=alone.decided.n,
                decided=alone.decided.hits,
            )
        )
        for share, what in (
            (alone.right, _("Of those it would have been right in %(figure)s (%(interval)s).")),
            (alone.drawn, _("Of those that chance alone chose, in %(figure)s (%(interval)s).")),
        ):
            if not share.early:
                lines.append(what % {"figure": _figure(share), "interval": _interval(share)})
    return lines


def _figure(figure: Figure) -> str:
    if isinstance(figure, Share):
        return _("%(right)s of %(n)s", right=figure.hits, n=figure.n)
    return _(
        "%(mean)s on a scale from −1 to 1, on average over %(n)s answers",
        mean=decimal(figure.mean),
        n=figure.n,
    )


def _interval(figure: Figure) -> str:
    if isinstance(figure, Share):
        return _(
            "%(value)s, likely between %(low)s and %(high)s",
            value=percent(figure.value),
            low=percent(figure.low),
            high=percent(figure.high),
        )
    return _("likely between %(low)s and %(high)s", low=decimal(figure.low), high=decimal(figure.high))


def _day(at: datetime) -> str:
    return day_name(local(at).date())
