"""``study``: check, apply, show and close the study that governs an installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, out, print_json
from tracker.domain.consent import Scope
from tracker.study import Study, StudyError, kept_days, load, notice_texts
from tracker.workflows import studies

app = typer.Typer(help="Check, apply, show and close the study that governs.", no_args_is_help=True)

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A study file, TOML; docs/study.md says what is in it.")
]
By = Annotated[str, typer.Option("--by", metavar="WHO", help="Who does it, for the record.")]
Yes = Annotated[bool, typer.Option("--yes", help="Also where it takes something away.")]


@app.command()
def check(file: File, as_json: AsJson = False) -> None:
    """Check a study file; needs no database. Every problem is one line, with its place."""
    try:
        study = load(file)
    except StudyError as error:
        if as_json:
            print_json({"sound": False, "problems": list(error.problems)})
        for problem in error.problems[:-1] if not as_json else ():
            typer.echo(problem, err=True)
        # The last one ends the command, with the code of what is wrong.
        raise type(error)(error.problems[-1:]) from None
    if as_json:
        print_json({"sound": True, "problems": [], "sha256": study.sha256, "study": study.document()})
    else:
        typer.echo(f"{file.name} is sound: {study.title} ({study.id}, version {study.version})")


@app.command()
def apply(context: typer.Context, file: File, by: By, yes: Yes = False, as_json: AsJson = False) -> None:
    """Let a study govern from now on; says first what that changes, and needs --yes where it takes something away."""
    _apply(context, load(file), by, yes, as_json)


@app.command()
def close(context: typer.Context, by: By, yes: Yes = False, as_json: AsJson = False) -> None:
    """Close the study: nothing new is granted or stored; withdrawing, looking and erasing still work."""
    access = opened(settings_of(context))
    _apply(context, studies.in_force(access).closing(), by, yes, as_json)


@app.command()
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the study in force, and every version that was applied, when and by whom."""
    access = opened(settings_of(context))
    study, versions = studies.in_force(access), studies.history(access)
    if as_json:
        told = [
            {"version": v.study.version, "sha256": v.sha256, "at": v.at.isoformat(), "by": v.by}
            for v in versions
        ]
        print_json({"study": study.document(), "sha256": study.sha256, "applied": told})
        return
    table = Table("what", "says", title=f"{study.title} ({study.id}, version {study.version})")
    for what, says in _rows(study):
        table.add_row(what, says)
    out().print(table)
    for v in versions:
        state = ", closed" if v.study.closed else ""
        typer.echo(f"{v.at:%Y-%m-%d %H:%M}Z version {v.study.version}{state}, by {v.by} ({v.sha256[:12]})")
    if not versions:
        typer.echo("no study was applied: this is the built-in one")


def _apply(context: typer.Context, study: Study, by: str, yes: bool, as_json: bool) -> None:
    access = opened(settings_of(context))
    at = now()
    found = studies.preview(access, study, at)
    if not as_json:
        for line in found.sentences():
            typer.echo(line, err=True)
    if found.changed and found.takes_away and not yes:
        raise StudyError(["nothing was changed, because this takes something away; if it shall: --yes"])
    applied = studies.apply(access, study, by, at)
    if as_json:
        print_json({"applied": applied, "sha256": study.sha256, "preview": found.as_dict()})
    elif not applied:
        typer.echo(f"{study.id}, version {study.version}, governs already; nothing was changed")
    else:
        typer.echo(f"{study.id}, version {study.version}, governs now ({study.sha256[:12]})")


def _attested(study: Study) -> list[tuple[str, str]]:
    said = study.attestation
    return [("attested", f"{said.ground.value}, by {said.by} on {said.on}: {said.why}")] if said else []


def _rows(study: Study) -> list[tuple[str, str]]:
    kept = {scope: days for scope in Scope if (days := kept_days(study, scope)) is not None}
    figures, ends = study.aggregates, study.consent.expires_after_days
    return [
        ("state", "closed: nothing new is granted or stored" if study.closed else "open"),
        ("deployment", study.deployment_context.value),
        *_attested(study),
        ("controller", f"{study.controller.name}, {study.controller.contact}"),
        ("help contact", study.help_contact),
        ("purposes", "; ".join(p.text for p in study.purposes)),
        ("consent", f"ends after {ends} days" if ends is not None else "holds until it is withdrawn"),
        ("guardians", "must agree too" if study.consent.guardians else "are not asked"),
        ("grace", f"{study.consent.grace_days} days after a withdrawal without an answer"),
        ("kept", ", ".join(f"{s.value} {d} days" for s, d in kept.items()) or "until it is erased"),
        (
            "coarser",
            ", ".join(
                f"by the {s.to.value} after {s.after_days} days" for s in study.coarsening.affect_series
            )
            or "never",
        ),
        (
            "aggregates",
            f"epsilon {figures.epsilon:g}, delta {figures.delta:g}, of {figures.min_people} people at least",
        ),
        ("export", f"k = {study.export.k}"),
        ("notices", ", ".join(f"{t.language} {t.notice().sha256[:12]}" for t in notice_texts(study))),
    ]
