"""Keys: a data key per participant and purpose, wrapped by a master key, in a key store of its own.

AES-256-GCM throughout (NIST SP 800-38D) from the package `cryptography`. The additional data bind each
ciphertext to where it lies, so a ciphertext moved to another row or person does not open. Destroying a
person's data keys makes everything sealed for them unreadable, old backups of the database included.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
IDENTITY = "identity"
"""Purpose of the data key that seals a name, the link to the series, and consent evidence."""


class KeyUnavailableError(Exception):
    """A key is missing, destroyed or wrong, so something sealed cannot be opened."""


class KeyDestroyedError(KeyUnavailableError):
    """A participant's key is gone: they were erased, or are being erased."""


class KeyRows(Protocol):
    """What the vault needs of a key store: wrapped keys by (owner, purpose)."""

    def get(self, owner: str, purpose: str) -> bytes | None:
        """Return the wrapped key, or None."""

    def put(self, owner: str, purpose: str, wrapped: bytes) -> bytes:
        """Keep a wrapped key unless there is one already; return the one that is kept."""

    def destroy(self, owner: str, purpose: str | None = None) -> int:
        """Delete an owner's keys (for one purpose, or all) and their bytes; return how many there were."""


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
    return base64.b64encode(AESGCM.generate_key(256)).decode()


def seal(key: bytes, plaintext: bytes, bound_to: str) -> bytes:
    """Encrypt and bind to a place.

    Examples
    --------
    >>> key = bytes(32)
    >>> unseal(key, seal(key, b"name", "participants|1|name"), "participants|1|name")
    b'name'
    """
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to.encode())


def unseal(key: bytes, ciphertext: bytes, bound_to: str) -> bytes:
    """Decrypt what `seal` made for the same place; raise `KeyUnavailableError` when it does not fit."""
    try:
        return AESGCM(key).decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError):
        raise KeyUnavailableError(f"the ciphertext at {bound_to} does not open with its key") from None


class Vault:
    """Seals and opens with the data keys of people, and holds the few keys of the installation.

    Parameters
    ----------
    master
        32 bytes that wrap every key in the store.
    rows
        The key store.
    """

    _INSTALLATION = "installation"

    def __init__(self, master: bytes, rows: KeyRows) -> None:
        self._master = master
        self._rows = rows

    def seal(self, owner: str, purpose: str, plaintext: bytes, place: str) -> bytes:
        """Seal under an owner's key for a purpose, making that key when there is none."""
        return seal(self._key(owner, purpose, create=True), plaintext, f"{place}|{owner}|{purpose}")

    def open(self, owner: str, purpose: str, ciphertext: bytes, place: str) -> bytes:
        """Open what was sealed for the same owner, purpose and place."""
        return unseal(self._key(owner, purpose, create=False), ciphertext, f"{place}|{owner}|{purpose}")

    def opener(self, owner: str, purpose: str) -> Callable[[bytes, str], bytes]:
        """Fetch an owner's key once; return what opens many ciphertexts: (ciphertext, place) -> plaintext."""
        key = self._key(owner, purpose, create=False)
        return lambda ciphertext, place: unseal(key, ciphertext, f"{place}|{owner}|{purpose}")

    def sealer(self, owner: str, purpose: str) -> Callable[[bytes, str], bytes]:
        """Fetch or make an owner's key once and return what seals many things with it: (plaintext, place) -> ciphertext.

        For one transaction: what is sealed with it later might be sealed under a key that was destroyed meanwhile.
        """
        key = self._key(owner, purpose, create=True)
        return lambda plaintext, place: seal(key, plaintext, f"{place}|{owner}|{purpose}")

    def destroy(self, owner: str, purpose: str | None = None) -> int:
        """Destroy an owner's keys, for one purpose or all; return how many there were."""
        return self._rows.destroy(owner, purpose)

    def digest(self, purpose: str, text: str) -> str:
        """Keyed digest (HMAC-SHA-256, hex) for looking something up without storing it."""
        key = self._key(self._INSTALLATION, purpose, create=True)
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def secret(self, purpose: str) -> bytes:
        """32 bytes of the installation's own for a purpose, the same at every call."""
        return self._key(self._INSTALLATION, purpose, create=True)

    def sign(self, message: bytes) -> bytes:
        """Sign (Ed25519) with the installation's key."""
        return self._signer().sign(message)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature of `sign` belongs to a message."""
        try:
            self._signer().public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def _signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret("signing"))

    def _key(self, owner: str, purpose: str, *, create: bool) -> bytes:
        wrapped = self._rows.get(owner, purpose)
        place = f"key|{owner}|{purpose}"
        if wrapped is None:
            if not create:
                raise KeyDestroyedError(f"the {purpose} key of this participant is gone: they were erased")
            wrapped = self._rows.put(owner, purpose, seal(self._master, os.urandom(32), place))
        try:
            return unseal(self._master, wrapped, place)
        except KeyUnavailableError:
            raise KeyUnavailableError(
                "the master key does not open the key store; give the key that this store was made with"
            ) from None
