"""``challenge``: replay real people's diaries, and say how often a learner may decide without asking."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from tracker.cli.output import AsJson, err, out, print_json
from tracker.lab.challenge.settings import DEFAULT_BLOCKS, ChallengeSettings, Mode

if TYPE_CHECKING:
    from tracker.lab.challenge.diaries import Cohort
    from tracker.lab.challenge.targets import TargetSpec

# Learners and networks take seconds to import, and --help should not.
# ruff: noqa: PLC0415

_NOTES_SHOWN = 8
_NO_CHANCE = 10  # so many equal moments are the same person, not two who began alike


class Simulation(StrEnum):
    """What can be simulated where no real data hold it."""

    EMOTION = "emotion"


Stages = Callable[[str, float], None]
"""Called with the step that runs and the share of it, 0 to 1, that is done."""


@dataclass(frozen=True)
class Rules:
    """The four ways to say yes; one of them is given."""

    above: float | None
    at_least: float | None
    above_own_median: int | None
    equals: str | None


def challenge(
    data: Annotated[Path, typer.Option("--data", metavar="FILE.csv", help="A tidy CSV of self-reports.")],
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of answers.")] = None,
    above: Annotated[float | None, typer.Option(metavar="X", help="Yes is a value above X.")] = None,
    at_least: Annotated[float | None, typer.Option(metavar="X", help="Yes is a value of at least X.")] = None,
    above_own_median: Annotated[
        int | None, typer.Option(metavar="DAYS", help="Yes is above the person's median of these first days.")
    ] = None,
    equals: Annotated[
        str | None, typer.Option(metavar="V", help="Yes is exactly this number or word.")
    ] = None,
    either: Annotated[
        str | None, typer.Option(metavar="LOW-HIGH", help='Answers that mean "either is fine".')
    ] = None,
    features: Annotated[
        str | None, typer.Option(metavar="a,b,c", help='What the learner sees; "" for nothing; default: all.')
    ] = None,
    exclude: Annotated[str, typer.Option(metavar="d,e", help="What it must not see.")] = "",
    prior: Annotated[
        Path | None, typer.Option(metavar="OTHER.csv", help="Start from these people, not from each other.")
    ] = None,
    block: Annotated[
        list[str] | None, typer.Option(metavar="24-30", help="Days to report; may be repeated.")
    ] = None,
    mode: Annotated[
        Mode, typer.Option(help="deployed: truth only where it asked; full: always.")
    ] = Mode.DEPLOYED,
    warmup: Annotated[int, typer.Option(min=0, help="Days in which everything is asked.")] = 7,
    budget: Annotated[
        int | None, typer.Option(min=0, help="Most questions a day; default: any number.")
    ] = None,
    draws: Annotated[
        int | None, typer.Option(min=1, help="Repetitions with other audits; default 10 (simulated: 20).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all randomness.")] = 0,
    zone: Annotated[str, typer.Option(metavar="Z", help="IANA zone of times without an offset.")] = "UTC",
    as_json: AsJson = False,
    plot: Annotated[Path | None, typer.Option(metavar="DIR", help="Draw plots into this folder.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: one per core.")] = None,
    simulate: Annotated[Simulation | None, typer.Option(help="Simulated persons and real faces.")] = None,
    people: Annotated[int | None, typer.Option(min=1, help="Simulated persons; default 200.")] = None,
) -> None:
    """Measure on real diaries how often a learner may decide, and how seldom it needs to ask."""
    if plot is not None and plot.exists() and not plot.is_dir():
        raise typer.BadParameter(f"--plot {plot} is a file; name a folder")
    rules = Rules(above, at_least, above_own_median, equals)
    if simulate is not None:
        if target is not None or prior is not None or rules != Rules(None, None, None, None):
            raise typer.BadParameter(
                "--simulate takes no --target, no rule and no --prior: the simulation has its own"
            )
        _simulate(data, people or 200, draws or 20, as_json=as_json, plot=plot)
        return
    if people is not None:
        raise typer.BadParameter("--people belongs to --simulate; a file has the people it has")
    blocks = tuple(_days(text) for text in block or ())
    spec = _spec(target, rules, either, warmup)
    cohort, others, notes = _read(data, prior, spec, features, exclude, zone)
    blocks = _reportable(cohort, blocks, warmup, notes)
    settings = ChallengeSettings(blocks, mode, warmup, budget, draws or 10, seed, jobs or os.cpu_count() or 1)
    _tell(notes)

    from tracker.lab.challenge.running import run

    with stages() as progress:
        report = run(cohort, others, settings, progress)
        if plot is not None:
            progress("drawing", 0.0)
            plot.mkdir(parents=True, exist_ok=True)
            report.plot(plot)
    _show(report, as_json=as_json, notes=notes)


def _spec(target: str | None, rules: Rules, either: str | None, warmup: int) -> TargetSpec:
    from tracker.lab.challenge.targets import Rule, TargetSpec, parse_range

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


def _read(
    data: Path, prior: Path | None, spec: TargetSpec, features: str | None, exclude: str, zone: str
) -> tuple[Cohort, Cohort | None, list[str]]:
    from tracker.lab.challenge.diaries import shared_features
    from tracker.lab.challenge.reading import read

    chosen = None if features is None else _names(features)
    cohort = read(data, spec, chosen, _names(exclude), zone)
    notes = list(cohort.notes)
    if prior is None:
        if len(cohort.people) == 1:
            notes.append(
                "one person and no --prior: the learner starts from nothing, as there is nobody else"
            )
        return cohort, None, notes
    others = read(prior, spec, chosen, _names(exclude), zone, strict=False)
    _refuse_twins(data, cohort, prior, others)
    notes += [f"{prior}: {note}" for note in others.notes]
    cohort, others, dropped = shared_features(cohort, others)
    if dropped:
        notes.append(f"{data} and {prior} do not both have these as features: {', '.join(dropped)}; left out")
    return cohort, others, notes


def _refuse_twins(data: Path, cohort: Cohort, prior: Path, others: Cohort) -> None:
    """Refuse a prior that holds a person of the data: everything it says about them would be hindsight."""
    from tracker.lab.challenge.diaries import TargetError

    here = {diary.trace: diary.person for diary in cohort.people if len(diary.moments) >= _NO_CHANCE}
    for diary in others.people:
        if diary.trace in here:
            raise TargetError(
                f"{diary.person!r} of {prior} is {here[diary.trace]!r} of {data}: a prior comes from other people only"
            )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _days(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not (dash and first.strip().isdecimal() and last.strip().isdecimal()):
        raise typer.BadParameter(f"--block {text!r} is no span of days; write FIRST-LAST, for example 24-30")
    days = int(first), int(last)
    if not 1 <= days[0] <= days[1]:
        raise typer.BadParameter(f"--block {text!r} runs backwards or starts before day 1")
    return days


def _reportable(
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


def _simulate(data: Path, people: int, seeds: int, *, as_json: bool, plot: Path | None) -> None:
    from tracker.lab import emotion_challenge

    with stages() as progress:
        report = emotion_challenge.run(
            data, people=people, seeds=seeds, days=30, per_day=5, strengths=(0.2, 0.5, 0.8), progress=progress
        )
        if plot is not None:
            plot.mkdir(parents=True, exist_ok=True)
            report.plot(plot)
    _show(report, as_json=as_json)


def _show(report: Any, *, as_json: bool, notes: Sequence[str] = ()) -> None:
    if as_json:
        print_json({**report.as_json(), **({"notes": list(notes)} if notes else {})})
    else:
        report.table(out())


def _tell(notes: Sequence[str]) -> None:
    """Say on stderr what was done to the file; all of it stands in the JSON."""
    console = err()
    for note in notes[:_NOTES_SHOWN]:
        console.print(f"note: {note}", style="dim", highlight=False, soft_wrap=True)
    if len(notes) > _NOTES_SHOWN:
        console.print(f"note: and {len(notes) - _NOTES_SHOWN} more; --json lists all", style="dim")


@contextmanager
def stages() -> Iterator[Stages]:
    """Show on stderr, where that is a terminal, which step runs and how far it is."""
    console = err()
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=32),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("starting", total=1.0)

        def report(step: str, share: float) -> None:
            bar.update(task, description=step, completed=min(1.0, share))

        yield report
