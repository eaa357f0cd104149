"""``study``: begin, check, compare, apply, show and close the study that governs an installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tracker.cli.absent import absent_networks
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, out, print_json
from tracker.domain.consent import Scope
from tracker.study import Study, StudyError, kept_days, load, notice_texts
from tracker.study.differing import differences
from tracker.study.ready import Ready, text_of
from tracker.workflows import studies

app = typer.Typer(
    help="Begin, check, compare, apply, show and close the study that governs.", no_args_is_help=True
)

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A study file, YAML or TOML; docs/study.md says what is in it.")
]
By = Annotated[str, typer.Option("--by", metavar="WHO", help="Who does it, for the record.")]
Yes = Annotated[bool, typer.Option("--yes", help="Also where it takes something away.")]


@app.command()
def new(
    ready: Annotated[
        Ready | None,
        typer.Argument(metavar="STUDY", help="diary, cohort or replay; without one, what each is."),
    ] = None,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Where to write it; unless said, STUDY.yaml here.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also over a file that is there.")] = False,
) -> None:
    """Write the file of a study that is ready, with a comment for each key, to begin one's own from."""
    if ready is None:
        for one in Ready:
            typer.echo(f"{one.value:8} {one.words}")
        return
    path = file or Path(f"{ready.value}.yaml")
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise StudyError([f"{path} is written as YAML; let its name end in .yaml"])
    try:
        with path.open("w" if force else "x", encoding="utf-8") as opened_file:
            opened_file.write(text_of(ready))
    except FileExistsError:
        raise StudyError(
            [f"{path} is there already; choose another name, or --force to write over it"]
        ) from None
    except OSError as error:
        raise StudyError([f"{path} cannot be written: {error.strerror}"]) from None
    typer.echo(f"{path}: {ready.words}; change it, then: affect-tracker study check {path}")


@app.command()
def diff(
    context: typer.Context,
    file: File,
    other: Annotated[
        Path | None,
        typer.Argument(
            metavar="NEW", help="A second file: then FILE is the older one, and no database is asked."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a file changes against the study that governs and whom it touches, or what two files say differently."""
    if other is not None:
        _differ(load(file), load(other), None, as_json)
        return
    study, access = load(file), opened(settings_of(context))
    _differ(studies.in_force(access), study, studies.preview(access, study, now()), as_json)
    _tell_absent(context, study)


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
    present = studies.in_force(access)
    _apply(context, present.closing(), by, yes, as_json, over=present.sha256)


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


def _differ(old: Study, new_one: Study, found: studies.Preview | None, as_json: bool) -> None:
    said = differences(old, new_one)
    if as_json:
        told = [{"key": list(d.place), "before": d.before, "after": d.after} for d in said]
        print_json({"differences": told, "preview": found.as_dict() if found is not None else None})
        return
    for difference in said:
        typer.echo(difference.sentence())
    for line in found.sentences() if found is not None else ():
        typer.echo(f"! {line}")
    if found is not None and found.names:
        typer.echo(f"! asked again: {', '.join(found.names)}")
    if not said:
        typer.echo("they say the same")


def _apply(
    context: typer.Context, study: Study, by: str, yes: bool, as_json: bool, over: str | None = None
) -> None:
    access = opened(settings_of(context))
    at = now()
    found = studies.preview(access, study, at)
    _tell_absent(context, study)
    if not as_json:
        for line in found.sentences():
            typer.echo(line, err=True)
    if found.changed and found.takes_away and not yes:
        raise StudyError(["nothing was changed, because this takes something away; if it shall: --yes"])
    applied = studies.apply(access, study, by, at, over=over or found.over)
    if as_json:
        print_json({"applied": applied, "sha256": study.sha256, "preview": found.as_dict()})
    elif not applied:
        typer.echo(f"{study.id}, version {study.version}, governs already; nothing was changed")
    else:
        typer.echo(f"{study.id}, version {study.version}, governs now ({study.sha256[:12]})")


def _tell_absent(context: typer.Context, study: Study) -> None:
    """Say which of its networks are not here: it may govern all the same, and they may be added later."""
    for line in absent_networks(settings_of(context), study):
        typer.echo(line, err=True)


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
        ("asked for", ", ".join(s.value for s in study.scopes)),
        ("zone", study.zone or "each participant's own"),
        ("networks", ", ".join(study.networks) or "any"),
        ("own targets", ", ".join(q.name for q in study.own_questions) or "none"),
        ("prompts", ", ".join(p.id for p in study.prompts) or "none by itself"),
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
        ("export", f"k = {study.export.k}, {'also' if study.export.public else 'not'} for everybody"),
        ("notices", ", ".join(f"{t.language} {t.notice().sha256[:12]}" for t in notice_texts(study))),
    ]
