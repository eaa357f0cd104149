"""The command tree: which function answers to which word."""

from __future__ import annotations

import typer

from tracker.cli import (
    aggregating,
    archiving,
    asking,
    backups,
    bench,
    challenge,
    consent,
    demo,
    doctor,
    erasing,
    export,
    fer,
    hiding,
    inviting,
    keys,
    networks,
    people,
    prompting,
    raters,
    rating,
    saying,
    series,
    serving,
    sessions,
    setup,
    study,
    tokens,
    tracking,
)


def register(app: typer.Typer) -> None:
    """Hang every command on the application."""
    app.command("init")(setup.init)
    app.command("doctor")(doctor.doctor)
    app.command("enrol")(people.enrol)
    app.command("code")(people.code)
    app.command("invite")(inviting.invite)
    app.add_typer(inviting.members, name="members")
    app.command("log-out")(sessions.log_out)
    app.add_typer(tokens.app, name="tokens")
    app.add_typer(consent.app, name="consent")
    app.command("track")(tracking.track)
    app.add_typer(series.context, name="context")
    app.command("ask")(asking.ask)
    app.add_typer(prompting.app, name="prompts")
    app.command("zone")(prompting.zone)
    app.command("correct")(saying.correct)
    app.command("replay")(saying.replay)
    app.command("timeline")(series.timeline)
    app.command("export")(export.export)
    app.command("exports")(export.exports)
    app.add_typer(aggregating.app, name="aggregates")
    app.command("archive")(archiving.archive)
    app.command("import")(archiving.import_)
    app.command("erase")(erasing.erase)
    app.command("hide")(hiding.hide)
    app.command("forget")(hiding.forget)
    app.command("backup")(backups.backup)
    app.command("restore")(backups.restore)
    app.add_typer(keys.app, name="keys")
    app.add_typer(study.app, name="study")
    app.add_typer(networks.app, name="networks")
    app.add_typer(fer.app, name="fer")
    app.command("challenge")(challenge.challenge)
    app.add_typer(rating.app, name="rating")
    app.add_typer(raters.app, name="raters")
    app.command("serve")(serving.serve)
    app.command("jobs")(serving.jobs)
    app.command("demo")(demo.demo)
    app.command("bench")(bench.bench)
