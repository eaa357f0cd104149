"""Which key does what on a rater's desk: data, one dict, that each rater changes or switches off (WCAG 2.1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tracker.domain.affect import Emotion

KEYS: dict[str, str] = {
    **{emotion.value: str(emotion.key) for emotion in Emotion},
    "cannot_tell": "9",
    "not_a_face": "0",
    "uncomfortable": "x",
    "undo": "u",
    "last_ten": "e",
    "help": "?",
    "play_back": "j",
    "play_pause": "k",
    "play_on": "l",
    "slower": ",",
    "faster": ".",
    "trace_up": "ArrowUp",
    "trace_down": "ArrowDown",
}
"""The key of each action until a rater says otherwise: J-K-L plays, as video editors have it."""

NAMED = frozenset({"ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Backspace", "Delete", "Home", "End"})
"""Keys that are no character and may be used; Tab, Enter, Space and Escape belong to the browser."""


class KeyMapError(ValueError):
    """A key cannot be used as asked; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class KeyMap:
    """A rater's own keys.

    Parameters
    ----------
    keys
        From action to key, an action of `KEYS` each; an empty text means that the action has no key.
    on
        Whether keys that are a single character do anything at all; buttons always work.

    Raises
    ------
    KeyMapError
        When an action is unknown, a key cannot be used, or one key would do two things.

    Examples
    --------
    >>> KeyMap()["undo"]
    'u'
    >>> KeyMap().changed({"undo": "B"})["undo"]
    'b'
    >>> KeyMap().changed({"undo": "x"})
    Traceback (most recent call last):
        ...
    tracker.domain.keymap.KeyMapError: the key 'x' would do two things: uncomfortable and undo
    """

    keys: Mapping[str, str] = field(default_factory=lambda: dict(KEYS))
    on: bool = True

    def __post_init__(self) -> None:
        if unknown := self.keys.keys() - KEYS.keys():
            raise KeyMapError(f"no action is called {sorted(unknown)[0]!r}")
        taken: dict[str, str] = {}
        for action in KEYS:
            key = self.keys.get(action, "")
            if key and _usable(key) != key:
                raise KeyMapError(f"the key {key!r} of {action!r} is not written as keys are")
            if key in taken:
                raise KeyMapError(f"the key {key!r} would do two things: {taken[key]} and {action}")
            if key:
                taken[key] = action

    def __getitem__(self, action: str) -> str:
        return self.keys.get(action, "")

    def changed(self, keys: Mapping[str, str], *, on: bool | None = None) -> KeyMap:
        """The map with some keys changed; letters are small, blanks around a key are not meant."""
        new = dict(self.keys) | {action: _usable(key.strip()) for action, key in keys.items()}
        return replace(self, keys=new, on=self.on if on is None else on)

    def as_json(self) -> dict[str, Any]:
        """What is stored: only what differs from `KEYS`, so that a later default reaches whoever kept the rest.

        Examples
        --------
        >>> KeyMap().changed({"undo": "b"}).as_json()
        {'on': True, 'keys': {'undo': 'b'}}
        """
        return {"on": self.on, "keys": {a: self[a] for a, key in KEYS.items() if self[a] != key}}

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> KeyMap:
        """Read what `as_json` wrote. What a rater chose wins over a default that came later.

        Examples
        --------
        >>> KeyMap.of_json({"on": False, "keys": {"undo": "b"}})["undo"]
        'b'
        """
        chosen = {a: k for a, k in stored.get("keys", {}).items() if a in KEYS}
        rest = {a: k for a, k in KEYS.items() if a not in chosen and k not in chosen.values()}
        return cls(chosen | rest, bool(stored.get("on", True)))


def _usable(key: str) -> str:
    if not key or key in NAMED:
        return key
    small = key.lower()
    if len(small) != 1 or not small.isprintable() or small.isspace():
        raise KeyMapError(f"{key!r} cannot be a key here; use one letter, digit or sign")
    return small
