"""What two studies say differently, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tracker.study.whole import Study


@dataclass(frozen=True, slots=True)
class Difference:
    """One key on which two studies differ.

    Attributes
    ----------
    place
        Keys from the outside in; members of lists by their name where they have one, else by their position.
    before, after
        What it says; None where it says nothing.
    """

    place: tuple[str, ...]
    before: Any
    after: Any

    def sentence(self) -> str:
        """In one line.

        Examples
        --------
        >>> Difference(("retention", "notes"), None, 30).sentence()
        'retention.notes: nothing -> 30'
        >>> Difference(("scopes",), ["context", "notes"], ["context", "prompts"]).sentence()
        'scopes: without notes; with prompts'
        """
        if isinstance(self.before, list) and isinstance(self.after, list):
            gone = [str(one) for one in self.before if one not in self.after]
            come = [str(one) for one in self.after if one not in self.before]
            parts = [f"{how} {', '.join(some)}" for how, some in (("without", gone), ("with", come)) if some]
            return f"{'.'.join(self.place)}: {'; '.join(parts) or 'in another order'}"
        return f"{'.'.join(self.place)}: {_told(self.before)} -> {_told(self.after)}"


def differences(old: Study, new: Study) -> list[Difference]:
    """What two studies say differently, in the order of the file.

    Examples
    --------
    >>> from tracker.study.whole import DEFAULT
    >>> other = DEFAULT.model_copy(update={"title": "Another"})
    >>> [found.sentence() for found in differences(DEFAULT, other)]
    ["title: 'affect-tracker' -> 'Another'"]
    """
    return list(_between((), old.model_dump(mode="json"), new.model_dump(mode="json")))


def _between(place: tuple[str, ...], old: Any, new: Any) -> Iterator[Difference]:
    if old == new:
        return
    before, after = _named(old), _named(new)
    if before is None or after is None:
        yield Difference(place, old, new)
        return
    if isinstance(old, list) and [k for k in before if k in after] != [k for k in after if k in before]:
        yield Difference(place, list(before), list(after))  # they say the same, in another order
    for key in dict.fromkeys((*before, *after)):
        yield from _between((*place, key), before.get(key), after.get(key))


def _named(value: Any) -> Mapping[str, Any] | None:
    """The members of a table by key, and of a list of tables by name; None for anything else."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        return {str(one.get("id") or one.get("name") or n): one for n, one in enumerate(value)}
    return {} if value == [] else None


def _told(value: Any) -> str:
    if value is None or value == []:
        return "nothing"
    said = ", ".join(map(str, value)) if isinstance(value, list) and not _named(value) else _whole(value)
    return said if len(said) <= 200 else f"{said[:197]}..."


def _whole(value: Any) -> str:
    """A value about as a study file has it: what says nothing is left out of tables."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_whole(one)}" for key, one in value.items() if one not in (None, [], {}))
    if isinstance(value, list):
        return f"[{'; '.join(map(_whole, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)
