"""The emotion experiment's tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tracker.lab.simulation import MARK

if TYPE_CHECKING:
    from tracker.lab.emotion_challenge.report import EmotionReport, Measured

_WORDS = {"cross_entropy": "cross-entropy, nats", "brier": "Brier score", "error_rate": "error rate"}


def show(report: EmotionReport, console: Console) -> None:
    """Print a table for each truth, and one of the baselines in the last week."""
    plan = report.plan
    console.print(
        f"[bold]{MARK}[/] {plan.people} people, {plan.seeds} seeds, {plan.days} days, at most {plan.per_day} "
        f"corrections a day; real faces, read by {plan.network}",
        highlight=False,
    )
    for truth in ("felt", "said"):
        table = Table(title=f"{MARK} after day {plan.days}, against what was {truth}", title_justify="left")
        for column in (
            "strength",
            "score",
            "network",
            "others",
            "personal",
            "oracle",
            "removed",
            "worse",
            "met",
        ):
            table.add_column(column, justify="left" if column in ("score", "met") else "right")
        for strength, truths in report.gaps.items():
            for score, gap in truths[truth].items():
                table.add_row(
                    f"{strength:g}",
                    _WORDS[score],
                    *(f"{m.mean:.3f}" for m in (gap.network, gap.other_people, gap.personal, gap.oracle)),
                    _share(gap.removed),
                    _share(gap.worse),
                    {True: "yes", False: "no", None: "no gap"}[gap.met],
                )
        console.print(table)
    week = Table(
        title=f"{MARK} last seven days, before each answer, Brier score against what was felt",
        title_justify="left",
    )
    names = list(next(iter(report.gaps.values()))["felt"]["brier"].last_week)
    for column in ("strength", *(name.replace("_", " ") for name in names)):
        week.add_column(column, justify="right")
    for strength, truths in report.gaps.items():
        means = truths["felt"]["brier"].last_week
        week.add_row(f"{strength:g}", *(f"{means[name].mean:.3f}" for name in names))
    console.print(week)
    console.print(
        "others: the network, with what a reading means in the average person. oracle: the same for this very "
        "person. removed: share of the gap from network to oracle. worse: people who end worse than the "
        "network. In brackets: 95 % over people and seeds. met: half removed, and at most 5 % worse.",
        highlight=False,
    )


def _share(measured: Measured | None) -> str:
    return f"{measured.mean:.2f} ({measured.low:.2f}-{measured.high:.2f})" if measured else "-"
