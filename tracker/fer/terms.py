"""Terms: what one may do with a file, accepted before it is brought here, and when."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path

from tracker.fer.fetch import FULL, ZooFullError
from tracker.fer.locking import only_one
from tracker.fer.manifest import Entry, ZooError


class TermsError(ZooError):
    """Licence and terms of a file were not accepted, so nothing was fetched."""


def terms_hash(entry: Entry) -> str:
    """SHA-256 of licence and terms as they are shown; other words need a new answer.

    Examples
    --------
    >>> from tracker.fer.manifest import Entry
    >>> e = Entry("a", "detector", "a.onnx", "0" * 64, 1, "MIT", "Free to use.")
    >>> terms_hash(e)[:8]
    'f363d70f'
    """
    return hashlib.sha256(f"{entry.licence}\n{entry.terms}".encode()).hexdigest()


class Acceptances:
    """Which terms were accepted on this machine, and when; kept as JSON beside the files they are about.

    Parameters
    ----------
    path
        The file; made at the first answer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, entry: Entry) -> datetime | None:
        """Return when the terms that an entry has today were accepted; None when they were not."""
        stated = terms_hash(entry)
        for row in self._read().get(entry.name, []):
            if row["terms_sha256"] == stated:
                return datetime.fromisoformat(row["accepted_at"])
        return None

    def record(self, entry: Entry, now: datetime) -> None:
        """Note that an entry's terms were accepted, with their words; what was noted before stays.

        Raises
        ------
        ZooError
            When the folder cannot be written; `tracker.fer.fetch.ZooFullError` when the disk is full.
        """
        if self.of(entry) is not None:
            return
        try:
            self._note(entry, now)
        except OSError as error:
            kind = ZooFullError if error.errno in FULL else ZooError
            raise kind(f"that you accept could not be noted in {self.path}: {error}") from error

    def _note(self, entry: Entry, now: datetime) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with only_one(self.path.with_name(self.path.name + ".lock")):
            rows = self._read()
            rows.setdefault(entry.name, []).append(
                {
                    "terms_sha256": terms_hash(entry),
                    "accepted_at": now.isoformat(),
                    "licence": entry.licence,
                    "terms": entry.terms,
                }
            )
            partial = self.path.with_name(self.path.name + ".partial")
            partial.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            partial.replace(self.path)

    def _read(self) -> dict[str, list[dict[str, str]]]:
        try:
            rows = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ZooError(f"{self.path} cannot be read: {error}; delete it to be asked again") from error
        if not _is_right(rows):
            raise ZooError(f"{self.path} is no record of accepted terms; delete it to be asked again")
        return rows  # type: ignore[no-any-return]


def _is_right(rows: object) -> bool:
    if not isinstance(rows, dict) or not all(isinstance(of, list) for of in rows.values()):
        return False
    for row in (row for of in rows.values() for row in of):
        if not isinstance(row, dict) or not {"terms_sha256", "accepted_at"} <= set(row):
            return False
        try:
            datetime.fromisoformat(row["accepted_at"])
        except (TypeError, ValueError):
            return False
    return True
