"""What a note is: a participant's own words beside a correction, and the bytes in which they are sealed."""

from __future__ import annotations

import unicodedata

LONGEST = 2_000
"""Characters that a note may have."""

_BLOCK = 256
"""A note's bytes are filled up to a multiple of this: the length of what is sealed would tell a word from a page."""

_ALLOWED_CONTROLS = "\n\t"


class NoteError(ValueError):
    """A note says nothing, is too long, or is no text."""


def checked(text: str) -> str:
    """Give a note as it is kept: without space around it, with plain line ends.

    Raises
    ------
    NoteError
        When nothing is left, more than `LONGEST` characters are, or one of them cannot stand in a text.

    Examples
    --------
    >>> checked("  slept badly,\\r\\nworked late ")
    'slept badly,\\nworked late'
    """
    note = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not note:
        raise NoteError("the note is empty; write something, or leave it out")
    if len(note) > LONGEST:
        raise NoteError(f"the note has {len(note):,} characters; it may have {LONGEST:,}")
    for character in note:
        # Surrogates are halves of a character: they come from a terminal whose text is not UTF-8.
        if unicodedata.category(character) in ("Cc", "Cs") and character not in _ALLOWED_CONTROLS:
            raise NoteError(
                f"the note holds U+{ord(character):04X}, which no text has; leave that character out"
            )
    return note


def to_bytes(note: str) -> bytes:
    """The note in UTF-8, filled up with zeros to a multiple of 256 bytes.

    Examples
    --------
    >>> len(to_bytes("tired")), len(to_bytes("x" * 256)), len(to_bytes("x" * 257))
    (256, 256, 512)
    """
    written = note.encode()
    return written + bytes(-len(written) % _BLOCK)


def from_bytes(filled: bytes) -> str:
    """The note in what `to_bytes` made.

    Examples
    --------
    >>> from_bytes(to_bytes("tired, and glad of it"))
    'tired, and glad of it'
    """
    # No note ends in a zero: it is a control character, and those are refused.
    return filled.rstrip(b"\0").decode()
