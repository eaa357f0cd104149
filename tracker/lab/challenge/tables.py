"""A report on a terminal, at most 100 columns wide; what matters is said by signs, not by colour alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from tracker.lab.challenge.intervals import Figure
from tracker.lab.challenge.people import MET
from tracker.lab.challenge.results import LEARNER, About, BlockReport
from tracker.lab.challenge.scoring import Points, Scores

WIDTH = 100
NOT_MET = "✗"

Pick = Callable[[Points], Scores]
_DECIDED: Pick = lambda p: p.at_decided_95  # noqa: E731
_SYSTEM: Pick = lambda p: p.at_system_95  # noqa: E731
_ALWAYS: Pick = lambda p: p.always  # noqa: E731

_Column = tuple[str, Pick, str, bool | None]

# heading, where it is found, its name, whether more is better (None: no method is best at it)
_COLUMNS: tuple[_Column, ...] = (
    ("alone\ncover", _DECIDED, "coverage", True),
    ("\nright", _DECIDED, "decided_accuracy", None),
    ("\nbound", _DECIDED, "decided_accuracy_lower", None),
    ("system\nasks", _SYSTEM, "ask_rate", False),
    ("\nright", _SYSTEM, "system_accuracy", None),
    ("\na day", _SYSTEM, "asks_per_day", None),
    ("always\nright", _ALWAYS, "accuracy", True),
    ("\nbalan.", _ALWAYS, "balanced_accuracy", True),
    ("macro\nF1", _ALWAYS, "macro_f1", True),
    ("\nAUC", _ALWAYS, "auc", True),
    ("own\nAUC", _ALWAYS, "within_person_auc", True),
    ("\nECE", _ALWAYS, "ece", False),
)

_NARROW = frozenset(("decided_accuracy_lower", "asks_per_day", "macro_f1", "auc", "ece"))
"""What a terminal of less than `WIDTH` columns leaves out of the table of methods; all of it stands in the JSON."""

_UNSURE: tuple[tuple[str, Pick, str], ...] = (
    ("decides by itself (coverage)", _DECIDED, "coverage"),
    ("right when it decides", _DECIDED, "decided_accuracy"),
    ("  on definite answers", _DECIDED, "decided_accuracy_definite"),
    ("asks, for 95 % of all moments right", _SYSTEM, "ask_rate"),
    ("  questions a day", _SYSTEM, "asks_per_day"),
    ("  right in all (asked counts as right)", _SYSTEM, "system_accuracy"),
    ("  questions put while true, share", _SYSTEM, "asks_when_alone"),
    ("always deciding: accuracy", _ALWAYS, "accuracy"),
    ("  on definite answers", _ALWAYS, "accuracy_definite"),
    ("  balanced accuracy", _ALWAYS, "balanced_accuracy"),
    ("  AUC within a person", _ALWAYS, "within_person_auc"),
    ("  calibration error (ECE)", _ALWAYS, "ece"),
    ("  ECE of a perfect forecaster", _ALWAYS, "ece_if_perfect"),
)


def print_header(console: Console, about: About) -> None:
    """Say what was measured on what."""
    console.print(Rule(Text(f"challenge  {about.data}"), style="cyan"), width=WIDTH)
    budget = "any number of questions" if about.budget is None else f"at most {about.budget} questions a day"
    lines = {
        "target": about.target,
        "data": f"{about.people} people, {about.moments} moments with an answer",
        "prior": about.prior,
        "mode": f"{about.mode}: {about.warmup} days of warm-up, {budget}",
        "draws": f"{about.draws} of the closed loop, seed {about.seed}",
    }
    grid = Table.grid(padding=(0, 2))
    for name, value in lines.items():
        grid.add_row(Text(name, style="dim"), Text(value))
    for note in about.notes:
        grid.add_row(Text("note", style="yellow"), Text(note))
    console.print(Padding(grid, (0, 0, 1, 1)), width=WIDTH)


def print_block(console: Console, name: str, block: BlockReport) -> None:
    """Print one block: in a sentence, every method, ours with its uncertainty, and over people."""
    balance = block.learner.balance
    console.print(Rule(Text(f"days {name}", style="bold"), align="left", style="dim"), width=WIDTH)
    facts = (
        f"{balance['people']:.0f} people, {balance['moments']:.0f} moments, true in {short(balance['share_true'])}"
        + (f", either in {short(balance['share_either'])}" if balance["share_either"] else "")
        + f"; always saying a person's commoner answer: {short(balance['majority_within_person'])} right"
    )
    console.print(Padding(Text(facts, style="dim"), (0, 1)), width=WIDTH)
    console.print(Padding(headline(block.learner.points), (0, 1, 1, 1)), width=WIDTH)
    everybody = {method: found.points for method, found in block.methods.items()}
    columns = tuple(c for c in _COLUMNS if console.width >= WIDTH or c[2] not in _NARROW)
    console.print(_methods(everybody, "Everybody", columns), width=WIDTH)
    varied = {m: found.both_answers for m, found in block.methods.items() if found.both_answers is not None}
    count = block.learner.both_answers_people
    if varied:
        title = f"People with both answers in at least 10 % of their moments ({count})"
        console.print(_methods(varied, title, columns), width=WIDTH)
    else:
        console.print(Padding(Text("Nobody gave both answers in 10 % of their moments."), (0, 1, 1, 1)))
    console.print(_uncertain(block.learner.points), width=WIDTH)
    console.print(_people(block.learner.people), width=WIDTH)


def headline(points: Points) -> Text:
    """Say in a sentence what the learner did, and whether the 95 % were met."""
    one, two = points.at_decided_95, points.at_system_95
    if one["decided_accuracy"] is None:
        text = Text("The learner decided nothing by itself", style="bold")
    else:
        text = Text.assemble(
            "The learner decides ",
            (short(one["coverage"]), "bold"),
            " of moments by itself and is right in ",
            (short(one["decided_accuracy"]), "bold"),
            f" of them (at least {short(one['decided_accuracy_lower'])})",
        )
    text.append(": 95 % met. " if one.met else ": 95 % not met. ", style="green" if one.met else "bold red")
    text.append(f"Asking in {short(two['ask_rate'])} of moments, {short(two['system_accuracy'])} end right")
    text.append(": 95 % met." if two.met else ": 95 % not met.", style="green" if two.met else "bold red")
    return text


def print_meaning(console: Console, about: About) -> None:
    """Say what the figures mean, and what they do not."""
    text = (
        "alone: decides only where sure; cover = share of moments decided, right = realised accuracy there, bound = "
        f"its one-sided 95 % lower bound over people. system: asks where unsure; asked counts as right. {NOT_MET} = "
        f"95 % not met (realised below {MET:.3f}".replace("0.", ".")
        + "). always: as if it had always decided. "
        "own AUC = within a person. Best in bold, among those that met the 95 %. "
        f"Every figure is a mean over {about.draws} draws; intervals are 95 %, people resampled.\n"
        "What this does not say: where one answer is rare, being right often is easy, so read balanced accuracy, own "
        "AUC and the people with both answers. Missed moments are not scored, and may be those in which people most "
        "wanted to be left alone. Items of the same form as the answer share its mood: an upper bound for anything "
        "sensed. A question is itself an interruption, although it counts as right."
    )
    console.print(Padding(Text(text, style="dim"), (0, 1)), width=WIDTH)


def short(value: float | None) -> str:
    """Write a share with three digits and no leading zero.

    Examples
    --------
    >>> short(0.95), short(1.5), short(None)
    ('.950', '1.50', '–')
    """
    if value is None:
        return "–"
    return f"{value:.3f}".removeprefix("0") if abs(value) < 0.9995 else f"{value:.2f}"


def _methods(found: Mapping[str, Points], title: str, columns: tuple[_Column, ...]) -> Table:
    table = _table(title, padding=0)
    table.add_column("", no_wrap=True)
    for heading, *_ in columns:
        group = heading.split("\n")[0] in ("alone", "system", "always")
        table.add_column(heading, justify="right", no_wrap=True, min_width=7 if group else None)
    best = [_best(found, column) for column in columns]
    for method, points in found.items():
        cells = [Text(method.replace("_", " "), style="bold cyan" if method == LEARNER else "")]
        for (_, pick, name, _), champion in zip(columns, best, strict=True):
            value = pick(points)[name]
            failed = name in ("decided_accuracy", "system_accuracy") and not pick(points).met
            cell = short(value) + (NOT_MET if failed else "")
            top = champion is not None and value is not None and short(value) == short(champion)
            cells.append(Text(cell, style="red" if failed else "bold" if top else ""))
        table.add_row(*cells)
    return table


def _best(found: Mapping[str, Points], column: _Column) -> float | None:
    _, pick, name, more = column
    rows = [pick(points) for points in found.values()]
    values = [v for scores in rows if scores.met is not False and (v := scores[name]) is not None]
    if more is None or not values:
        return None
    return max(values) if more else min(values)


def _uncertain(points: Points) -> Table:
    table = _table("The learner, with its uncertainty")
    for heading in ("", "mean", "95 % interval", "SD over draws"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    for words, pick, name in _UNSURE:
        figure = pick(points).figures[name]
        if figure.value is not None:
            table.add_row(words, short(figure.value), _interval(figure), short(figure.spread))
    return table


def _people(people: Mapping[str, Scores]) -> Table:
    table = _table("The learner, person by person")
    for heading in ("", "\nworst", "lower\nquarter", "\nmedian", "upper\nquarter", "\nat 95 %", "\npeople"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    words = {
        "accuracy": "accuracy, always deciding",
        "coverage": "coverage",
        "decided_accuracy": "right when it decides",
        "system_accuracy": "right in all, asked counts",
    }
    for name, label in words.items():
        row = people[name]
        values = [short(row[key]) for key in ("worst", "q1", "median", "q3")]
        at = "" if name == "coverage" else short(row["share_at_95"])
        table.add_row(label, *values, at, f"{row.n['people']:.0f}")
    return table


def _interval(figure: Figure) -> str:
    return "–" if figure.interval is None else f"{short(figure.interval[0])} to {short(figure.interval[1])}"


def _table(title: str, padding: int = 1) -> Table:
    return Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 0, 0, padding),
    )
