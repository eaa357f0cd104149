"""What is known at a moment before anybody answers: the face lately, the context, and the person's own past.

Everything is read as of the moment: what the camera saw up to it, the contexts said of it or before, and what
the person had answered by then about earlier moments. What comes later cannot change it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from tracker.access import Unit
from tracker.domain.affect import EMOTIONS, Distribution, derived_valence_arousal
from tracker.domain.consent import Use
from tracker.domain.series import CONTEXT_HOLDS, Reason
from tracker.domain.stretches import Stretch, any_holds, any_touches
from tracker.learning.histories import History
from tracker.learning.kinds import answer_of
from tracker.learning.situations import Situation
from tracker.learning.window import window
from tracker.store import feedback, glimpses, hiding, learned
from tracker.store.glimpses import Glimpse
from tracker.store.learned import PastRow
from tracker.store.seen import Seen

LATELY = timedelta(minutes=15)
"""What the face looked like is averaged over this time up to the moment."""

HOURS = timedelta(hours=2)
"""How often it could be read, and why not, is counted over this time."""

_CONTEXT_AGE = "context_age_h"
_CONTEXT_AT = "context_at"


def look(unit: Unit, target: str, at: datetime) -> Seen:
    """What the person's learner of a target sees of a moment; of what is covered now and not hidden, and no more.

    Parameters
    ----------
    unit
        In which learning is allowed.
    target
        Any but the emotion, whose features are of the moment alone.
    at
        The moment.
    """
    since = unit.permit(Use.LEARN).covers_from
    context, prompts = unit.allowed(Use.KEEP_CONTEXT), unit.allowed(Use.PROMPT)
    hidden = hiding.stretches(unit.connection, unit.person.subject)
    now, seen_from, context_from = _situation(unit, at, since, context.covers_from if context else None)
    rows = [
        row
        for row in learned.past(
            unit.connection,
            unit.person.subject,
            target,
            since=max(window(at)[0], since),
            at=at,
        )
        if (row.seen_from or row.at) >= since
        and not any_touches(hidden, row.seen_from or row.at, row.at)
        and (not row.prompted or (prompts is not None and row.at >= prompts.covers_from))
    ]
    past = [_covered(row, context.covers_from if context else None, hidden) for row in rows]
    return _seen(target, at, now, seen_from, context_from, past)


def uncut(
    features: Mapping[str, float], cut: Mapping[str, Mapping[str, float]] | None, name: str
) -> Mapping[str, float]:
    """Features as they would have been: without contexts, without the past, or without either.

    Where something was not seen at all, taking it away changes nothing.
    """
    if cut is None or not name:
        return features
    # Where the moment itself has no context, features without the past are without any context too.
    for known in (name, *(("past", "context") if name == "both" else ())):
        if known in cut:
            return cut[known]
    return features


def _seen(
    target: str,
    at: datetime,
    now: dict[str, Any],
    seen_from: datetime | None,
    context_from: datetime | None,
    past: Sequence[PastRow],
) -> Seen:
    contexts = [context_from, *(_instant(row.situation.get(_CONTEXT_AT)) for row in past)]
    worded = [found for found in contexts if found is not None]
    plain = [_without_words(row) for row in past]
    bare = _without(now)
    cut: dict[str, Mapping[str, float]] = {}
    if worded:
        cut["context"] = _features(target, at, bare, plain)
    if past:
        cut["past"] = _features(target, at, now, [])
    if past and context_from is not None:
        cut["both"] = _features(target, at, bare, [])
    return Seen(
        _features(target, at, now, past),
        situation=now,
        cut=cut,
        seen_from=seen_from,
        past_from=min((row.seen_from or row.at for row in past), default=None),
        context_from=min(worded, default=None),
        prompts_from=min((row.at for row in past if row.prompted), default=None),
    )


def _features(target: str, at: datetime, now: Mapping[str, Any], past: Sequence[PastRow]) -> dict[str, float]:
    history = History()
    for row in past:
        history.add(_as_situation(row.at, row.situation), answer_of(target, row.value, row.weight))
    return history.features(_as_situation(at, now))


def _situation(
    unit: Unit, at: datetime, since: datetime, context_since: datetime | None
) -> tuple[dict[str, Any], datetime | None, datetime | None]:
    local = at.astimezone(ZoneInfo(unit.person.zone))
    enrolled = unit.person.enrolled_at.astimezone(local.tzinfo)
    numbers, seen_from = _face(unit, at, since)
    now: dict[str, Any] = {
        "day": max((local.date() - enrolled.date()).days + 1, 1),
        "hour": local.hour + local.minute / 60 + local.second / 3600,
        "weekday": local.weekday(),
        "numbers": numbers,
        "words": {},
    }
    said = feedback.contexts_between(unit.connection, unit.person.subject, at, at)
    last = said[-1] if said else None
    if last is None or at - last.at > CONTEXT_HOLDS or context_since is None or last.at < context_since:
        return now, seen_from, None
    words = {"place": last.place, "activity": last.activity, "company": last.company}
    now["words"] = {name: word for name, word in words.items() if word}
    now["numbers"] = {**numbers, _CONTEXT_AGE: (at - last.at) / timedelta(hours=1)}
    now[_CONTEXT_AT] = last.at.isoformat()
    return now, seen_from, last.at


def _face(unit: Unit, at: datetime, since: datetime) -> tuple[dict[str, float], datetime | None]:
    connection, subject = unit.connection, unit.person.subject
    if at < since:
        return {}, None
    counts, first = glimpses.looks(connection, subject, max(at - HOURS, since), at)
    if not counts:
        return {}, None
    total = sum(counts.values())
    numbers = {"face:read": counts.get("", 0) / total}
    numbers |= {f"face:{r.value}": counts[r.value] / total for r in Reason if r.value in counts}
    seen = glimpses.glimpses(connection, subject, max(at - LATELY, since), at)
    return numbers | _lately(seen, at), first


def _lately(seen: Sequence[Glimpse], at: datetime) -> dict[str, float]:
    read = [(g, g.machine) for g in seen if g.machine is not None]
    if not read:
        return {}
    said = [machine for _, machine in read]
    mean = Distribution.from_sequence(
        [math.fsum(d.probabilities[i] for d in said) / len(said) for i in range(len(EMOTIONS))]
    )
    valence, arousal = derived_valence_arousal(mean)
    each = [derived_valence_arousal(d)[0] for d in said]
    top = said[-1].top
    held = list(takewhile(lambda pair: pair[1].top is top, reversed(read)))
    numbers = {
        **{f"p:{e.value}": mean[e] for e in EMOTIONS},
        "face:valence": valence,
        "face:arousal": arousal,
        "face:unrest": math.sqrt(math.fsum((v - valence) ** 2 for v in each) / len(each)),
        "face:dwell_h": (read[-1][0].at - held[-1][0].at) / timedelta(hours=1),
        "face:age_h": (at - read[-1][0].at) / timedelta(hours=1),
    }
    for name in ("score", "sharpness"):
        values = [v for g, _ in read if (v := getattr(g, name)) is not None and math.isfinite(v)]
        if values:
            numbers[f"face:{name}"] = math.fsum(values) / len(values)
    return numbers


def _as_situation(at: datetime, stored: Mapping[str, Any]) -> Situation:
    return Situation(
        at,
        stored["day"],
        stored["hour"],
        stored["weekday"],
        numbers=_sorted(stored["numbers"]),
        words=_sorted(stored["words"]),
    )


def _sorted(values: Mapping[str, Any]) -> dict[str, Any]:
    # A database may hand JSON back in another key order, and sums of floats depend on order.
    return {name: values[name] for name in sorted(values)}


def _covered(row: PastRow, context_since: datetime | None, hidden: Sequence[Stretch]) -> PastRow:
    said = _instant(row.situation.get(_CONTEXT_AT))
    may = said is None or (
        context_since is not None and said >= context_since and not any_holds(hidden, said)
    )
    return row if may else _without_words(row)


def _without_words(row: PastRow) -> PastRow:
    return PastRow(row.at, row.seen_from, _without(row.situation), row.value, row.weight, row.prompted)


def _without(situation: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: value for name, value in situation["numbers"].items() if name != _CONTEXT_AGE}
    kept = {name: value for name, value in situation.items() if name != _CONTEXT_AT}
    return {**kept, "numbers": numbers, "words": {}}


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None


def forget_contexts(seen: Seen) -> Seen:
    """What was seen, as if there had never been a context."""
    if seen.situation is None:
        return seen
    cut = {"past": uncut(seen.features, seen.cut, "both")} if seen.cut and "past" in seen.cut else {}
    return Seen(
        uncut(seen.features, seen.cut, "context"),
        _without(seen.situation),
        cut,
        seen.seen_from,
        seen.past_from,
        None,
        seen.prompts_from,
    )


def forget_past(seen: Seen) -> Seen:
    """What was seen, as if the person had never answered before."""
    if seen.situation is None or seen.past_from is None:
        return seen
    own = _instant(seen.situation.get(_CONTEXT_AT))
    cut = {"context": uncut(seen.features, seen.cut, "both")} if own is not None else {}
    return Seen(uncut(seen.features, seen.cut, "past"), seen.situation, cut, seen.seen_from, None, own, None)
