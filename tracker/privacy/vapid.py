"""Who sends a push message, signed: VAPID (RFC 8292), a JSON Web Token (RFC 7519) under ES256 (RFC 7518, 3.4).

The key is derived from 32 bytes that lie in the key store, so it is kept, backed up and moved with the other keys. The
tokens say nothing but for whom they are, until when, and whom to write to when something is wrong.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PURPOSE = "web push"
"""Purpose of the installation's secret that the key is made from."""

LASTS = timedelta(hours=1)
"""How long a token is good; RFC 8292 allows a day."""

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def public_key(secret: bytes) -> str:
    """The public key as browsers take it (`applicationServerKey`): the point, uncompressed, in base64url.

    Parameters
    ----------
    secret
        32 bytes.

    Examples
    --------
    >>> len(public_key(bytes(range(32))))
    87
    """
    point = _key(secret).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64url(point)


def authorization(secret: bytes, audience: str, contact: str, now: datetime) -> str:
    """The header that says who sends.

    Parameters
    ----------
    secret
        32 bytes.
    audience
        Scheme and host of the push service: the token is good there alone.
    contact
        ``mailto:`` or ``https:``, for the people who run it.
    now
        The instant (UTC).
    """
    head = _part({"typ": "JWT", "alg": "ES256"})
    said = _part({"aud": audience, "exp": int((now + LASTS).timestamp()), "sub": contact})
    r, s = decode_dss_signature(_key(secret).sign(f"{head}.{said}".encode(), ec.ECDSA(SHA256())))
    signature = base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={head}.{said}.{signature}, k={public_key(secret)}"


def base64url(plain: bytes) -> str:
    """Bytes as base64url without padding (RFC 7515, 2).

    Examples
    --------
    >>> base64url(b"\\xfb\\xff")
    '-_8'
    """
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def _part(fields: Mapping[str, Any]) -> str:
    return base64url(json.dumps(fields, separators=(",", ":")).encode())


def _key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    # More bits than the curve has, so that no private key is likelier than another (FIPS 186-5, A.2.1).
    bits = HKDF(SHA256(), 48, salt=None, info=b"affect-tracker vapid P-256").derive(secret)
    return ec.derive_private_key(int.from_bytes(bits, "big") % (_ORDER - 1) + 1, ec.SECP256R1())
