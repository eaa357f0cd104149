"""Signed documents: JSON that anyone can verify with nothing but the file and the fingerprint of a key.

The signature (Ed25519, RFC 8032) is over the document in one canonical form: keys sorted, no blanks, UTF-8, no
fractional numbers, which is that of RFC 8785 for what we write. It covers the public key and the kind of document, so
that neither can be exchanged.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PROOF = "proof"
_ALGORITHM = "Ed25519"
_KEY_BYTES, _SIGNATURE_BYTES = 32, 64


class ForgedError(ValueError):
    """A signed document is not what was signed, or not signed by the key that was expected."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who signs: a public key of 32 bytes, and the function that signs with the private one."""

    public_key: bytes
    sign: Callable[[bytes], bytes]


def canonical(document: Any) -> bytes:
    """The one form in which a document is signed.

    Raises
    ------
    TypeError, ValueError
        When it holds something whose form is not fixed, such as a fractional number.

    Examples
    --------
    >>> canonical({"b": [1, None], "a": "ü"})
    b'{"a":"\\xc3\\xbc","b":[1,null]}'
    """
    _require_fixed(document)
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fingerprint(public_key: bytes) -> str:
    """SHA-256 of a public key: what people compare.

    Examples
    --------
    >>> fingerprint(bytes(32))[:8]
    '66687aad'
    """
    return hashlib.sha256(public_key).hexdigest()


def signed(document: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """Return a document with its proof: algorithm, public key, fingerprint and signature.

    Parameters
    ----------
    document
        JSON values with text keys and without fractional numbers.
    signer
        Whose signature it gets.
    """
    proof = {
        "type": _ALGORITHM,
        "publicKey": base64.b64encode(signer.public_key).decode(),
        "fingerprint": fingerprint(signer.public_key),
    }
    unsigned = {**document, PROOF: proof}
    signature = base64.b64encode(signer.sign(canonical(unsigned))).decode()
    return {**document, PROOF: {**proof, "signature": signature}}


def written(document: Mapping[str, Any]) -> str:
    """A document as a file that people can read too; its layout is not part of what is signed."""
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def read(text: str) -> dict[str, Any]:
    """Read a signed document; nothing is believed yet.

    Raises
    ------
    ForgedError
        When it is cut off, is no JSON object, or says something twice.
    """
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise ForgedError("it is nested too deeply to be one of ours") from None
    except json.JSONDecodeError as error:
        raise ForgedError(
            f"it is cut off or was altered: it is not whole JSON at line {error.lineno}, column {error.colno}"
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get(PROOF), dict):
        raise ForgedError("it carries no signature, so it is none of ours or was cut")
    return document


def require_signature(document: Mapping[str, Any], key: str | None = None) -> str:
    """Check a document's signature and return the fingerprint of the key that made it.

    Parameters
    ----------
    document
        As `read` returned it.
    key
        The fingerprint that it must have; with None only the document's own key is checked, which shows that
        nothing was altered since, not who signed.

    Raises
    ------
    ForgedError
        When the signature does not belong to the document, or another key made it.
    """
    proof = document[PROOF]
    public, signature = _bytes(proof, "publicKey", _KEY_BYTES), _bytes(proof, "signature", _SIGNATURE_BYTES)
    own = fingerprint(public)
    if key is not None and own != tidy(key):
        raise ForgedError(f"another key signed it: {own}, not {tidy(key)}")
    unsigned = {**document, PROOF: {name: value for name, value in proof.items() if name != "signature"}}
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, canonical(unsigned))
    except (InvalidSignature, TypeError, ValueError):
        raise ForgedError("its signature does not belong to it: it was altered after it was signed") from None
    if proof.get("type") != _ALGORITHM or proof.get("fingerprint") != own:
        raise ForgedError(f"it names another key than the one that signed it ({own})")
    return own


def tidy(key: str) -> str:
    """A fingerprint as people write it, without blanks, colons and capitals.

    Examples
    --------
    >>> tidy("AB:CD ef") == "abcdef"
    True
    """
    return "".join(key.replace(":", " ").split()).lower()


def _require_fixed(value: Any) -> None:
    match value:
        case dict():
            for key, inner in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"a key of a signed document is text, not {key!r}")
                _require_fixed(inner)
        case list() | tuple():
            for inner in value:
                _require_fixed(inner)
        case str() | bool() | int() | None:
            pass
        case _:
            raise TypeError(f"{value!r} has no one form in a signed document")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ForgedError("it says something twice, which nothing of ours does")
    return found


def _no_constant(word: str) -> Any:
    raise ForgedError(f"it holds {word}, which is no JSON")


def _bytes(proof: Mapping[str, Any], name: str, length: int) -> bytes:
    try:
        value = base64.b64decode(str(proof.get(name, "")), validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != length:
        raise ForgedError(f"its signature is damaged: {name} is not {length} bytes in base64")
    return value
