"""Which devices of a participant are told that a question waits: switched on one by one, and off in as many ways.

A device is known by its address at the push service of its browser's maker. That is personal data: it lies sealed under
the participant's key of prompts, and goes when they switch it off, log out there, withdraw or are erased.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime

from tracker.access import Access, Unit
from tracker.domain.consent import Scope, Use
from tracker.domain.people import Person
from tracker.domain.pushing import MOST_DEVICES, PushServices
from tracker.privacy import vapid
from tracker.store import pushing, studies

PUBLIC = PushServices()
"""The push services that messages may go to."""

_DIGESTS = "push endpoints"


class NoPushError(Exception):
    """The study does not let devices be told anything."""


class TooManyDevicesError(Exception):
    """Somebody has as many devices switched on as anybody may have."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that is told that a question waits.

    Attributes
    ----------
    id
        Its number.
    maker
        Through whose push service.
    browser
        What kind of browser it is, as at a sign-in; empty where nobody can tell.
    since
        When it was switched on.
    tag
        By what a page knows whether it is on this device: a digest, so that the address itself stands in no page.
    """

    id: str
    maker: str
    browser: str
    since: datetime
    tag: str


def possible(unit: Unit) -> bool:
    """Whether a device of the unit's person may be told anything now."""
    return unit.study.asking.web_push and not unit.study.closed and unit.allowed(Use.PROMPT) is not None


def application_key(access: Access) -> str:
    """The public key with which a browser knows whose messages it agrees to."""
    return vapid.public_key(access.vault.secret(vapid.PURPOSE))


def switch_on(
    access: Access,
    person: Person,
    endpoint: str,
    now: datetime,
    *,
    browser: str = "",
    sign_in: int | None = None,
    services: PushServices = PUBLIC,
) -> Device:
    """Have a device told from now on; one that is told already goes on, with the sign-in of today.

    Parameters
    ----------
    access, person, now
        The gate, whose device, and the instant (UTC).
    endpoint
        Its address at a push service.
    browser, sign_in
        What kind of browser it is, and with which sign-in it ends.
    services
        Where messages may go.

    Raises
    ------
    NoPushError
        When the study has no web push, or is closed.
    EndpointError
        When the address is of no push service that we know.
    ConsentMissingError
        When they do not allow prompts.
    TooManyDevicesError
        When they have `MOST_DEVICES` of others.
    """
    maker = services.maker(endpoint)
    digest = access.vault.digest(_DIGESTS, endpoint)
    number = secrets.token_hex(16)
    said = json.dumps({"endpoint": endpoint, "maker": maker, "browser": browser})
    with access.write(person.id, now) as unit:
        permit = unit.permit(Use.PROMPT)
        if not unit.study.asking.web_push or unit.study.closed:
            raise NoPushError
        pushing.remove_by_digest(unit.connection, person.subject, digest)
        if len(pushing.devices(unit.connection, person.subject)) >= MOST_DEVICES:
            raise TooManyDevicesError
        sealed = access.vault.seal(person.id, Scope.PROMPTS.value, said.encode(), pushing.place(number))
        pushing.add(unit.connection, permit, person.subject, number, digest, sealed, sign_in, now)
    return Device(number, maker, browser, now, _tag(endpoint))


def devices_of(access: Access, unit: Unit) -> list[Device]:
    """The devices of the unit's person that are told, for their own eyes."""
    rows = pushing.devices(unit.connection, unit.person.subject)
    if not rows:
        return []
    opener = access.vault.opener(unit.person.id, Scope.PROMPTS.value)
    found = []
    for row in rows:
        said = json.loads(opener(row.sealed, pushing.place(row.id)))
        tag = _tag(said["endpoint"])
        found.append(Device(row.id, said["maker"], said["browser"], row.recorded_at, tag))
    return found


def switch_off(access: Access, person: Person, now: datetime, device: str | None = None) -> int:
    """Have one device told no more, or none of them; return how many there were."""
    with access.write(person.id, now) as unit:
        return pushing.remove(unit.connection, person.subject, device)


def switch_off_at(access: Access, person: Person, endpoint: str, now: datetime) -> bool:
    """Have the device told no more that has this address; return whether it was told."""
    digest = access.vault.digest(_DIGESTS, endpoint)
    with access.write(person.id, now) as unit:
        return pushing.remove_by_digest(unit.connection, person.subject, digest) > 0


def follow(access: Access, person: Person, before: int, after: int, now: datetime) -> None:
    """Let what ends with one sign-in end with another, under which the same session goes on."""
    with access.write(person.id, now) as unit:
        pushing.follow(unit.connection, person.subject, before, after)


def forget_unused(access: Access, now: datetime) -> int:
    """Delete every device where the study in force tells none any more; return how many there were."""
    with access.database.write() as connection:
        study = studies.in_force(connection)
        return 0 if study.asking.web_push and not study.closed else pushing.remove_everybodys(connection)


def _tag(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()[:32]
