"""Serve the web app: gunicorn in this process's child, one worker with threads, quiet, and gone at Ctrl-C.

The worker is forked, and a SQLite connection must not cross a fork: everything that opens one is handed
in as a function and called in the worker.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from werkzeug.middleware.proxy_fix import ProxyFix

from tracker.access import Access
from tracker.workflows.ingest import Reader
from webui import journal
from webui.app import create_app
from webui.services import NAME

THREADS = 8
GRACE_S = 10
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""What TLS 1.2 may use: keys that are made anew for each connection, and authenticated encryption; 1.3 has no other."""
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class ServeError(Exception):
    """The address cannot be listened on, or the server could not start."""


def now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


def serve(
    open_access: Callable[[], Access],
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    secure_cookies: bool = False,
    entries: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] = now,
    on_ready: Callable[[str], None] | None = None,
    on_start: Callable[[Access], None] | None = None,
    on_stop: Callable[[], None] | None = None,
    reader: Callable[[], Reader] | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Parameters
    ----------
    open_access
        Opens the gate; called once, in the worker.
    host, port
        Where to listen; port 0 takes a free one.
    tls_cert, tls_key
        PEM files; with them TLS ends here and cookies are for TLS only.
    secure_cookies
        The same for cookies where a proxy in front ends TLS. Where it is on this machine (`host` is its own), it is
        believed when it says from which address and over which scheme a request came.
    entries
        The demo's one-time entry tokens (see `webui.app.create_app`).
    clock
        The current instant; another one only in tests.
    on_ready
        Called with the address, in this process, as soon as it can be asked.
    on_start, on_stop
        Called in the worker before its first request, with the gate, and after its last.
    reader
        Loads what reads faces, in the worker and on first use (see `webui.app.create_app`).

    Raises
    ------
    ServeError
        When the address is in use or not this machine's, or the server could not start.
    """
    listener = _listen(host, port)
    bound = listener.getsockname()[1]
    scheme = "https" if tls_cert else "http"
    shown = f"[{host}]" if ":" in host else host
    address = f"{scheme}://{shown}:{bound}/"
    descriptor = listener.fileno()

    made: list[Flask] = []

    def make() -> Flask:
        journal.to_standard_error()
        access = open_access()
        app = create_app(
            access,
            clock,
            secure_cookies=secure_cookies or tls_cert is not None,
            entries=entries,
            reader=reader,
        )
        if secure_cookies and tls_cert is None and host in _LOOPBACK:
            # Only a proxy on this machine can reach us: what it says of its visitors is true.
            app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
        made.append(app)
        if on_start is not None:
            on_start(access)
        return app

    def ready(_: Any) -> None:
        if on_ready is not None:
            on_ready(address)

    def stop(_: Any, __: Any) -> None:
        for app in made:
            app.extensions[NAME].close()
        if on_stop is not None:
            on_stop()

    options = {
        "bind": f"fd://{descriptor}",
        "workers": 1,
        "worker_class": "gthread",
        "threads": THREADS,
        "keepalive": 15,
        "graceful_timeout": GRACE_S,
        "timeout": 120,
        "certfile": str(tls_cert) if tls_cert else None,
        "keyfile": str(tls_key) if tls_key else None,
        "ciphers": CIPHERS if tls_cert else None,
        "ssl_context": _tls,
        "loglevel": "warning",
        "control_socket_disable": True,
        "when_ready": ready,
        "worker_exit": stop,
    }
    listener.detach()  # gunicorn closes it
    parent = os.getpid()
    try:
        _Server(make, options).run()
    except SystemExit as end:
        if os.getpid() != parent:
            # The worker ends here: it must not walk back into what its parent has on the stack.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code if isinstance(end.code, int) else 1)
        if end.code not in (None, 0):
            raise ServeError("the server stopped by itself; its own words are above") from None


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with settings from a dict instead of a file."""

    def __init__(self, make: Callable[[], Flask], options: Mapping[str, Any]) -> None:
        self._make, self._options = make, options
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings over; those that this gunicorn does not know are left out."""
        for name, value in self._options.items():
            if name in self.cfg.settings and value is not None:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the app, in the worker."""
        return self._make()


def _tls(_: Any, usual: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Gunicorn's own, but for nothing older than TLS 1.2, whatever the machine's OpenSSL would still speak."""
    context = usual()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise ServeError(
            f"cannot listen on {host}:{port}: {_reason(error)}; choose another --port, or --host"
        ) from error
    listener.set_inheritable(True)
    return listener


def _reason(error: OSError) -> str:
    # create_server wraps the system's words in its own, which say the address a second time.
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)
