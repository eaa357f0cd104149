"""``serve`` and ``jobs``: the web app with its jobs, or the jobs alone."""

from __future__ import annotations

import socket
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, out, print_json

SERVER = "webui.server:serve"
"""The web app is above the command line; it is started by its import string."""


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)
    ] = 8000,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM).", exists=True)] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM).", exists=True)] = None,
    jobs: Annotated[bool, typer.Option(help="Run the nightly jobs in this process too.")] = True,
) -> None:
    """Serve the web app; phones need TLS for their camera."""
    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("--tls-cert and --tls-key go together")
    settings = settings_of(context)
    opened(settings).database.close()  # say what is wrong before a server starts
    start(settings, host, port, tls_cert, tls_key, jobs=jobs)
