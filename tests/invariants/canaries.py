"""Canary bytes, and the search for them in any form in which a program may have written them."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

IMAGES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff\xe0": "JPEG",
    b"\xff\xd8\xff\xdb": "JPEG",
    b"\xff\xd8\xff\xe1": "JPEG",
    b"\x93NUMPY": "NumPy",
}
"""How files of pixels begin."""

_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_GZIP, _ZIP = b"\x1f\x8b\x08", b"PK\x03\x04"
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """A canary that was found: which, in what form, and where."""

    canary: str
    form: str
    where: str


def forms(canary: bytes) -> dict[str, bytes]:
    """Every form in which a canary is looked for.

    Base64 depends on where in the text the canary begins, so each of the three beginnings is looked for, without
    the characters at the ends that its neighbours share.

    >>> [form for form in forms(b"canary-01") if form.startswith("base64")]
    ['base64+0', 'base64+1', 'base64+2']
    """
    made = {"plain": canary, "hex": canary.hex().encode(), "HEX": canary.hex().upper().encode()}
    for start in range(3):
        whole = base64.b64encode(bytes(start) + canary)
        body = whole[4 if start else 0 : len(whole) - (4 if (start + len(canary)) % 3 else 0)]
        made[f"base64+{start}"] = body
        made[f"urlsafe+{start}"] = body.translate(bytes.maketrans(b"+/", b"-_"))
    try:
        text = canary.decode()
    except UnicodeDecodeError:
        return made
    made["utf-16-le"], made["utf-16-be"] = text.encode("utf-16-le"), text.encode("utf-16-be")
    made["escaped"] = text.encode("unicode_escape")
    return {form: found for form, found in made.items() if len(found) >= 6}


def search(where: str, held: bytes, canaries: Mapping[str, bytes], deep: int = 0) -> Iterator[Hit]:
    """Find canaries in bytes, and in what is deflated, zipped or gzipped inside them."""
    for name, canary in canaries.items():
        for form, needle in forms(canary).items():
            if needle in held:
                yield Hit(name, form, where)
    if deep < _DEEPEST:
        for kind, inner in _inside(held):
            for hit in search(where, inner, canaries, deep + 1):
                yield Hit(hit.canary, f"{kind}, {hit.form}", where)


def search_files(paths: Iterable[Path], canaries: Mapping[str, bytes]) -> list[Hit]:
    """Find canaries in files, in their names too."""
    hits: list[Hit] = []
    for path in paths:
        hits.extend(search(f"the name {path.name}", str(path).encode(), canaries, _DEEPEST))
        if path.is_file():
            hits.extend(search(path.name, path.read_bytes(), canaries))
    return hits


def pictures(where: str, held: bytes, deep: int = 0) -> list[Hit]:
    """Find encoded pictures, and arrays of pixels with a header, in bytes."""
    found = [Hit("a picture", kind, where) for magic, kind in IMAGES.items() if magic in held]
    if deep < _DEEPEST:
        for _, inner in _inside(held):
            found.extend(pictures(where, inner, deep + 1))
    return found


def _inside(held: bytes) -> Iterator[tuple[str, bytes]]:
    """What is compressed inside bytes, unpacked."""
    if _ZIP in held:
        try:
            with zipfile.ZipFile(io.BytesIO(held)) as archive:
                for entry in archive.infolist():
                    yield f"zipped {entry.filename}", archive.read(entry)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, struct.error, EOFError):
            pass
    for heads, kind, bits in (((_GZIP,), "gzipped", 31), (_ZLIB, "deflated", 15)):
        for start in (at for head in heads for at in _places(held, head)):
            # A stream that ends early or is followed by something else still gives what it holds.
            opener = zlib.decompressobj(bits)
            try:
                inner = opener.decompress(held[start : start + (1 << 24)], 1 << 26)
            except zlib.error:
                continue
            if len(inner) > 8:
                yield kind, inner


def _places(held: bytes, magic: bytes) -> Iterator[int]:
    at = held.find(magic)
    while at >= 0:
        yield at
        at = held.find(magic, at + 1)
