"""How emotions, reasons and instants are called and drawn: the same on every page and in the chart."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal
from flask import Flask, g
from flask_babel import get_locale, gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup

from tracker.domain.affect import EMOTIONS, Distribution, Emotion
from tracker.domain.consent import Scope, State
from tracker.domain.instants import parse_instant
from tracker.domain.readers import Role
from tracker.domain.series import Reason
from tracker.learning.kinds import AROUSAL, LEAVE_ME_ALONE, VALENCE, Kind, kind_of
from tracker.store.feedback import CorrectionRow
from tracker.workflows.blanks import Why
from webui.participant.around import Fate
from webui.study import help_contact, text

UNCLEAR = 0.4
"""Below this share the likeliest emotion is not named as what a face looks like."""

# A shape beside each colour, because colour alone tells nothing to some; BokehJS draws the same ones.
MARKERS: dict[Emotion, str] = {
    Emotion.NEUTRAL: "circle",
    Emotion.HAPPINESS: "star",
    Emotion.SURPRISE: "diamond",
    Emotion.SADNESS: "inverted_triangle",
    Emotion.ANGER: "triangle",
    Emotion.DISGUST: "hex",
    Emotion.FEAR: "square_pin",
    Emotion.CONTEMPT: "square",
}

_PATHS: dict[Emotion, str] = {
    Emotion.NEUTRAL: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14z",
    Emotion.HAPPINESS: "M10 1.5l2.5 5.6 6.1.6-4.6 4 1.4 6-5.4-3.2-5.4 3.2 1.4-6-4.6-4 6.1-.6z",
    Emotion.SURPRISE: "M10 1.5l6 8.5-6 8.5-6-8.5z",
    Emotion.SADNESS: "M2.5 4h15L10 17.5z",
    Emotion.ANGER: "M10 2.5L17.5 16h-15z",
    Emotion.DISGUST: "M6 3h8l4 7-4 7H6l-4-7z",
    Emotion.FEAR: "M2.5 2.5Q10 6.5 17.5 2.5Q13.5 10 17.5 17.5Q10 13.5 2.5 17.5Q6.5 10 2.5 2.5z",
    Emotion.CONTEMPT: "M4 4h12v12H4z",
}

_LOGO = Markup(
    (Path(__file__).parent / "static" / "icon.svg")
    .read_text("utf-8")
    .replace("<svg ", '<svg aria-hidden="true" ', 1)
)

REASONS: dict[Reason, LazyString] = {
    Reason.NO_FACE: lazy_gettext("no face in view"),
    Reason.AMBIGUOUS: lazy_gettext("several faces, yours in doubt"),
    Reason.BLURRED: lazy_gettext("too blurred to read"),
    Reason.OVERLOAD: lazy_gettext("not read in time"),
    Reason.UNCLEAR: lazy_gettext("a face, but hardly to be seen"),
}

BLANKS: dict[Why, LazyString] = {
    Why.NOT_ALLOWED: lazy_gettext("storing was not allowed"),
    Why.PAUSED: lazy_gettext("paused by you"),
    Why.ERASED: lazy_gettext("erased by you"),
    Why.HIDDEN: lazy_gettext("hidden by you from everybody else"),
}

FATES: dict[Fate, LazyString] = {
    Fate.ANSWERED: lazy_gettext("answered"),
    Fate.MISSED: lazy_gettext("missed"),
    Fate.OPEN: lazy_gettext("still open"),
}


def answered(correction: CorrectionRow) -> str:
    """An answer other than an emotion, in words."""
    own, value = correction.target.partition(":")[2], correction.value or 0.0
    what = own.replace("_", " ") or str(TARGETS.get(correction.target, correction.target.replace("_", " ")))
    if kind_of(correction.target) is Kind.YES_NO:
        said = str({0.0: gettext("no"), 1.0: gettext("yes")}.get(value) or gettext("either is fine"))
        if correction.target == LEAVE_ME_ALONE:
            return str({0.0: gettext("company welcome"), 1.0: gettext("leave me alone")}.get(value) or said)
        return f"{what}: {said}"
    return f"{what} {signed(value)}"


TARGETS: dict[str, LazyString] = {
    VALENCE: lazy_gettext("valence"),
    AROUSAL: lazy_gettext("arousal"),
}
"""How numbers beside the emotions are called; a study's own questions keep the study's name."""


NAMES: dict[Emotion, LazyString] = {
    Emotion.NEUTRAL: lazy_gettext("neutral"),
    Emotion.HAPPINESS: lazy_gettext("happiness"),
    Emotion.SURPRISE: lazy_gettext("surprise"),
    Emotion.SADNESS: lazy_gettext("sadness"),
    Emotion.ANGER: lazy_gettext("anger"),
    Emotion.DISGUST: lazy_gettext("disgust"),
    Emotion.FEAR: lazy_gettext("fear"),
    Emotion.CONTEMPT: lazy_gettext("contempt"),
}
CHOICES: dict[State, LazyString] = {
    State.GIVEN: lazy_gettext("given"),
    State.REFUSED: lazy_gettext("refused"),
    State.WITHDRAWN: lazy_gettext("withdrawn"),
    State.EXPIRED: lazy_gettext("expired"),
    State.RENEWED: lazy_gettext("renewed"),
}
"""How a choice is called in the record of all of them."""


def named(emotion: Emotion) -> str:
    """An emotion in the reader's language.

    Examples
    --------
    >>> named(Emotion.FEAR)
    'fear'
    """
    return str(NAMES[emotion])


def icon(emotion: Emotion) -> Markup:
    """The emotion's shape as inline SVG, coloured by the style sheet; words stand beside it."""
    return Markup(
        f'<svg class="icon fill-{emotion.value}" viewBox="0 0 20 20" width="18" height="18" '
        f'aria-hidden="true" focusable="false"><path d="{_PATHS[emotion]}"/></svg>'
    )


def percent(share: float) -> str:
    r"""A share for people.

    Examples
    --------
    >>> percent(0.624), percent(0.004), percent(0.0)
    ('62\xa0%', 'under\xa01\xa0%', '0\xa0%')
    >>> percent(0.996), percent(1.0)
    ('over\xa099\xa0%', '100\xa0%')
    """
    text = f"{share * 100:.0f} %"
    if 0 < share < 0.01:
        text = str(gettext("under 1 %%") % ())
    elif 0.99 < share < 1:
        text = str(gettext("over 99 %%") % ())
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def signed(value: float) -> str:
    """A number with its sign, and a minus that is one.

    Examples
    --------
    >>> signed(0.123), signed(-0.5)
    ('+0.12', '−0.50')
    """
    return ("+" if round(value, 2) >= 0 else "") + decimal(value)


def decimal(value: float, digits: int = 2) -> str:
    """A number with two digits after the point (or so many), or after what the reader's language puts there.

    Examples
    --------
    >>> decimal(0.5), decimal(-0.25), decimal(1.54, 1)
    ('0.50', '−0.25', '1.5')
    """
    text = format_decimal(round(value, digits) + 0.0, format=f"0.{'0' * digits}", locale=get_locale() or "en")
    return str(text).replace("-", "\N{MINUS SIGN}")


def looks_like(distribution: Distribution) -> str:
    r"""A reading in words, never without its uncertainty.

    Examples
    --------
    >>> looks_like(Distribution.of({Emotion.SADNESS: 7, Emotion.FEAR: 3}))
    'looks like sadness (70\xa0%), then fear (30\xa0%)'
    >>> looks_like(Distribution.from_sequence([1.0] * 8))
    'unclear: neutral (12\xa0%) or happiness (12\xa0%)'
    """
    first, second = sorted(EMOTIONS, key=lambda e: -distribution[e])[:2]
    a = f"{named(first)} ({percent(distribution[first])})"
    b = f"{named(second)} ({percent(distribution[second])})"
    if distribution[first] < UNCLEAR:
        return str(gettext("unclear: %(first)s or %(second)s", first=a, second=b))
    if distribution[second] > 0:
        return str(gettext("looks like %(first)s, then %(second)s", first=a, second=b))
    return str(gettext("looks like %(first)s", first=a))


def said(distribution: Distribution) -> str:
    """A correction in words: what the person themselves said.

    Examples
    --------
    >>> said(Distribution.of({Emotion.FEAR: 2, Emotion.SADNESS: 1}))
    'fear and some sadness'
    """
    told = sorted((e for e in EMOTIONS if distribution[e] > 0), key=lambda e: -distribution[e])[:2]
    if len(told) < 2:
        return "".join(map(named, told))
    return str(gettext("%(first)s and some %(second)s", first=named(told[0]), second=named(told[1])))


def local(at: datetime) -> datetime:
    """An instant on the clock of the person who is logged in."""
    return at.astimezone(ZoneInfo(g.person.zone)) if "person" in g else at


def clock_time(at: datetime) -> str:
    """Hour and minute on the person's clock."""
    return f"{local(at):%H:%M}"


def day_name(day: date) -> str:
    """A date for people.

    In English as it always was; elsewhere as the language's own people write it.

    Examples
    --------
    >>> day_name(date(2026, 3, 1))
    'Sunday 1 March 2026'
    """
    locale = get_locale()
    if locale is None or locale.language == "en":
        return f"{day:%A} {day.day} {day:%B %Y}"
    return format_date(day, "full", locale=locale)


def short_day(day: date) -> str:
    """A date without its year, for a row of a table.

    Examples
    --------
    >>> short_day(date(2026, 3, 1))
    'Sun 1 Mar'
    """
    locale = get_locale()
    if locale is None or locale.language == "en":
        return f"{day:%a} {day.day} {day:%b}"
    return format_date(day, "EEE, d. MMM", locale=locale)


def plain_day(day: date, year: bool = True) -> str:
    """A date without its weekday.

    Examples
    --------
    >>> plain_day(date(2026, 3, 1)), plain_day(date(2026, 3, 1), year=False)
    ('1 March 2026', '1 March')
    """
    locale = get_locale()
    if locale is None or locale.language == "en":
        return f"{day.day} {day:%B}" + (f" {day.year}" if year else "")
    return format_date(day, "long" if year else "d. MMMM", locale=locale)


def card_title(scope: str) -> str:
    """What the study's own notice calls a choice, in the language in which it is read."""
    return text().card(Scope(scope)).title


def instant(at: datetime) -> str:
    """Date and time on the person's clock."""
    return f"{day_name(local(at).date())}, {clock_time(at)}"


def exact(at: datetime) -> str:
    """Date and time to the second on the person's clock."""
    return f"{day_name(local(at).date())}, {local(at):%H:%M:%S}"


def opening(text: str) -> str:
    """A name or a phrase as a sentence begins with it; nothing but its first letter is touched.

    Examples
    --------
    >>> opening("whoever runs this"), opening("iCare"), opening("")
    ('Whoever runs this', 'ICare', '')
    """
    return text[:1].upper() + text[1:]


def at_what(what: str) -> str:
    """What somebody of the staff looked at, as the log of looks has it, in the words of whose data it is.

    Examples
    --------
    >>> at_what("timeline")
    'your timeline'
    >>> at_what("a moment that was corrected: yes_no:tired")
    'a moment that was corrected (“tired”)'
    >>> at_what("who looked")
    'who looked'
    """
    first, _, rest = what.partition(" ")
    if first == "timeline":
        return " ".join([gettext("your timeline"), *map(_edge, rest.split())])
    if first == "export":
        return str(gettext("data of yours, for a dataset (export %(id)s)", id=rest))
    said, corrected, target = what.partition(" corrected: ")
    if corrected:
        name = (target.partition(":")[2] or target).replace("_", " ")
        said += " corrected"
        return f"{gettext(said)} (“{name}”)"
    return str(gettext(what))


LOOKS = (
    lazy_gettext("a moment that was corrected"),
    lazy_gettext("an archive of everything, on your behalf"),
    lazy_gettext("whether to ask you now, and why"),
    lazy_gettext("issued a one-time code"),
    lazy_gettext("gave a one-time code, to confirm in your name what was recorded for you"),
    lazy_gettext("your choices"),
    lazy_gettext("who looked"),
    lazy_gettext("what you were asked"),
    lazy_gettext("your time zone, which they set"),
    lazy_gettext("which stretches you hide"),
    lazy_gettext("which of your moments serve to see how well raters do"),
    lazy_gettext("your receipt"),
    lazy_gettext("whether your learners can be replayed"),
    lazy_gettext("a picture of your face, to rate it"),
    lazy_gettext("a picture of your face, to decide between raters"),
    lazy_gettext("a stretch of pictures of your face, to rate it"),
    lazy_gettext("a picture of your video, to rate it"),
    lazy_gettext("a picture of your video, to decide between raters"),
    lazy_gettext("a stretch of your video, to rate it"),
    lazy_gettext(
        "how the study goes with you: what arrived, what you were asked, how your learners did, and who looked"
    ),
)
"""What the staff's commands write into the log of looks; the log keeps them as they were written."""


def by_whom(reader: str) -> str:
    """Who of the staff looked, as the log of looks has it, in the words of whose data it is; names stay names.

    Examples
    --------
    >>> by_whom("rater 5ef60123"), by_whom("member 5ef60123, as a researcher")
    ('rater 5ef60123', 'member 5ef60123, as a researcher')
    >>> by_whom("ada (account 0)")
    'ada (account 0)'
    """
    name, as_one, _ = reader.partition(f", as a {Role.RESEARCHER.value}")
    called = _NUMBERED.fullmatch(name)
    if called is not None:
        name = str(READERS[called["role"]]) % {"number": called["number"]}
    return str(gettext("%(name)s, as a researcher", name=name)) if as_one else name


READERS = {
    "member": lazy_gettext("member %(number)s"),
    "rater": lazy_gettext("rater %(number)s"),
    "researcher": lazy_gettext("researcher %(number)s"),
    "operator": lazy_gettext("operator %(number)s"),
}
"""How members are called in the log of looks, by their part and the beginning of their number."""

_NUMBERED = re.compile(rf"(?P<role>{'|'.join(READERS)}) (?P<number>[0-9a-z]+)")


def _edge(word: str) -> str:
    """One word of what a look at the timeline was limited to: an instant on the person's clock, or ``from``."""
    try:
        return instant(parse_instant(word))
    except ValueError:
        return {"from": str(gettext("from")), "to": str(gettext("to"))}.get(word, word)


def teach(app: Flask) -> None:
    """Give the templates these words."""
    app.jinja_env.globals.update(
        EMOTIONS=EMOTIONS,
        icon=icon,
        logo=lambda: _LOGO,
        local_day=lambda at: local(at).date().isoformat(),
        help_contact=help_contact,
        card_title=card_title,
    )
    app.jinja_env.filters.update(
        percent=percent,
        signed=signed,
        looks_like=looks_like,
        said=said,
        clock_time=clock_time,
        day_name=day_name,
        short_day=short_day,
        instant=instant,
        local=local,
        opening=opening,
        at_what=at_what,
        by_whom=by_whom,
        decimal=decimal,
        named=named,
        choice_word=CHOICES.__getitem__,
        day=lambda at: day_name(local(at).date()),
        exact=exact,
        reason=REASONS.__getitem__,
        blank=BLANKS.__getitem__,
        fate=FATES.__getitem__,
        answered=answered,
    )
