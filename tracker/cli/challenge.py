"""``challenge``: replay real people's diaries, and say how often a learner may decide without asking."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from tracker.cli import challenge_arguments as arguments
from tracker.cli.output import AsJson, err, out, print_json, stages
from tracker.lab.challenge.settings import ChallengeSettings, Mode

# Learners and networks take seconds to import, and --help should not.
# ruff: noqa: PLC0415

_NOTES_SHOWN = 8
_WARMUP, _ZONE = 7, "UTC"


class Simulation(StrEnum):
    """What can be simulated where no real data hold it."""

    EMOTION = "emotion"


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
    warmup: Annotated[int, typer.Option(min=0, help="Days in which everything is asked.")] = _WARMUP,
    budget: Annotated[
        int | None, typer.Option(min=0, help="Most questions a day; default: any number.")
    ] = None,
    draws: Annotated[
        int | None, typer.Option(min=1, help="Repetitions with other audits; default 10 (simulated: 20).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all randomness.")] = 0,
    zone: Annotated[str, typer.Option(metavar="Z", help="IANA zone of times without an offset.")] = _ZONE,
    as_json: AsJson = False,
    plot: Annotated[Path | None, typer.Option(metavar="DIR", help="Draw plots into this folder.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: one per core.")] = None,
    simulate: Annotated[Simulation | None, typer.Option(help="Simulated persons and real faces.")] = None,
    people: Annotated[int | None, typer.Option(min=1, help="Simulated persons; default 200.")] = None,
) -> None:
    """Measure on real diaries how often a learner may decide, and how seldom it needs to ask."""
    if plot is not None and plot.exists() and not plot.is_dir():
        raise typer.BadParameter(f"--plot {plot} is a file; name a folder")
    if simulate is not None:
        of_files = (
            target,
            above,
            at_least,
            above_own_median,
            equals,
            either,
            features,
            prior,
            block,
            budget,
            jobs,
        )
        changed = (bool(exclude), mode is not Mode.DEPLOYED, warmup != _WARMUP, zone != _ZONE)
        if any(option is not None for option in of_files) or any(changed):
            raise typer.BadParameter(
                "--simulate takes no --target, no rule, features, --prior, --block, --mode, --warmup, --budget, "
                "--zone or --jobs: it has its own"
            )
        _simulate(data, people or 200, draws or 20, seed, as_json=as_json, plot=plot)
        return
    if people is not None:
        raise typer.BadParameter("--people belongs to --simulate; a file has the people it has")
    blocks = tuple(arguments.days(text) for text in block or ())
    rules = arguments.Rules(above, at_least, above_own_median, equals)
    spec = arguments.spec(target, rules, either, warmup)
    cohort, others, notes = arguments.read(data, prior, spec, features, exclude, zone)
    blocks = arguments.reportable(cohort, blocks, warmup, notes)
    settings = ChallengeSettings(blocks, mode, warmup, budget, draws or 10, seed, jobs or os.cpu_count() or 1)
    _tell(notes)
    _make(plot)

    from tracker.lab.challenge.running import run

    with stages() as progress:
        report = run(cohort, others, settings, progress, arguments.in_words(spec))
        if plot is not None:
            progress("drawing", 0.0)
            report.plot(plot)
    _show(report, as_json=as_json, notes=notes)


def _simulate(data: Path, people: int, seeds: int, seed: int, *, as_json: bool, plot: Path | None) -> None:
    from tracker.lab.emotion_challenge.running import FIRST_SEED, run

    _make(plot)
    with stages() as progress:
        report = run(
            data,
            people=people,
            seeds=seeds,
            days=30,
            per_day=5,
            strengths=(0.2, 0.5, 0.8),
            progress=progress,
            # Two of these share no simulated person.
            first_seed=FIRST_SEED + seed * seeds,
        )
        if plot is not None:
            report.plot(plot)
    _show(report, as_json=as_json)


def _make(folder: Path | None) -> None:
    """Make the folder of plots before the long work, not after it."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"--plot {folder} cannot be made: {error.strerror or error}") from None


def _show(report: Any, *, as_json: bool, notes: Sequence[str] = ()) -> None:
    if as_json:
        print_json({**report.as_json(), **({"notes": list(notes)} if notes else {})})
    else:
        report.print(out())


def _tell(notes: Sequence[str]) -> None:
    """Say on stderr what was done to the file; all of it stands in the JSON."""
    console = err()
    for note in notes[:_NOTES_SHOWN]:
        console.print(f"note: {note}", style="dim", highlight=False, soft_wrap=True)
    if len(notes) > _NOTES_SHOWN:
        console.print(f"note: and {len(notes) - _NOTES_SHOWN} more; --json lists all", style="dim")
