"""Passkeys (W3C Web Authentication): what a browser is asked, and whether what it answers is right.

The checks are those of the package ``webauthn``. A challenge is kept in the session, signed, and good for one answer
within five minutes. A passkey must verify its person (fingerprint, face, PIN): it then stands for both factors.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import current_app, request, session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tracker.access import credentials
from tracker.access.credentials import Whom
from tracker.domain.entering import Passkey
from tracker.workflows import accounts
from webui.auth_store import ISSUER
from webui.clock import now
from webui.services import services

LASTS = timedelta(minutes=5)
"""How long a challenge waits for its answer."""

_CHALLENGE = "challenge"
_VERIFIED = UserVerificationRequirement.REQUIRED


class PasskeyError(ValueError):
    """What a browser answered is no passkey's answer to what it was asked."""


def ask_for_new(whom: Whom) -> str:
    """What a browser needs to make a passkey, as JSON; those that somebody has are not made twice."""
    known = accounts.passkeys(services().access, whom, now())
    options = generate_registration_options(
        rp_id=_domain(),
        rp_name=ISSUER,
        user_id=credentials.handle(services().access, whom),
        user_name=whom.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=passkey.credential) for passkey in known],
    )
    _remember(options.challenge)
    return options_to_json(options)


def made(answer: Any, name: str) -> Passkey:
    """The passkey that a browser made.

    Raises
    ------
    PasskeyError
        When the answer does not fit what was asked.
    """
    try:
        found = verify_registration_response(
            credential=_object(answer),
            expected_challenge=_challenge(),
            expected_rp_id=_domain(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyError(str(error)) from error
    return Passkey("", found.credential_id, found.credential_public_key, found.sign_count, name)


def ask() -> str:
    """What a browser needs to use a passkey, as JSON: any that it has of this site."""
    options = generate_authentication_options(rp_id=_domain(), user_verification=_VERIFIED)
    _remember(options.challenge)
    return options_to_json(options)


def used(answer: Any) -> Whom:
    """Whose passkey answered; its count is noted, so that a copy of it is noticed.

    Raises
    ------
    PasskeyError
        When nobody here has it, the answer does not fit what was asked, or its count was seen before.
    """
    access, challenge = services().access, _challenge()
    try:
        given = _object(answer)
        found = accounts.find_passkey(access, base64url_to_bytes(str(given["id"])), now())
        if found is None:
            raise PasskeyError("nobody here has this passkey")
        whom, passkey = found
        checked = verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=_domain(),
            expected_origin=_origin(),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.counter,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyError(str(error)) from error
    if not accounts.accept_passkey(access, whom, passkey, checked.new_sign_count, now()):
        raise PasskeyError("this passkey answered with this count before")
    return whom


def _object(answer: Any) -> dict[str, Any]:
    """What a browser sends is an object; anything can be sent."""
    if not isinstance(answer, dict):
        raise TypeError(f"a passkey's answer is an object, not {type(answer).__name__}")
    return answer


def _remember(challenge: bytes) -> None:
    session[_CHALLENGE] = [bytes_to_base64url(challenge), now().timestamp()]


def _challenge() -> bytes:
    """What was asked last; it is good for one answer."""
    challenge, since = session.pop(_CHALLENGE, ("", 0.0))
    if not challenge or now().timestamp() - since > LASTS.total_seconds():
        raise PasskeyError("nothing was asked, or too long ago")
    return base64url_to_bytes(challenge)


def _domain() -> str:
    """What passkeys belong to: the host's name without its port."""
    return request.host.partition(":")[0]


def _origin() -> str:
    """Where the browser is, as it says itself. A proxy that ends TLS hands on the host, not always the scheme."""
    secure = request.is_secure or current_app.config["SESSION_COOKIE_SECURE"]
    return f"{'https' if secure else 'http'}://{request.host}"
