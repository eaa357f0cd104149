"""Download a file over HTTP: from where the last attempt broke off, never more than was meant."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, Any, BinaryIO

Report = Callable[[int, int], None]
"""Called with bytes so far and bytes in all; 0 in all where nobody knows."""

LARGEST = 1 << 30
"""Where the size is not known, what is longer than this is not the file that was meant."""

_PIECE = 1 << 16
_TIMEOUT = 30.0  # seconds without a byte
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class DownloadError(Exception):
    """Why a file could not be downloaded, in words."""


class NotThereError(DownloadError):
    """The server has no such file."""


def download(url: str, partial: Path, size: int, report: Report) -> int:
    """Append to `partial` what it still lacks of the file at an address.

    Parameters
    ----------
    url
        ``https`` or ``http``.
    partial
        What an earlier attempt left, or nothing. A server that cannot continue sends everything again.
    size
        Bytes that the file has; 0 where nobody knows: then the server's word counts, up to `LARGEST`. Of an
        answer that goes on, one byte more than that is kept, so that its hash shows that it is another file.

    Returns
    -------
    int
        Bytes that the file should have now: `size`, or what the server said, or what came.

    Raises
    ------
    DownloadError
        When the server cannot be reached, refuses, or sends elsewhere by an address that is not spoken.
    OSError
        When `partial` cannot be written.
    """
    have = partial.stat().st_size if partial.is_file() else 0
    if size and have == size:  # killed between the last byte and the check
        return size
    if have > (size or LARGEST):
        have = 0
    try:
        if have and (expected := _continued(url, partial, have, size, report)) is not None:
            return expected
        with _asked(url, 0) as answer:
            _, total = _offered(answer, size)
            return _kept(answer, partial, 0, size or total, report)
    except urllib.error.HTTPError as error:
        error.close()
        kind = NotThereError if error.code in (404, 410) else DownloadError
        raise kind(f"{error.code} {_one_line(error.reason)}") from error
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise DownloadError(_one_line(getattr(error, "reason", error)) or type(error).__name__) from error


def _continued(url: str, partial: Path, have: int, size: int, report: Report) -> int | None:
    """Ask for what is missing; None when the server cannot give just that."""
    try:
        with _asked(url, have) as answer:
            start, total = _offered(answer, size)
            if start in (0, have):
                return _kept(answer, partial, start, size or total, report)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        error.close()
        if not size:  # there is nothing after what is here
            return have
    return None


def _asked(url: str, have: int) -> HTTPResponse:
    headers = {"User-Agent": "affect-tracker", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    answer = _opener().open(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT)
    assert isinstance(answer, HTTPResponse)
    return answer


def _offered(answer: HTTPResponse, size: int) -> tuple[int, int]:
    """At which byte an answer begins, and how many the whole file has by the server's word (0: it does not say)."""
    start, said = 0, answer.headers.get("Content-Length", "")
    if answer.status == 206:
        found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if found is None:
            raise DownloadError("the server continues a download without saying where")
        start, said = int(found[1]), found[2]
    total = int(said) if said.isdigit() else 0
    if total > LARGEST or (size and total and total != size):
        raise DownloadError(
            f"the server offers {total} bytes, expected {size or 'fewer'}: that is another file"
        )
    return start, total


def _kept(answer: BinaryIO, partial: Path, done: int, expected: int, report: Report) -> int:
    most = expected or LARGEST
    report(done, expected)
    with partial.open("ab" if done else "wb") as writer:
        while done <= most and (piece := answer.read(min(_PIECE, most + 1 - done))):
            writer.write(piece)
            done += len(piece)
            report(min(done, most), expected)
    return expected or done


def _one_line(reason: object) -> str:
    return " ".join(str(reason).split())


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to https, and from http to http; a redirect to a file or from https to http is not followed."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not newurl.startswith(("https://", f"{req.type}://")):
            fp.close()
            raise DownloadError(
                f"the server sends elsewhere, to {newurl.split(':')[0]}, which is not followed"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> Any:
        there = headers.get("Location") or headers.get("URI") or ""
        # The parent names another scheme in an HTTP error of its own; ours says it in one way for all.
        scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)", there)
        if scheme is not None and scheme[0].lower() not in ("http", "https"):
            fp.close()
            raise DownloadError(f"the server sends elsewhere, to {scheme[0]}, which is not followed")
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _opener() -> urllib.request.OpenerDirector:
    """Speaks HTTP alone: the library's usual one would open files and FTP too."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
