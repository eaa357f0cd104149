"""Where a file comes from: its address in the manifest, a mirror, a folder, or a file at hand."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, quote, urlsplit
from urllib.request import url2pathname

from tracker.fer.manifest import Entry, ZooError

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)  # of two letters at least: C: is a drive
_WEB = ("https", "http")


@dataclass(frozen=True, slots=True)
class Web:
    """Addresses to ask, one after the other, until one has the file."""

    urls: tuple[str, ...]


def locate(entry: Entry, source: Path | str | None) -> Path | Web:
    """Find out where an entry's file is to be had.

    Parameters
    ----------
    source
        None asks the entry's own address. Else a file, a folder that mirrors ours or simply holds the file,
        the address of the file (``https://``, ``http://``, ``file://``), or, when it ends in ``/``, that of
        such a folder.

    Raises
    ------
    ZooError
        When there is nothing of the kind, or the address is of a kind that is not spoken.
    """
    if source is None:
        if not entry.url.startswith(tuple(f"{scheme}://" for scheme in _WEB)):
            raise ZooError(f"{entry.name} has no address to pull from; give its file with --from PATH")
        return Web((entry.url,))
    if isinstance(source, Path) or not (scheme := _SCHEME.match(source)):
        return _on_disk(entry, Path(source))
    if scheme[1].lower() == "file":
        return _on_disk(entry, _of_file_url(source))
    source = quote(source, safe=string.punctuation)  # as an address has other letters, and spaces
    parts = _split(source)
    if scheme[1].lower() not in _WEB or not parts.netloc:
        raise ZooError(f"{source}: only https, http and file addresses can be pulled from, or a path")
    if parts.query or not parts.path.endswith("/"):
        return Web((source,))
    return Web((source + quote(entry.file), source + quote(PurePosixPath(entry.file).name)))


def _on_disk(entry: Entry, source: Path) -> Path:
    if source.is_dir():  # a mirror: by full path, or all files in one folder
        for candidate in (source / entry.file, source / PurePosixPath(entry.file).name):
            if candidate.is_file():
                return candidate
        raise ZooError(
            f"{source} holds no {PurePosixPath(entry.file).name}; put the file for {entry.name} there"
        )
    if not source.is_file():
        raise ZooError(f"{source} does not exist; give the path of {PurePosixPath(entry.file).name}")
    return source


def _of_file_url(url: str) -> Path:
    parts = _split(url)
    if parts.netloc not in ("", "localhost"):
        raise ZooError(f"{url}: a file address names a file of this machine, as in file:///folder/file")
    return Path(url2pathname(parts.path))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise ZooError(f"{url} is no address: {error}") from error
