"""A real HTTP server on this machine that serves one file in every way that servers do, good and bad."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = bytes(range(256)) * 1000


class Handler(BaseHTTPRequestHandler):
    """What is served is told by the path: see the methods' names."""

    server: Server

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers.get("Range", ""))
        self.server.paths.append(self.path)
        way = getattr(self, "_" + self.path.strip("/").split("/")[0].replace("-", "_"), None)
        if way is None:
            self.send_error(404)
            return
        way()

    @property
    def _start(self) -> int:
        wanted = self.server.ranges[-1]
        return int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0

    @property
    def _first(self) -> bool:
        return len(self.server.ranges) == 1

    def _send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _send_from(self, start: int, body: bytes = BODY) -> None:
        if start >= len(body):
            self._send(b"", 416, Content_Range=f"bytes */{len(body)}")
        elif start:
            said = f"bytes {start}-{len(body) - 1}/{len(body)}"
            self._send(body[start:], 206, Content_Range=said, Content_Length=str(len(body) - start))
        else:
            self._send(body, Content_Length=str(len(body)))

    def _file(self) -> None:
        self._send_from(self._start)

    def _mirror(self) -> None:
        """A folder: only the bare name of the file is there."""
        if self.path == "/mirror/finder.onnx":
            self._send_from(self._start)
        else:
            self.send_error(404)

    def _silent(self) -> None:
        """Without a word about its length."""
        self._send(BODY)

    def _other(self) -> None:
        self._send_from(self._start, BODY[::-1])

    def _cut(self) -> None:
        """Breaks off after the half, the first time."""
        if self._first:
            self._send(BODY[: len(BODY) // 2], Content_Length=str(len(BODY)))
            self.close_connection = True
        else:
            self._send_from(self._start)

    def _no_ranges(self) -> None:
        self._send(BODY[: len(BODY) // 2] if self._first else BODY)

    def _elsewhere(self) -> None:
        """Continues from another byte than it was asked for."""
        if self._first:
            self._send(BODY[: len(BODY) // 2])
        else:
            self._send_from(self._start and self._start + 7)

    def _mute_range(self) -> None:
        """Continues without saying where."""
        self._send(BODY[: len(BODY) // 2], 200 if self._first else 206)

    def _endless(self) -> None:
        self._send(b"")
        try:
            while True:
                self.wfile.write(BODY)
        except OSError:
            pass

    def _longer(self) -> None:
        """Says that there is more than there should be."""
        self._send(BODY, Content_Length=str(len(BODY) + 100))

    def _shorter(self) -> None:
        """Says that there is less than there is."""
        self._send(BODY, Content_Length="1000")

    def _page(self) -> None:
        self._send(b"<html>Sorry!</html>", Content_Type="text/html")

    def _away(self) -> None:
        self._send(b"", 302, Location="/file")

    def _around(self) -> None:
        self._send(b"", 302, Location="/around")

    def _to_file(self) -> None:
        self._send(b"", 302, Location="file:///etc/passwd")

    def _to_ftp(self) -> None:
        self._send(b"", 307, Location="ftp://127.0.0.1/finder.onnx")

    def _broken(self) -> None:
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str] = []
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
