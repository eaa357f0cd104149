"""Keys: a data key per participant and purpose, wrapped by a master key, in a key store of its own.

AES-256-GCM throughout (NIST SP 800-38D) from the package `cryptography`. Every ciphertext names its key and is bound to
where it lies, so one moved to another row, person or purpose does not open, and a key can be replaced while others read
and write. Destroying a person's data keys makes everything sealed for them unreadable, old backups of the
database included.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tracker.domain.keys import WrappedKey
from tracker.privacy.ciphertext import (
    KEY_ID_BYTES,
    DataKey,
    Opener,
    Sealer,
    does_not_open,
    key_id,
    open_plain,
)
from tracker.privacy.key_errors import KeyDestroyedError as KeyDestroyedError
from tracker.privacy.key_errors import KeyUnavailableError as KeyUnavailableError
from tracker.privacy.master import MasterRows, Masters
from tracker.privacy.master import master_key_text as master_key_text
from tracker.privacy.master import new_master_key as new_master_key
from tracker.privacy.master import parse_master_key as parse_master_key

IDENTITY = "identity"
"""Purpose of the data key that seals a name, the link to the series, and consent evidence."""

INSTALLATION = "installation"
"""Owner of the few keys that belong to nobody."""


class KeyRows(MasterRows, Protocol):
    """What the vault needs of a key store: wrapped keys by (owner, purpose)."""

    def of(self, owner: str, purpose: str) -> tuple[WrappedKey, ...]:
        """Return an owner's keys for a purpose, the one that seals first."""

    def of_everyone(self, purpose: str) -> dict[str, tuple[WrappedKey, ...]]:
        """Return the keys of every owner for a purpose, each as `of` does."""

    def put(self, owner: str, purpose: str, key: WrappedKey) -> tuple[WrappedKey, ...] | None:
        """Keep a key unless there is one that seals; return those kept, or None when its master key is not current."""

    def replace(self, owner: str, purpose: str, key: WrappedKey) -> bool:
        """Let a new key seal; the one before retires. False when nothing was changed."""

    def destroy(self, owner: str, purpose: str | None = None) -> int:
        """Delete an owner's keys (for one purpose, or all) and their bytes; return how many there were."""

    def destroy_retiring(self, owner: str, purpose: str, ids: Sequence[str]) -> int:
        """Delete keys that retire; return how many there were."""


class Vault:
    """Seals and opens with the data keys of people, and holds the few keys of the installation.

    Parameters
    ----------
    master
        32 bytes that wrap every key in the store.
    rows
        The key store.
    again
        Asks for the master key once more, when another process has replaced it; None: this one or nothing.
    """

    def __init__(self, master: bytes, rows: KeyRows, again: Callable[[], bytes] | None = None) -> None:
        self.masters = Masters(master, rows, again)
        self._rows = rows

    def seal(self, owner: str, purpose: str, plaintext: bytes, place: str) -> bytes:
        """Seal under an owner's key for a purpose, making that key when there is none."""
        return self.sealer(owner, purpose)(plaintext, place)

    def open(self, owner: str, purpose: str, ciphertext: bytes, place: str) -> bytes:
        """Open what was sealed for the same owner, purpose and place."""
        return self.opener(owner, purpose)(ciphertext, place)

    def opener(self, owner: str, purpose: str) -> Callable[[bytes, str], bytes]:
        """Fetch an owner's keys once; return what opens many ciphertexts: (ciphertext, place) -> plaintext.

        Fetch it inside the transaction that reads them: a key whose ciphertexts are being sealed anew is destroyed only
        when no older transaction is open. A key that was made later is fetched when a ciphertext names it.
        """
        return self._opener(owner, purpose, self._keys(owner, purpose))

    def openers(self, owners: Collection[str], purpose: str) -> dict[str, Callable[[bytes, str], bytes]]:
        """`opener` of many, with their keys fetched at once; owners whose keys are gone are left out."""
        kept = self._rows.of_everyone(purpose)
        return {
            owner: self._opener(
                owner, purpose, tuple(self._unwrapped(owner, purpose, key) for key in kept[owner])
            )
            for owner in owners
            if owner in kept
        }

    def _opener(self, owner: str, purpose: str, keys: tuple[DataKey, ...]) -> Callable[[bytes, str], bytes]:
        whose = f"{owner}|{purpose}"
        openers = {key.id: Opener(key, whose) for key in keys}

        def open_one(ciphertext: bytes, place: str) -> bytes:
            nonlocal keys, openers
            named = key_id(ciphertext)
            if named is not None and named not in openers:
                keys = self._keys(owner, purpose)
                openers = {key.id: Opener(key, whose) for key in keys}
            if named is not None and named in openers:
                return openers[named](ciphertext, place)
            return _open_unnamed(keys, ciphertext, f"{place}|{whose}", place)

        return open_one

    def sealer(self, owner: str, purpose: str) -> Sealer:
        """Fetch or make an owner's key once; return what seals many things: (plaintext, place) -> ciphertext.

        For one writing transaction, and fetched inside it: what is sealed later might name a key that was destroyed.
        """
        return Sealer(self._sealing(owner, purpose), f"{owner}|{purpose}")

    def destroy(self, owner: str, purpose: str | None = None) -> int:
        """Destroy an owner's keys, for one purpose or all; return how many there were."""
        return self._rows.destroy(owner, purpose)

    def renew(self, owner: str, purpose: str) -> None:
        """Let a new key seal from now on; the one before retires. Where one retires already, nothing is changed.

        Raises
        ------
        KeyDestroyedError
            When there is no key to renew.
        """
        keys = self._rows.of(owner, purpose)
        while keys and not any(key.retiring for key in keys):
            self.masters.settle()
            self._rows.replace(owner, purpose, self._new(owner, purpose))
            keys = self._rows.of(owner, purpose)
        if not keys:
            raise _gone(purpose)

    def renewed(self, owner: str, purpose: str) -> tuple[bytes, tuple[str, ...]]:
        """Ids of the key that seals, and of those that retire; raise `KeyDestroyedError` when there is none."""
        keys = self._rows.of(owner, purpose)
        sealing = next((key for key in keys if not key.retiring), None)
        if sealing is None:
            raise _gone(purpose)
        return bytes.fromhex(sealing.id), tuple(key.id for key in keys if key.retiring)

    def destroy_retiring(self, owner: str, purpose: str, ids: Sequence[str]) -> int:
        """Destroy keys that retire and that nothing is sealed with any more; compact the key store afterwards."""
        return self._rows.destroy_retiring(owner, purpose, ids)

    def digest(self, purpose: str, text: str) -> str:
        """Keyed digest (HMAC-SHA-256, hex) for looking something up without storing it."""
        return self.digester(purpose)(text)

    def digester(self, purpose: str) -> Callable[[str], str]:
        """Fetch the key of a digest once; return what digests many texts."""
        key = self.secret(purpose)
        return lambda text: _digest(key, text)

    def digests(self, purpose: str, text: str) -> tuple[str, ...]:
        """The digest under the key of today, and under those that retire, while digests are being made anew."""
        today = self.secret(purpose)
        others = (key.key for key in self._keys(INSTALLATION, purpose))
        return tuple(dict.fromkeys(_digest(key, text) for key in (today, *others)))

    def secret(self, purpose: str) -> bytes:
        """32 bytes of the installation's own for a purpose, the same at every call."""
        return self._sealing(INSTALLATION, purpose).key

    def sign(self, message: bytes) -> bytes:
        """Sign (Ed25519) with the installation's key."""
        return self._signer().sign(message)

    def public_key(self) -> bytes:
        """The 32 bytes with which anybody can verify what `sign` signed."""
        return self._signer().public_key().public_bytes_raw()

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature of `sign` belongs to a message."""
        try:
            self._signer().public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def _signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret("signing"))

    def _keys(self, owner: str, purpose: str) -> tuple[DataKey, ...]:
        keys = self._rows.of(owner, purpose)
        if not keys:
            raise _gone(purpose)
        return tuple(self._unwrapped(owner, purpose, key) for key in keys)

    def _sealing(self, owner: str, purpose: str) -> DataKey:
        keys = self._rows.of(owner, purpose)
        if not keys or keys[0].retiring:
            keys = self._made(owner, purpose)
        return self._unwrapped(owner, purpose, keys[0])

    def _made(self, owner: str, purpose: str) -> tuple[WrappedKey, ...]:
        # A rotation of the master key may commit between the wrapping and the keeping.
        while (kept := self._rows.put(owner, purpose, self._new(owner, purpose))) is None:
            self.masters.settle()
        return kept

    def _new(self, owner: str, purpose: str) -> WrappedKey:
        return self.masters.wrap(owner, purpose, os.urandom(KEY_ID_BYTES).hex(), os.urandom(32))

    def _unwrapped(self, owner: str, purpose: str, key: WrappedKey) -> DataKey:
        return DataKey(bytes.fromhex(key.id), self.masters.unwrap(owner, purpose, key))


def _open_unnamed(keys: Sequence[DataKey], ciphertext: bytes, bound_to: str, place: str) -> bytes:
    """Open a ciphertext from before ciphertexts named their keys: any key that retires or seals may be its own."""
    for key in keys:
        try:
            return open_plain(key.key, ciphertext, bound_to)
        except KeyUnavailableError:
            continue
    raise does_not_open(place)


def _digest(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _gone(purpose: str) -> KeyDestroyedError:
    return KeyDestroyedError(f"the {purpose} key of this participant is gone: they were erased")
