"""``rating``: what waits for raters, how they agree, items whose answer is known, and raters' words for learners."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, out, print_json
from tracker.cli.people import Participant
from tracker.cli.reader import reader
from tracker.domain.affect import Distribution, Emotion
from tracker.learning.agreement import Alpha
from tracker.learning.shares import Share
from tracker.workflows import members, rating
from tracker.workflows.rating import RaterFigures

app = typer.Typer(
    no_args_is_help=True, help="What waits for raters, how they agree, and what their words teach."
)
gold = typer.Typer(no_args_is_help=True, help="Items whose answer is known, hidden among the others.")
app.add_typer(gold, name="gold")

GOLD_LOOK = "which of your moments serve to see how well raters do"

Moment = Annotated[int, typer.Argument(metavar="OBSERVATION", help="The moment's number, as on its page.")]


@app.command()
def queue(context: typer.Context, as_json: AsJson = False) -> None:
    """Print how much there is to rate, of everybody who shows their pictures to raters now; counts alone."""
    found = rating.waiting(opened(settings_of(context)), now())
    if as_json:
        print_json(asdict(found))
        return
    table = Table("what", Column("how many", justify="right"), title="What waits for raters")
    for words, n in (
        ("people who show their pictures", found.people),
        ("pictures", found.items),
        ("of these rated by somebody", found.rated),
        ("words wanted still", found.waiting),
        ("kept for a rater now", found.held),
        ("with a known answer", found.gold),
        ("decided", found.decided),
    ):
        table.add_row(words, str(n))
    out().print(table)


@app.command()
def agreement(context: typer.Context, as_json: AsJson = False) -> None:
    """Print how raters agree beyond chance, and each rater's figures with their range; nothing follows from them."""
    access = opened(settings_of(context))
    found = rating.agreement(access, now())
    names = {member.id: member.name for member in members.everyone(access)}
    if as_json:
        print_json(
            {
                "alpha": {
                    "words": asdict(found.words),
                    "valence": asdict(found.valence),
                    "arousal": asdict(found.arousal),
                },
                "items": found.items,
                "votes": found.votes,
                "estimated": found.estimated,
                "converged": found.converged,
                "uncompared": found.uncompared,
                "network_on_drawn": _maybe(found.network_on_drawn),
                "raters": [_as_json(r, names) for r in found.raters],
            }
        )
        return
    for words, alpha in (("answers", found.words), ("valence", found.valence), ("arousal", found.arousal)):
        typer.echo(f"{words}: {_alpha(alpha)}")
    typer.echo(f"the network on what was drawn at random: {_share(found.network_on_drawn)}")
    table = Table(
        "rater", "answers", "as the network", "as others", "labels", "cannot tell", "speed", "time", "counts"
    )
    for row in found.raters:
        table.add_row(
            names.get(row.member, "?"),
            str(row.votes),
            _share(row.with_network),
            _share(row.with_others),
            ", ".join(f"{e.value} {p:.0%}" for e, p in sorted(row.labels.items(), key=lambda x: -x[1])[:3]),
            _share(row.cannot_tell),
            "-" if row.speed_ms is None else f"{row.speed_ms / 1000:.1f} s",
            "-" if row.time_s is None else f"{row.time_s / 60:.0f} min",
            f"{row.weight:.2f}",
        )
    out().print(table)
    if not found.estimated:
        err().print("no item has two raters or a known answer: how much each counts is not known yet")
    if found.uncompared:
        err().print(f"{found.uncompared} raters do not let their agreement be computed, and have no row")


@app.command()
def teach(context: typer.Context, as_json: AsJson = False) -> None:
    """Put raters' words together now and let participants' learners learn them; the nightly job does the same."""
    done = rating.teach(opened(settings_of(context)), now())
    if as_json:
        print_json(asdict(done))
    else:
        typer.echo(f"{done.words} words put together, {done.learned} learned")


@gold.command("add")
def add(
    context: typer.Context,
    participant: Participant,
    moment: Moment,
    emotion: Emotion,
    by: Annotated[str, typer.Option(help="The researcher or operator who says so; they are not given it.")],
    second: Annotated[Emotion | None, typer.Option(help="A second emotion, for a mixed state.")] = None,
) -> None:
    """Say that the answer to a moment is known: raters are given it among the others, without being told."""
    access = opened(settings_of(context))
    person, who = access.person(participant), members.find(access, by)
    access.record_look(person.id, now(), reader=reader().told, what=GOLD_LOOK)
    rating.set_gold(access, who, person, moment, Distribution.said(emotion, second), now())
    typer.echo(f"the answer to moment {moment} of {participant} is known: {emotion.value}")


@gold.command("remove")
def remove(context: typer.Context, participant: Participant, moment: Moment) -> None:
    """Say that the answer to a moment is not known after all."""
    access = opened(settings_of(context))
    person = access.person(participant)
    was = rating.remove_gold(access, person, moment, now())
    typer.echo(
        f"moment {moment} of {participant} is an item like any other" + ("" if was else ", and was before")
    )


@gold.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the moments whose answer is known, of everybody who shows them to raters; they see that you looked."""
    access, at = opened(settings_of(context)), now()
    found = rating.gold(access, at)
    for name in {item.participant for item in found}:
        access.record_look(access.person(name).id, at, reader=reader().told, what=GOLD_LOOK)
    if as_json:
        print_json(
            [
                {
                    "participant": item.participant,
                    "observation": item.observation,
                    "at": item.at.isoformat(),
                    "answer": item.answer.as_dict(),
                }
                for item in found
            ]
        )
        return
    table = Table("participant", "moment", "at", "answer", title="Moments whose answer is known")
    for item in found:
        table.add_row(
            item.participant,
            str(item.observation),
            item.at.isoformat(timespec="seconds"),
            item.answer.top.value,
        )
    out().print(table)


def _as_json(row: RaterFigures, names: dict[str, str]) -> dict[str, Any]:
    shares = ("with_network", "with_others", "cannot_tell", "with_known", "with_self")
    return {
        "rater": names.get(row.member),
        "votes": row.votes,
        **{name: _maybe(getattr(row, name)) for name in shares},
        "labels": {e.value: p for e, p in row.labels.items()},
        "speed_ms": row.speed_ms,
        "time_s": row.time_s,
        "weight": row.weight,
        "confusion": None if row.confusion is None else row.confusion.tolist(),
    }


def _maybe(found: Share | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"hits": found.hits, "of": found.n, "value": found.value, "low": found.low, "high": found.high}


def _share(found: Share | None) -> str:
    return "-" if found is None else f"{found.value:.0%} ({found.low:.0%}-{found.high:.0%})"


def _alpha(alpha: Alpha) -> str:
    if alpha.value is None or alpha.low is None or alpha.high is None:
        return "no alpha: no two answers to one item, or all the same"
    return f"alpha {alpha.value:.2f} ({alpha.low:.2f} to {alpha.high:.2f}), {alpha.values} on {alpha.items} items"
