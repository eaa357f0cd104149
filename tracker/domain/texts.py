"""Which texts can be kept: what JSON, an address or a terminal can say, and no database can hold."""

from __future__ import annotations

import re

_NONE = re.compile("[\0\ud800-\udfff]")


def unkeepable(text: str) -> str | None:
    """The first character of a text that no database keeps, as ``U+0000`` is written; None where all can stay.

    PostgreSQL refuses U+0000, and a lone surrogate (half a character) has no bytes in UTF-8 at all.

    Examples
    --------
    >>> unkeepable("at home"), unkeepable("at\\0home"), unkeepable("at \\ud800 home")
    (None, 'U+0000', 'U+D800')
    >>> unkeepable("caf\\xe9 \\U0001f600") is None
    True
    """
    found = _NONE.search(text)
    return None if found is None else f"U+{ord(found[0]):04X}"
