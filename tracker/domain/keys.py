"""A wrapped key: what the key store keeps of a data key, and the vault unwraps."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class MasterRow:
    """What the key store knows of a master key; never the key itself.

    Attributes
    ----------
    id
        16 hexadecimal digits, from a digest of the key.
    current
        Whether new keys are wrapped under it.
    bridge
        While a rotation is under way: the other master key, encrypted under this one.
    """

    id: str
    current: bool
    bridge: bytes | None = None
