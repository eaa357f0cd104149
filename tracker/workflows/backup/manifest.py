"""What stands beside a backup: what it holds and when it was made, signed, so that no other file passes for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tracker.privacy import signed
from tracker.privacy.keys import Vault
from tracker.privacy.signed import ForgedError, Signer
from tracker.workflows.backup.errors import BackupError

FORMAT = "affect-tracker backup 1"
_CHUNK = 1 << 20
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup's description.

    Attributes
    ----------
    made_at
        The instant of its snapshot, or a moment before (UTC).
    database
        What it is of: ``sqlite`` or ``postgresql``.
    schema
        The revision of its tables.
    installation
        The number that its database shares with its key store.
    sha256, size
        Of the file; bytes.
    rows
        By table.
    head
        Position and hash of the last row of the consent log in it; (0, "") where that is empty.
    """

    made_at: datetime
    database: str
    schema: str
    installation: str
    sha256: str
    size: int
    rows: Mapping[str, int]
    head: tuple[int, str]

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "format": FORMAT,
            "made_at": self.made_at.isoformat(),
            "database": self.database,
            "schema": self.schema,
            "installation": self.installation,
            "sha256": self.sha256,
            "bytes": self.size,
            "rows": dict(self.rows),
            "consent_log": {"rows": self.head[0], "hash": self.head[1]},
        }


def beside(backup: Path) -> Path:
    """Where a backup's manifest lies.

    Examples
    --------
    >>> beside(Path("monday.db")).name
    'monday.db.json'
    """
    return backup.with_name(f"{backup.name}.json")


def written(manifest: Manifest, vault: Vault) -> str:
    """The manifest as a file, signed with the installation's key."""
    return signed.written(signed.signed(manifest.as_dict(), Signer(vault.public_key(), vault.sign)))


def read(backup: Path, vault: Vault) -> Manifest:
    """The manifest of a backup of this installation.

    Raises
    ------
    BackupError
        When it is missing, damaged, or another installation's.
    """
    path = beside(backup)
    if not backup.is_file():
        raise BackupError(backup, "there is no such backup; give the file that `backup` wrote")
    try:
        text = path.read_bytes()[:_LARGEST].decode()
        document = signed.read(text)
        signed.require_signature(document, signed.fingerprint(vault.public_key()))
        if document["format"] != FORMAT:
            raise BackupError(
                path, f"it is {document['format']!r}, which this program does not know; update it"
            )
        log = document["consent_log"]
        return Manifest(
            datetime.fromisoformat(document["made_at"]),
            document["database"],
            document["schema"],
            document["installation"],
            document["sha256"],
            document["bytes"],
            document["rows"],
            (log["rows"], log["hash"]),
        )
    except FileNotFoundError:
        raise BackupError(
            backup, f"its manifest {path.name} is missing, so it cannot be checked; keep both together"
        ) from None
    except ForgedError as error:
        raise BackupError(
            path,
            f"{error}. It must be signed by the key store that this database had when the backup was made",
        ) from None
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise BackupError(path, f"it cannot be read: {error}") from None


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file."""
    hashed, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hashed.update(chunk)
            size += len(chunk)
    return hashed.hexdigest(), size
