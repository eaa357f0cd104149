"""What people log in with beside a password: passkeys, an authenticator app, recovery codes.

Whether a signature or a code is right is told by libraries (`webui.account`); here is kept what they check with, under
its person's own key, and that nothing is accepted twice.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from datetime import datetime

from tracker.access import Access, credentials
from tracker.access.credentials import Door, Whom
from tracker.domain.entering import SECOND, Factor, Kind, Passkey
from tracker.domain.passwords import new_code, normalise_code
from tracker.store import factors as rows
from tracker.store.factors import FactorRow
from tracker.workflows.accounts.telling import end_devices

CODES = 10
"""How many recovery codes somebody has at a time."""

MOST_PASSKEYS = 20


class TooManyPasskeysError(ValueError):
    """Somebody keeps more passkeys than anybody has devices."""


def is_second(kind: str) -> bool:
    """Whether a kind of factor counts as a second one.

    Examples
    --------
    >>> is_second("passkey"), is_second("code")
    (True, False)
    """
    return kind in SECOND


def factors(access: Access, whom: Whom, now: datetime) -> list[Factor]:
    """Somebody's passkeys and authenticator app, oldest first."""
    with credentials.reading(access, whom, now) as door:
        return [
            Factor(row.id, Kind(row.kind), str(_opened(door, row).get("name", "")), row.added_at, row.used_at)
            for row in rows.of(door.connection, door.owner)
            if is_second(row.kind)
        ]


def has_second_factor(access: Access, whom: Whom, now: datetime) -> bool:
    """Whether somebody has a passkey or an authenticator app."""
    with credentials.reading(access, whom, now) as door:
        return any(is_second(row.kind) for row in rows.of(door.connection, door.owner))


def add_app(access: Access, whom: Whom, secret: str, counter: int, now: datetime) -> None:
    """Keep the secret of an authenticator app, in the place of one before.

    Parameters
    ----------
    access, whom
        The gate, and whose app it is.
    secret
        As the library wrote it.
    counter
        The time step of the code that proved that the app has the secret: it is not accepted again.
    now
        The instant (UTC).
    """
    with credentials.writing(access, whom, now) as door:
        rows.remove_all(door.connection, door.owner, Kind.APP)
        _add(door, Kind.APP, {"secret": secret}, counter)


def app_secret(access: Access, whom: Whom, now: datetime) -> tuple[str, str, int] | None:
    """The number, the secret and the last accepted time step of somebody's app; None where they have none."""
    with credentials.reading(access, whom, now) as door:
        for row in rows.of(door.connection, door.owner, Kind.APP):
            return row.id, str(_opened(door, row)["secret"]), row.counter
    return None


def accept_app(access: Access, whom: Whom, number: str, counter: int, now: datetime) -> bool:
    """Note that a right code was given; False when it, or a later one, was given before."""
    with credentials.writing(access, whom, now) as door:
        return rows.accept(door.connection, door.owner, number, counter, now)


def add_passkey(access: Access, whom: Whom, passkey: Passkey, now: datetime) -> None:
    """Keep a passkey.

    Raises
    ------
    TooManyPasskeysError
        When there are too many already.
    """
    with credentials.writing(access, whom, now) as door:
        if len(rows.of(door.connection, door.owner, Kind.PASSKEY)) >= MOST_PASSKEYS:
            raise TooManyPasskeysError(f"{MOST_PASSKEYS} passkeys are kept at most; remove one first")
        secret = {
            "credential": _text(passkey.credential),
            "public_key": _text(passkey.public_key),
            "name": passkey.name,
        }
        _add(door, Kind.PASSKEY, secret, passkey.counter, _digest(passkey.credential))


def passkeys(access: Access, whom: Whom, now: datetime) -> list[Passkey]:
    """Somebody's passkeys, oldest first."""
    with credentials.reading(access, whom, now) as door:
        return [_passkey(door, row) for row in rows.of(door.connection, door.owner, Kind.PASSKEY)]


def find_passkey(access: Access, credential: bytes, now: datetime) -> tuple[Whom, Passkey] | None:
    """Whose passkey this is, and what checks its signatures; None when nobody here has it."""
    with access.database.read() as connection:
        found = rows.by_digest(connection, Kind.PASSKEY, _digest(credential))
    whom = None if found is None else credentials.by_owner(access, found[0], now)
    if whom is None:
        return None
    mine = [passkey for passkey in passkeys(access, whom, now) if passkey.credential == credential]
    return (whom, mine[0]) if mine else None


def accept_passkey(access: Access, whom: Whom, passkey: Passkey, counter: int, now: datetime) -> bool:
    """Note that a passkey signed; False when it counts, and this or a later count was seen before: it is a copy."""
    with credentials.writing(access, whom, now) as door:
        return rows.accept(door.connection, door.owner, passkey.id, counter, now)


def new_codes(access: Access, whom: Whom, now: datetime) -> list[str]:
    """Make recovery codes, each for one use; those before stop working. They are shown once and kept as digests."""
    codes = [new_code() for _ in range(CODES)]
    with credentials.writing(access, whom, now) as door:
        rows.remove_all(door.connection, door.owner, Kind.CODE)
        for code in codes:
            _add(door, Kind.CODE, {}, 0, door.code_digest(normalise_code(code)))
    return codes


def codes_left(access: Access, whom: Whom, now: datetime) -> int:
    """How many recovery codes somebody has left."""
    with credentials.reading(access, whom, now) as door:
        return len(rows.of(door.connection, door.owner, Kind.CODE))


def use_code(access: Access, whom: Whom, code: str, now: datetime) -> bool:
    """Use a recovery code up; False when it is none of theirs, or was used."""
    with credentials.writing(access, whom, now) as door:
        digest = door.code_digest(normalise_code(code))
        return rows.use_up(door.connection, door.owner, Kind.CODE, digest)


def remove_factor(access: Access, whom: Whom, number: str, now: datetime) -> bool:
    """Remove a passkey or the app; recovery codes go with the last of them. False when there is none of that number."""
    with credentials.writing(access, whom, now) as door:
        gone = rows.remove(door.connection, door.owner, number)
        if not any(is_second(row.kind) for row in rows.of(door.connection, door.owner)):
            rows.remove_all(door.connection, door.owner, Kind.CODE)
        return gone is not None


def reset_factors(access: Access, whom: Whom, now: datetime) -> int:
    """Remove everything beside the password of somebody who lost it all, and end their sessions; return how many."""
    with credentials.writing(access, whom, now) as door:
        door.set(session_version=door.account().session_version + 1)
        rows.end_sign_ins(door.connection, door.owner, now)
        end_devices(door)
        return rows.remove_all(door.connection, door.owner)


def _add(door: Door, kind: Kind, secret: dict[str, str], counter: int, digest: str | None = None) -> None:
    number = secrets.token_hex(16)
    sealed = door.seal(number, json.dumps(secret).encode())
    row = FactorRow(number, kind.value, digest, sealed, counter, door.now, None)
    rows.add(door.connection, door.owner, row)


def _opened(door: Door, row: FactorRow) -> dict[str, str]:
    found: dict[str, str] = json.loads(door.open(row.id, row.sealed))
    return found


def _passkey(door: Door, row: FactorRow) -> Passkey:
    secret = _opened(door, row)
    return Passkey(
        row.id,
        base64.b64decode(secret["credential"]),
        base64.b64decode(secret["public_key"]),
        row.counter,
        secret["name"],
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _digest(credential: bytes) -> str:
    """What a passkey is found by; its id is random, so nobody can guess it from this."""
    return hashlib.sha256(credential).hexdigest()
