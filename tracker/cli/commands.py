"""The command tree: which function answers to which word."""

from __future__ import annotations

import typer

from tracker.cli import (
    aggregating,
    asking,
    bench,
    challenge,
    demo,
    doctor,
    export,
    fer,
    networks,
    people,
    saying,
    series,
    serving,
    setup,
    tracking,
)


def register(app: typer.Typer) -> None:
    """Hang every command on the application."""
    app.command("init")(setup.init)
    app.command("doctor")(doctor.doctor)
    app.command("enrol")(people.enrol)
    app.command("code")(people.code)
    app.add_typer(people.consent, name="consent")
    app.command("track")(tracking.track)
    app.add_typer(series.context, name="context")
    app.command("ask")(asking.ask)
    app.command("correct")(saying.correct)
    app.command("replay")(saying.replay)
    app.command("timeline")(series.timeline)
    app.command("export")(export.export)
    app.add_typer(aggregating.app, name="aggregates")
    app.command("erase")(people.erase)
    app.add_typer(networks.app, name="networks")
    app.add_typer(fer.app, name="fer")
    app.command("challenge")(challenge.challenge)
    app.command("serve")(serving.serve)
    app.command("jobs")(serving.jobs)
    app.command("demo")(demo.demo)
    app.command("bench")(bench.bench)
