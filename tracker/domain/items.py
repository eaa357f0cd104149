"""The ids of items that raters are given: a text that is none is asked of no database."""

from __future__ import annotations

import re

ITEM = "[0-9a-f]{32}"
"""How an id is written: 128 random bits."""


def is_item(text: str) -> bool:
    r"""Whether a text can be the id of an item.

    Examples
    --------
    >>> is_item("0123456789abcdef" * 2), is_item("0123456789ABCDEF" * 2), is_item("x\0y")
    (True, False, False)
    """
    return re.fullmatch(ITEM, text) is not None
