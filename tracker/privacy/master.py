"""Master keys: they wrap every data key, and one takes another's place while everything goes on.

A rotation goes through three states of the key store, each of them committed at once:

1. *announced*: the new key is noted with a bridge, the old key encrypted under it; everything is wrapped under the old.
2. *wrapped anew*: everything is wrapped under the new key; the bridge leads from the old one to it.
3. *finished*: the old key is forgotten and opens nothing.

So whoever holds either key can open everything until the third, and a process that holds the old one goes on.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tracker.domain.keys import MasterRow, MasterState, WrappedKey
from tracker.privacy.ciphertext import open_plain, seal_plain
from tracker.privacy.key_errors import KeyUnavailableError


class MasterRows(Protocol):
    """What master keys need of a key store."""

    def masters(self) -> tuple[MasterRow, ...]:
        """The master keys that open something."""

    def any_key(self) -> tuple[str, str, WrappedKey] | None:
        """Some key with its owner and purpose."""

    def adopt(self, master: str) -> None:
        """Note, where none is noted, that this master key wraps everything."""

    def announce(self, incoming: MasterRow) -> None:
        """Note a master key that is to replace the current one."""

    def rewrap(
        self, incoming: str, former: MasterRow, rewrapped: Callable[[str, str, WrappedKey], bytes]
    ) -> int:
        """Wrap every key anew, in one transaction; return how many."""

    def forget_former(self) -> bool:
        """Forget the master key that was replaced."""


def parse_master_key(text: str) -> bytes:
    """Read a master key: 32 bytes in base64.

    Raises
    ------
    KeyUnavailableError
        When the text is anything else.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise KeyUnavailableError("the master key is not base64") from None
    if len(key) != 32:
        raise KeyUnavailableError(f"the master key has {len(key)} bytes; it must have 32")
    return key


def new_master_key() -> str:
    """Make a random master key, in the form that `parse_master_key` reads."""
    return master_key_text(AESGCM.generate_key(256))


def master_key_text(key: bytes) -> str:
    """Write a master key in the form that `parse_master_key` reads.

    Examples
    --------
    >>> parse_master_key(master_key_text(bytes(32))) == bytes(32)
    True
    """
    return base64.b64encode(key).decode()


def master_id(key: bytes) -> str:
    """The id under which a key store notes a master key; it says nothing about the key.

    Examples
    --------
    >>> master_id(bytes(32))
    '313235914702cd4a'
    """
    return hashlib.sha256(b"affect-tracker master key\0" + key).hexdigest()[:16]


class Masters:
    """The master keys that this process holds, and what they do in a key store.

    Parameters
    ----------
    key
        The master key that the operator gave: 32 bytes.
    rows
        The key store.
    again
        Asks the operator's source for the key once more, when another process has replaced it.
    """

    def __init__(self, key: bytes, rows: MasterRows, again: Callable[[], bytes] | None = None) -> None:
        self._rows = rows
        self._again = again
        self._given = master_id(key)
        self._held = {self._given: key}
        self._wraps = self._given

    @property
    def given(self) -> str:
        """Id of the master key that was given to this process, newest."""
        return self._given

    def unwrap(self, owner: str, purpose: str, key: WrappedKey) -> bytes:
        """Open a wrapped key; raise `KeyUnavailableError` when no master key at hand does."""
        master = self._held[self._wraps] if not key.master else self._find(key.master)
        try:
            return open_plain(master, key.wrapped, _place(owner, purpose))
        except KeyUnavailableError:
            raise _wrong() from None

    def wrap(self, owner: str, purpose: str, id: str, plain: bytes) -> WrappedKey:
        """Wrap a key under the current master key as far as this process knows it."""
        sealed = seal_plain(self._held[self._wraps], plain, _place(owner, purpose))
        return WrappedKey(id, self._wraps, sealed)

    def settle(self) -> None:
        """Find the master key that new keys are wrapped under; the first time, see that it opens the store.

        Raises
        ------
        KeyUnavailableError
            When the given key does not open the key store.
        """
        here = self._rows.masters()
        if not here:  # an older store, or one without a key so far
            if (some := self._rows.any_key()) is not None:
                self.unwrap(*some)
                self._rows.adopt(self._given)
            return
        current = next(m.id for m in here if m.state is MasterState.CURRENT)
        self._find(current)
        self._wraps = current

    def replace(self, new: bytes) -> int:
        """Wrap everything under a new master key; the one before opens everything still, until `finish`.

        Doing it again after a process died at any point goes on from there; return how many keys were wrapped anew.
        """
        self.settle()
        incoming, old = master_id(new), self._wraps
        if incoming == old:
            return 0
        if any(m.state is MasterState.FORMER for m in self._rows.masters()):
            raise KeyUnavailableError(
                "another rotation of the master key is under way; finish that one first"
            )
        self._held[incoming] = new
        self._rows.announce(MasterRow(incoming, MasterState.INCOMING, _bridge(new, self._held[old])))
        former = MasterRow(old, MasterState.FORMER, _bridge(self._held[old], new))

        def rewrapped(owner: str, purpose: str, key: WrappedKey) -> bytes:
            return seal_plain(new, self.unwrap(owner, purpose, key), _place(owner, purpose))

        count = self._rows.rewrap(incoming, former, rewrapped)
        self.settle()
        return count

    def finish(self) -> bool:
        """Forget the master key that was replaced: from now on it opens nothing. False when there is none."""
        return self._rows.forget_former()

    def standing(self) -> dict[MasterState, str]:
        """Ids of the master keys that open something, by what they do; settled before."""
        return {row.state: row.id for row in self._rows.masters()}

    def current_key(self) -> bytes:
        """The master key under which everything is wrapped; settled before. It goes into the operator's file alone."""
        return self._held[self._wraps]

    def _find(self, master: str) -> bytes:
        if master not in self._held:
            self._cross()
        if master not in self._held and self._again is not None:
            key = self._again()
            self._given = master_id(key)
            self._held[self._given] = key
            self._cross()
        try:
            return self._held[master]
        except KeyError:
            raise _wrong() from None

    def _cross(self) -> None:
        """Take the key at the other end of each bridge that a key at hand opens."""
        for row in self._rows.masters():
            if row.id in self._held and row.bridge is not None:
                other = open_plain(self._held[row.id], row.bridge, f"master|{row.id}")
                self._held[master_id(other)] = other


def _bridge(key: bytes, other: bytes) -> bytes:
    return seal_plain(key, other, f"master|{master_id(key)}")


def _place(owner: str, purpose: str) -> str:
    return f"key|{owner}|{purpose}"


def _wrong() -> KeyUnavailableError:
    return KeyUnavailableError(
        "the master key does not open the key store; give the key that this store was made with"
    )
