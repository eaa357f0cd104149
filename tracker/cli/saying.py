"""``correct`` and ``replay``: what a participant says about a moment, and what their learners make of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from tracker import personal
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, out, print_json
from tracker.cli.people import Participant
from tracker.cli.reader import reader
from tracker.domain import notes
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.instants import parse_instant
from tracker.domain.series import Correction
from tracker.learning.kinds import TARGETS, TargetError, kind_of
from tracker.workflows import feedback
from tracker.workflows.feedback import Corrected

_TARGET = f"What is spoken of: {', '.join(TARGETS)}, or a study's own: yes_no:NAME, number:NAME."
Target = Annotated[str, typer.Option(metavar="TARGET", help=_TARGET)]


class Answer(StrEnum):
    """An answer to a question of yes or no."""

    YES = "yes"
    EITHER = "either"
    NO = "no"


_SHARES = {Answer.YES: 1.0, Answer.EITHER: 0.5, Answer.NO: 0.0}


def correct(
    context: typer.Context,
    participant: Participant,
    at: Annotated[str, typer.Option(metavar="ISO", help="Time with its UTC offset.")],
    emotion: Annotated[Emotion | None, typer.Option(help="What it really was.")] = None,
    second: Annotated[Emotion | None, typer.Option(help="A second emotion, for a mixed state.")] = None,
    target: Target = personal.EMOTION,
    answer: Annotated[Answer | None, typer.Option(help="For a target of yes or no.")] = None,
    value: Annotated[float | None, typer.Option(help="For a target that is a number, -1 to 1.")] = None,
    prompt: Annotated[int | None, typer.Option(help="The question that this answers.")] = None,
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="In P's own words, sealed; - reads them from stdin.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Correct a moment as the participant, and learn from it; prints the estimate before and after."""
    said = _said(target, emotion, second, answer, value, parse_instant(at))
    access = opened(settings_of(context))
    words = _typed() if note == "-" else note
    person = access.person(participant)
    instant = now()
    feedback.demand_correcting(access, person, said, instant, prompt=prompt, note=words)
    # Whoever types it reads what the program said about the moment, before and after; what is refused shows nothing.
    access.record_look(
        person.id, instant, reader=reader().told, what=f"a moment that was corrected: {target}"
    )
    done = feedback.correct(access, person, said, instant, prompt=prompt, note=words)
    if as_json:
        print_json(_as_json(target, done))
        return
    if done.observation is None:
        typer.echo("no observation with a face within two minutes: stored as a word about the moment itself")
    if done.noted:
        typer.echo(
            "the note was sealed; only the participant reads it, in the web app and in what they take along"
        )
    if done.source is not None and done.source is not personal.Source.SNAPSHOT:
        typer.echo(f"{done.source.value}: {done.source.sentence}")
    if reason := _unlearned(participant, done):
        typer.echo(f"stored; nothing was learned, because {reason}")
    elif isinstance(done.before, Distribution):
        _print_emotions(participant, done, {emotion, second})
    else:
        typer.echo(
            f"{target} at {done.at.isoformat()}: {_number(done.before)} before, {_number(done.after)} now"
        )


def replay(
    context: typer.Context,
    participant: Participant,
    target: Annotated[str | None, typer.Option(metavar="TARGET", help="Only this learner.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compute the learners again from their priors and events, and compare them with the live ones, bit for bit."""
    if target is not None:
        kind_of(target)
    access = opened(settings_of(context))
    person = access.person(participant)
    with access.look(
        person.id, now(), reader=reader().told, what="whether your learners can be replayed"
    ) as unit:
        wanted = [target] if target is not None else personal.live(unit)
        done = [found for name in wanted if (found := personal.replay(unit, name)) is not None]
    if as_json:
        print_json(
            {
                "learner": bool(done),
                "events": sum(d.events for d in done),
                "equal": all(d.equal for d in done),
                "targets": [_replay_json(d) for d in done],
            }
        )
    elif not done:
        of = f" of {target}" if target is not None else ""
        typer.echo(f"{participant} has no learner{of} yet; it begins with the first tracking or correction")
    for d in done if not as_json else ():
        verdict = "equal, bit for bit" if d.equal else f"NOT equal{': ' + d.problem if d.problem else ''}"
        typer.echo(
            f"{d.target}: events {d.events}, rebased at {d.rebased_at.isoformat(timespec='seconds')}: {verdict}"
        )
    if not all(d.equal for d in done):
        raise typer.Exit(1)


def _said(
    target: str,
    emotion: Emotion | None,
    second: Emotion | None,
    answer: Answer | None,
    value: float | None,
    at: Any,
) -> Correction:
    given = [option for option in (emotion, answer, value) if option is not None]
    if len(given) != 1:
        raise TargetError("say one thing about the moment: --emotion, or --target with --answer or --value")
    if (emotion is not None) != (target == personal.EMOTION):
        raise TargetError(f"--emotion goes with the target emotion; {target} takes --answer or --value")
    if emotion is not None:
        return Correction(at, target, Distribution.said(emotion, second))
    return Correction(at, target, None, _SHARES[answer] if answer is not None else value)


def _typed() -> str:
    # What stands on a command line is seen by every process of the machine and kept by the shell. Bytes that are no
    # UTF-8 become what a note refuses by name, and no more is read than shows that a note is too long.
    return typer.get_text_stream("stdin", "utf-8", "surrogateescape").read(4 * notes.LONGEST)


def _unlearned(participant: str, done: Corrected) -> str | None:
    if done.missing:
        scopes = ", ".join(s.value for s in done.missing)
        return f"{scopes} of {participant} is not in force (consent show says why)"
    if done.not_covered_since is not None:
        return f"{participant} allows learning only from {done.not_covered_since.isoformat()} on"
    if done.after is None:
        return "what was learned before cannot be read"
    return None


def _print_emotions(participant: str, done: Corrected, said: set[Emotion | None]) -> None:
    table = Table("", "network", "before", "after", title=f"{participant} at {done.at.isoformat()}")
    for e in Emotion:
        # What a network does not read it gave exactly 0.
        read = done.machine.read_dict()[e.value] if done.machine is not None else None
        said_of = [read, *(d[e] if d is not None else None for d in (done.before, done.after))]
        cells = [f"{p:.2f}" if p is not None else "-" for p in said_of]
        table.add_row(e.value, *cells, style="bold" if e in said else None)
    out().print(table)


def _number(prediction: Any) -> str:
    if isinstance(prediction, tuple):
        return f"{prediction[0]:+.2f} (± {prediction[1]:.2f})"
    if f"{prediction:.0%}" == "50%":
        return "undecided"
    return f"yes ({prediction:.0%} sure)" if prediction > 0.5 else f"no ({1 - prediction:.0%} sure)"


def _as_json(target: str, done: Corrected) -> dict[str, Any]:
    return {
        "correction": done.correction,
        "at": done.at.isoformat(),
        "target": target,
        "observed": done.observation is not None,
        "machine": _plain(done.machine),
        "before": _plain(done.before),
        "after": _plain(done.after),
        "source": done.source.value if done.source is not None else None,
        "superseded": done.superseded,
        "noted": done.noted,
        "missing": [s.value for s in done.missing],
        "not_covered_since": done.not_covered_since.isoformat() if done.not_covered_since else None,
    }


def _replay_json(done: personal.Replay) -> dict[str, Any]:
    return {
        "target": done.target,
        "events": done.events,
        "rebased_at": done.rebased_at.isoformat(),
        "live_sha256": done.live_sha256,
        "replayed_sha256": done.replayed_sha256,
        "equal": done.equal,
        "problem": done.problem,
    }


def _plain(prediction: Any) -> Any:
    if isinstance(prediction, Distribution):
        return prediction.as_dict()
    return {"mean": prediction[0], "sd": prediction[1]} if isinstance(prediction, tuple) else prediction
