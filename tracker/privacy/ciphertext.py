"""Ciphertexts that name their key: AES-256-GCM with nonces so long that no key ever has to be counted.

A key of AES-256-GCM may seal at most 2**32 messages under random 96-bit nonces (NIST SP 800-38D, 8.3). So no data key
seals anything itself: each batch has a random 96-bit half nonce from which a key of its own is derived (NIST SP
800-108r1, CMAC in counter mode), and each message in it a random 96-bit nonce under that. Together this is XAES-256-GCM
as the Community Cryptography Specification Project writes it down (c2sp.org/XAES-256-GCM), with a 192-bit nonce.

The bytes: format (1), key id (8), half nonce (12), nonce (12), ciphertext and tag (16 longer than the plaintext).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tracker.privacy.key_errors import KeyUnavailableError

FORMAT = 1
"""The first byte of every ciphertext, and the version to which the additional data bind it."""

KEY_ID_BYTES = 8
HALF_BYTES = 12
HEADER_BYTES = 1 + KEY_ID_BYTES + 2 * HALF_BYTES
_BLOCK = 16
MOST_MESSAGES = 2**32
"""How many messages one derived key may seal."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key with the id by which ciphertexts name it."""

    id: bytes
    key: bytes


class Derivation:
    """The keys of batches from a data key: two blocks of CMAC-AES-256 in counter mode.

    Parameters
    ----------
    key
        32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        doubled = int.from_bytes(self._encryptor.update(bytes(_BLOCK)), "big") << 1
        if doubled >> 128:
            doubled = (doubled ^ 0x87) & ((1 << 128) - 1)
        # CMAC's subkey K1 beside the constant part of each block.
        self._blocks = [doubled ^ (int.from_bytes(b"\0" + bytes([i]) + b"X\0", "big") << 96) for i in (1, 2)]

    def __call__(self, half: bytes) -> bytes:
        """Derive the key of the batch with this half nonce (12 bytes)."""
        number = int.from_bytes(half, "big")
        return self._encryptor.update(b"".join((b ^ number).to_bytes(_BLOCK, "big") for b in self._blocks))


class Sealer:
    """Seals many messages with one data key.

    Parameters
    ----------
    key
        The data key.
    whose
        What every message is bound to beside its place: owner and purpose.

    Attributes
    ----------
    head
        How everything begins that is sealed with this data key.
    """

    def __init__(self, key: DataKey, whose: str) -> None:
        half = os.urandom(HALF_BYTES)
        self.head = head_of(key.id)
        self._head = self.head + half
        self._whose = whose
        self._aead = AESGCM(Derivation(key.key)(half))
        self._left = MOST_MESSAGES

    def __call__(self, plaintext: bytes, place: str) -> bytes:
        """Seal a message for the place where it will lie."""
        if not self._left:
            raise KeyUnavailableError("one sealer has sealed 2**32 messages; open another")
        self._left -= 1
        nonce = os.urandom(HALF_BYTES)
        head = self._head + nonce
        return head + self._aead.encrypt(nonce, plaintext, _bound(head, self._whose, place))


class Opener:
    """Opens many messages that were sealed with one data key; for one thread.

    Parameters
    ----------
    key, whose
        As for `Sealer`.

    Examples
    --------
    >>> key = DataKey(bytes(8), bytes(32))
    >>> sealed = Sealer(key, "ada|notes")(b"dear diary", "notes.sealed|1")
    >>> Opener(key, "ada|notes")(sealed, "notes.sealed|1")
    b'dear diary'
    """

    def __init__(self, key: DataKey, whose: str) -> None:
        self.id = key.id
        self._whose = whose
        self._derive = Derivation(key.key)

    def __call__(self, ciphertext: bytes, place: str) -> bytes:
        """Open a message that lies at a place.

        Raises
        ------
        KeyUnavailableError
            When it was sealed with another key, for another place, or is damaged.
        """
        head = ciphertext[:HEADER_BYTES]
        half, nonce = head[-2 * HALF_BYTES : -HALF_BYTES], head[-HALF_BYTES:]
        if len(head) < HEADER_BYTES:
            raise does_not_open(place)
        try:
            aead = AESGCM(self._derive(half))
            return aead.decrypt(nonce, ciphertext[HEADER_BYTES:], _bound(head, self._whose, place))
        except (InvalidTag, ValueError):
            raise does_not_open(place) from None


def head_of(key: bytes) -> bytes:
    """How every ciphertext begins that is sealed with a data key of this id.

    Examples
    --------
    >>> head_of(b"12345678").hex()
    '013132333435363738'
    """
    return bytes([FORMAT]) + key


def key_id(ciphertext: bytes) -> bytes | None:
    """Which key a ciphertext names; None for one from before ciphertexts named keys, as far as that can be seen."""
    if len(ciphertext) < HEADER_BYTES or ciphertext[0] != FORMAT:
        return None
    return ciphertext[1 : 1 + KEY_ID_BYTES]


def seal_plain(key: bytes, plaintext: bytes, bound_to: str) -> bytes:
    """AES-256-GCM as it is: for wrapped keys, of which no installation ever makes 2**32.

    Examples
    --------
    >>> open_plain(bytes(32), seal_plain(bytes(32), b"name", "key|1"), "key|1")
    b'name'
    """
    nonce = os.urandom(HALF_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to.encode())


def open_plain(key: bytes, ciphertext: bytes, bound_to: str) -> bytes:
    """Open what `seal_plain` sealed; raise `KeyUnavailableError` when it does not fit."""
    nonce, rest = ciphertext[:HALF_BYTES], ciphertext[HALF_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, rest, bound_to.encode())
    except (InvalidTag, ValueError):
        raise does_not_open(bound_to) from None


def does_not_open(place: str) -> KeyUnavailableError:
    """Make the error for a ciphertext that does not fit."""
    return KeyUnavailableError(f"the ciphertext at {place} does not open with its key")


def _bound(head: bytes, whose: str, place: str) -> bytes:
    # Ids are hexadecimal, purposes and places are our own words: none holds the byte that parts them.
    return b"\0".join((head, whose.encode(), place.encode()))
