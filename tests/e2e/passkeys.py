"""An authenticator for browser tests: Chromium's own virtual one, asked for over its DevTools protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from playwright.sync_api import CDPSession, Page

from tests.e2e.site import Served


def named(site: Served) -> Served:
    """A site under a name: browsers make no passkeys for an address of numbers."""
    return replace(site, address=site.address.replace("127.0.0.1", "localhost"))


@dataclass
class Authenticator:
    """What a phone or a key does when a browser asks it: keep passkeys, and verify who holds it."""

    session: CDPSession
    id: str

    def passkeys(self) -> list[dict[str, Any]]:
        """Every passkey that it keeps."""
        kept: list[dict[str, Any]] = self._ask("getCredentials")["credentials"]
        return kept

    def hold(self, passkey: dict[str, Any]) -> None:
        """Keep a passkey that another made."""
        self._ask("addCredential", credential=passkey)

    def verifies(self, does: bool) -> None:
        """Say whether the finger, the face or the PIN is the right one from now on."""
        self._ask("setUserVerified", isUserVerified=does)

    def _ask(self, what: str, **more: Any) -> Any:
        return self.session.send(f"WebAuthn.{what}", {"authenticatorId": self.id, **more})


@contextmanager
def authenticator(page: Page) -> Iterator[Authenticator]:
    """Plug one into a page's browser: it is part of the device, verifies its person and keeps what it makes."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    kind = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": kind})
    yield Authenticator(session, made["authenticatorId"])
