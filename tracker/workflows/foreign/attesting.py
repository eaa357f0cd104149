"""Who says that people allowed an import, and by which document: kept sealed with each of them."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tracker.access import Access, Unit
from tracker.domain.consent import Scope
from tracker.privacy.keys import IDENTITY
from tracker.store import former
from tracker.workflows.foreign.errors import AskedError

TABLE = "attestation"
"""How such a record is called among the former records of a person."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """An attestation.

    Attributes
    ----------
    by
        Who imports, and says so.
    document, document_sha256
        The document in which participants allowed it: how its file is called, and its hash.
    covers_from
        From when on it allows (UTC); nothing earlier is stored.
    scopes
        What it allows.
    file, sha256, mapping_sha256
        What was imported by which mapping.
    """

    by: str
    document: str
    document_sha256: str
    covers_from: datetime
    scopes: tuple[Scope, ...]
    file: str
    sha256: str
    mapping_sha256: str

    @property
    def evidence(self) -> str:
        """What the consent log says of it.

        Examples
        --------
        >>> from datetime import UTC
        >>> start = datetime(2026, 1, 1, tzinfo=UTC)
        >>> said = Attestation("Dr. K", "form.pdf", "ab", start, (Scope.CONTEXT,), "esm.csv", "cd", "ef")
        >>> said.evidence
        'Dr. K attests form.pdf (SHA-256 ab), for the import of esm.csv (SHA-256 cd)'
        """
        return (
            f"{self.by} attests {self.document} (SHA-256 {self.document_sha256}), for the import of {self.file} "
            f"(SHA-256 {self.sha256})"
        )

    def record(self) -> dict[str, Any]:
        """As it is kept."""
        said = asdict(self) | {
            "covers_from": self.covers_from.isoformat(),
            "scopes": [s.value for s in self.scopes],
        }
        return {"installation": None, "table": TABLE, "position": 0, "row": said}


def hash_of(path: Path) -> str:
    """The SHA-256 of a file.

    Raises
    ------
    AskedError
        When it cannot be read, or is empty.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            empty = not file.tell()
    except OSError as error:
        raise AskedError(f"{path} cannot be read: {error.strerror}") from None
    if empty:
        raise AskedError(f"{path} is empty; give the document in which participants allowed the import")
    return found


def keep(access: Access, unit: Unit, attestation: Attestation) -> None:
    """Keep an attestation with the person of a writing unit, once for a file."""
    if is_kept(access, unit, attestation.sha256):
        return
    name = secrets.token_hex(16)
    plain = json.dumps(attestation.record(), sort_keys=True, ensure_ascii=False).encode()
    sealed = access.vault.seal(unit.person.id, IDENTITY, plain, former.place(name))
    former.add(unit.connection, unit.person.id, [(name, sealed)], unit.now)


def is_kept(access: Access, unit: Unit, sha256: str) -> bool:
    """Whether an import of a file was attested for the person of a unit: so they are who the file means."""
    return any(
        record.get("table") == TABLE and record["row"].get("sha256") == sha256
        for record in _records(access, unit)
    )


def _records(access: Access, unit: Unit) -> list[dict[str, Any]]:
    rows = former.of(unit.connection, unit.person.id)
    if not rows:
        return []
    opener = access.vault.opener(unit.person.id, IDENTITY)
    return [json.loads(opener(sealed, former.place(name))) for name, sealed in rows]
