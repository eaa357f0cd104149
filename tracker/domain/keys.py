"""A wrapped key: what the key store keeps of a data key, and the vault unwraps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """One data key, encrypted under a master key.

    Attributes
    ----------
    id
        16 hexadecimal digits, random; each ciphertext names the key that it was sealed with.
    master
        Id of the master key that wraps it; empty: wrapped before master keys had ids.
    wrapped
        The encrypted key.
    retiring
        Whether another key has taken its place: it still opens, and seals nothing new.
    """

    id: str
    master: str
    wrapped: bytes
    retiring: bool = False


class MasterState(StrEnum):
    """What a master key does in a key store."""

    CURRENT = "current"
    INCOMING = "incoming"
    FORMER = "former"


@dataclass(frozen=True, slots=True)
class MasterRow:
    """What the key store knows of a master key; never the key itself.

    Attributes
    ----------
    id
        16 hexadecimal digits, from a digest of the key.
    state
        Everything is wrapped under the current one. While it is being replaced there is another beside it: the one
        that comes, and from the moment at which everything was wrapped anew, the one that goes.
    bridge
        Of an incoming or a former one: the current key, encrypted under it.
    """

    id: str
    state: MasterState
    bridge: bytes | None = None
