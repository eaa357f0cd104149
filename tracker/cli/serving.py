"""``serve`` and ``jobs``: the web app with its jobs, or the jobs alone."""

from __future__ import annotations

import os
import socket
import webbrowser
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tracker import shipped
from tracker.access import Access
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, out, print_json
from tracker.settings import Settings
from tracker.workflows import studies

if TYPE_CHECKING:
    from tracker.jobs import Jobs
    from tracker.workflows.ingest import Reader

SERVER = "webui.server"
"""The web app stands beside the command line, which therefore starts it by its import string."""

_LINGER_S = 0.003


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)
    ] = 8000,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM).", exists=True)] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM).", exists=True)] = None,
    behind_proxy: Annotated[
        bool,
        typer.Option("--behind-proxy", help="A proxy in front ends TLS: cookies are for TLS only."),
    ] = False,
    jobs: Annotated[bool, typer.Option(help="Run the nightly jobs in this process too.")] = True,
) -> None:
    """Serve the web app; phones need TLS for their camera."""
    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("--tls-cert and --tls-key go together")
    if behind_proxy and tls_cert is not None:
        raise typer.BadParameter("TLS ends here or in a proxy: give --tls-cert or --behind-proxy, not both")
    settings = settings_of(context)
    if behind_proxy:
        settings = replace(settings, secure_cookies=True)
    opened(settings).database.close()  # say what is wrong before a server starts
    start(settings, host, port, tls_cert, tls_key, jobs=jobs)


def start(
    settings: Settings,
    host: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    *,
    jobs: bool,
    entries: Mapping[str, str] | None = None,
) -> None:
    """Serve until interrupted; everything is opened in the process that serves, none is shared by a fork.

    Parameters
    ----------
    settings, host, port, tls_cert, tls_key
        Where and how.
    jobs
        Whether the nightly jobs run in the same process.
    entries
        For the demo: one-time entry tokens and the participants whom they log in.
    """

    runner: list[Jobs] = []

    def begin(access: Access) -> None:
        if jobs:
            runner.append(_jobs(access))
            runner[0].start()

    def end() -> None:
        for running in runner:
            running.stop()

    def ready(address: str) -> None:
        shown = err()
        shown.print(f"Serving at {address}  (Ctrl-C stops)", highlight=False, soft_wrap=True)
        links = [f"{address}enter/{token}" for token in entries or {}]
        for link in links:
            shown.print(f"  {link}", highlight=False, soft_wrap=True)
        if links:
            webbrowser.open(links[0])

    import_module(SERVER).serve(
        lambda: opened(settings),
        host,
        port,
        tls_cert=tls_cert,
        tls_key=tls_key,
        secure_cookies=settings.secure_cookies,
        entries=entries,
        on_ready=ready,
        on_start=begin,
        on_stop=end,
        reader=lambda: reader(settings, _usual_network(settings)),
    )


def _usual_network(settings: Settings) -> str:
    with closing(opened(settings)) as access:
        return studies.in_force(access).usual_network


def reader(settings: Settings, network: str) -> Reader:
    """Load what reads faces in a process that serves: a network by name, and YuNet where it was pulled."""
    from tracker.fer.device import one_thread_each, resolve_device  # noqa: PLC0415 - loads torch
    from tracker.fer.engine import Engine  # noqa: PLC0415 - loads torch
    from tracker.fer.zoo import Zoo  # noqa: PLC0415 - loads torch
    from tracker.vision import threads  # noqa: PLC0415 - loads OpenCV
    from tracker.vision.faces import load_detector  # noqa: PLC0415 - loads OpenCV
    from tracker.workflows.ingest import Reader  # noqa: PLC0415 - loads OpenCV

    one_thread_each()
    threads.one_each()
    zoo = Zoo(shipped.models(), settings.data_folder / "networks")
    detector = zoo.detector_path()
    # On a GPU a fuller batch costs next to nothing, so the captures of many people wait for each other a moment.
    linger = 0.0 if resolve_device().type == "cpu" else _LINGER_S
    engine = Engine(zoo.load(network), "auto", precision="auto", linger=linger)
    return Reader(engine, lambda: load_detector(detector))


def jobs(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Run what is due now, and stop.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the nightly rebase and the retention until interrupted; a lease keeps them single."""
    runner = _jobs(opened(settings_of(context)))
    if not once:
        err().print("jobs are running; Ctrl-C stops them")
        runner.blocking()
        return
    done = runner.run_once(now())
    if as_json:
        print_json([{"job": d.job, "slot": d.slot, "outcome": d.outcome} for d in done])
        return
    table = Table("job", "slot", "outcome")
    for d in done:
        table.add_row(d.job, d.slot, d.outcome)
    out().print(table)


def _jobs(access: Access) -> Jobs:
    from tracker.jobs import Jobs  # noqa: PLC0415 - loads APScheduler

    return Jobs(access, now, f"{socket.gethostname()}:{os.getpid()}")
