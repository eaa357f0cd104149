"""Which emotions a network reads: those of the head that is read, as its manifest names them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tracker.domain.affect import EMOTIONS, Emotion
from tracker.fer.manifest import Entry, Head, NetworkSpec

_USUAL = "ferplus"


def usual_head(spec: NetworkSpec) -> Head:
    """The head that is read where nobody names one: that of eight emotions where there is one, else the first.

    Examples
    --------
    >>> from tracker import shipped
    >>> from tracker.fer.manifest import read_manifest
    >>> usual_head(read_manifest(shipped.models() / "manifest.toml")["default"].spec).name
    'ferplus'
    """
    return next((head for head in spec.heads if head.name == _USUAL), spec.heads[0])


def unread(head: Head) -> tuple[Emotion, ...]:
    """The emotions that a head does not know: its 0 for them says nothing.

    Examples
    --------
    >>> [emotion.value for emotion in unread(Head("seven", tuple(e.value for e in EMOTIONS[:7])))]
    ['contempt']
    """
    return tuple(emotion for emotion in EMOTIONS if emotion.value not in head.classes)


def unread_by(entries: Iterable[Entry]) -> Mapping[str, frozenset[Emotion]]:
    """What each network of a manifest does not read, by its id as the database has it."""
    return {e.id: frozenset(unread(usual_head(e.spec))) for e in entries if e.kind == "network"}
