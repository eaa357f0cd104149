"""What stands on the line of ``challenge``, checked and read before anything runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from tracker.lab.challenge.diaries import Cohort, TargetError, shared_features
from tracker.lab.challenge.reading import read as read_diaries
from tracker.lab.challenge.settings import DEFAULT_BLOCKS
from tracker.lab.challenge.targets import Rule, TargetSpec, parse_range

_NO_CHANCE, _NEARLY_ALL = 10, 0.9  # so many equal moments of the shorter diary are one person's, not chance


@dataclass(frozen=True)
class Rules:
    """The four ways to say yes; one of them is given."""

    above: float | None
    at_least: float | None
    above_own_median: int | None
    equals: str | None


def spec(target: str | None, rules: Rules, either: str | None, warmup: int) -> TargetSpec:
    """Put column and rule together; exactly one rule must be given."""
    if target is None:
        raise typer.BadParameter("--target is missing: which column holds the answers?")
    given: list[tuple[Rule, float | str | None]] = [
        (Rule.ABOVE, rules.above),
        (Rule.AT_LEAST, rules.at_least),
        (Rule.ABOVE_OWN_MEDIAN, rules.above_own_median),
        (Rule.EQUALS, rules.equals),
    ]
    chosen = [(rule, value) for rule, value in given if value is not None]
    if len(chosen) != 1:
        raise typer.BadParameter(
            "say once what counts as yes: one of --above, --at-least, --above-own-median and --equals"
            + (f", not {' and '.join('--' + rule.value for rule, _ in chosen)}" if chosen else "")
        )
    rule, value = chosen[0]
    if isinstance(value, float) and not math.isfinite(value):
        raise typer.BadParameter(f"--{rule.value} {value} is no number to compare with")
    if rules.above_own_median is not None and rules.above_own_median > warmup:
        raise typer.BadParameter(
            f"--above-own-median {rules.above_own_median} ends after the warm-up of {warmup} days: decisions would be "
            f"judged by a median that nobody knew yet; raise --warmup"
        )
    return TargetSpec(target, rule, value, None if either is None else parse_range(either))


def in_words(spec: TargetSpec) -> str:
    """The question as a reader would put it.

    Examples
    --------
    >>> in_words(TargetSpec("avoid_people", Rule.ABOVE, 50.0, either=(35, 65)))
    'avoid_people above 50, 35-65 is either'
    """
    value = spec.value if isinstance(spec.value, str) else f"{spec.value:g}"
    said = {
        Rule.ABOVE: f"above {value}",
        Rule.AT_LEAST: f"at least {value}",
        Rule.ABOVE_OWN_MEDIAN: f"above the own median of the first {value} days",
        Rule.EQUALS: f"is {value}",
    }[spec.rule]
    either = f", {spec.either[0]:g}-{spec.either[1]:g} is either" if spec.either else ""
    return f"{spec.column} {said}{either}"


def read(
    data: Path, prior: Path | None, spec: TargetSpec, features: str | None, exclude: str, zone: str
) -> tuple[Cohort, Cohort | None, list[str]]:
    """Read the data and its prior with the features that both have; the notes say what was done."""
    chosen = None if features is None else _names(features)
    cohort = read_diaries(data, spec, chosen, _names(exclude), zone)
    notes = list(cohort.notes)
    if prior is None:
        if len(cohort.people) == 1:
            notes.append(
                "one person and no --prior: the learner starts from nothing, as there is nobody else"
            )
        return cohort, None, notes
    others = read_diaries(prior, spec, chosen, _names(exclude), zone, strict=False)
    notes += [f"{prior}: {note}" for note in others.notes]
    cohort, others, dropped = shared_features(cohort, others)
    _refuse_twins(data, cohort, prior, others)
    if dropped:
        notes.append(f"{data} and {prior} do not both have these as features: {', '.join(dropped)}; left out")
    return cohort, others, notes


def _refuse_twins(data: Path, cohort: Cohort, prior: Path, others: Cohort) -> None:
    """Refuse a prior that holds a person of the data: everything it says about them would be hindsight.

    The same person is known by what they said, under whatever name and with whatever rows left out.
    """
    traces = [(diary.person, diary.trace) for diary in cohort.people]
    for diary in others.people:
        said = diary.trace
        for person, trace in traces:
            same = len(said & trace)
            if same >= _NO_CHANCE and same >= _NEARLY_ALL * min(len(said), len(trace)):
                raise TargetError(
                    f"{diary.person!r} of {prior} is {person!r} of {data}, at {same} moments: a prior comes from other "
                    f"people only"
                )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def days(text: str) -> tuple[int, int]:
    """Read a span of days.

    Examples
    --------
    >>> days("24-30")
    (24, 30)
    """
    first, dash, last = text.partition("-")
    if not (dash and first.strip().isdecimal() and last.strip().isdecimal()):
        raise typer.BadParameter(f"--block {text!r} is no span of days; write FIRST-LAST, for example 24-30")
    span = int(first), int(last)
    if not 1 <= span[0] <= span[1]:
        raise typer.BadParameter(f"--block {text!r} runs backwards or starts before day 1")
    return span


def reportable(
    cohort: Cohort, asked_for: Sequence[tuple[int, int]], warmup: int, notes: list[str]
) -> tuple[tuple[int, int], ...]:
    """Keep the blocks that hold answers after the warm-up; one that was asked for by name must."""
    answered = {
        beep.situation.day for diary in cohort.people for beep in diary.moments if beep.truth is not None
    }
    kept = []
    for first, last in dict.fromkeys(asked_for or DEFAULT_BLOCKS):
        why = ""
        if first <= warmup:
            why = f"it begins within the warm-up of {warmup} days, where everything is asked"
        elif not any(first <= day <= last for day in answered):
            why = f"the answers end on day {max(answered)}"
            if max(answered) > last:
                why = "nobody answered on these days"
        if not why:
            kept.append((first, last))
        elif asked_for:
            raise typer.BadParameter(f"--block {first}-{last} cannot be reported: {why}")
        else:
            notes.append(f"days {first}-{last} are not reported: {why}")
    if not kept:
        raise typer.BadParameter(
            f"no days to report: the answers end on day {max(answered)}, the warm-up on day {warmup}; "
            f"name days with --block, or shorten --warmup"
        )
    return tuple(kept)
