"""Settings, read once from an environment that is handed in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import platformdirs


class SettingsError(ValueError):
    """A setting has a value that cannot be used."""


@dataclass(frozen=True)
class Settings:
    """Where things are.

    Attributes
    ----------
    data_folder
        The user's data folder: default database, pulled networks, master key.
    database_url
        SQLAlchemy URL of the series (``sqlite:///...`` or ``postgresql://...``).
    stated_key_store
        Where the environment says that the wrapped keys lie; None: where they belong by themselves.
    master_key
        The key itself in base64, or empty: then `master_key_command` prints it, or `master_key_path` holds it.
    master_key_path
        File of mode 0600.
    master_key_command
        A command that prints the key, run without a shell; or empty.
    secure_cookies
        Whether session cookies are for TLS only.
    """

    data_folder: Path
    database_url: str
    master_key: str
    master_key_path: Path
    secure_cookies: bool = False
    stated_key_store: Path | None = None
    master_key_command: str = ""

    @property
    def key_store_path(self) -> Path:
        """SQLite file of the wrapped keys. It stands apart so that it can have a short backup cycle of its own."""
        return self.stated_key_store or _key_store(self.database_url, self.data_folder)

    def with_database(self, url: str) -> Settings:
        """The same settings for another database, with the key store that belongs to it unless one is stated."""
        return replace(self, database_url=url)


def load(environ: Mapping[str, str]) -> Settings:
    """Read settings from environment variables.

    Parameters
    ----------
    environ
        ``AFFECT_DATA_FOLDER``, ``AFFECT_DATABASE_URL``, ``AFFECT_KEY_STORE``, ``AFFECT_MASTER_KEY``,
        ``AFFECT_MASTER_KEY_COMMAND`` and ``AFFECT_MASTER_KEY_FILE`` are looked at; each has a default.

    Examples
    --------
    >>> s = load({"AFFECT_DATA_FOLDER": "/data"})
    >>> s.database_url, s.key_store_path.name
    ('sqlite:////data/affect.db', 'affect.keys.db')
    """
    folder = Path(environ.get("AFFECT_DATA_FOLDER") or platformdirs.user_data_path("affect-tracker"))
    url = environ.get("AFFECT_DATABASE_URL") or f"sqlite:///{folder / 'affect.db'}"
    key_store = environ.get("AFFECT_KEY_STORE")
    return Settings(
        data_folder=folder,
        database_url=url,
        stated_key_store=Path(key_store) if key_store else None,
        master_key=environ.get("AFFECT_MASTER_KEY", ""),
        master_key_path=Path(environ.get("AFFECT_MASTER_KEY_FILE") or folder / "master.key"),
        master_key_command=environ.get("AFFECT_MASTER_KEY_COMMAND", "").strip(),
    )


def _key_store(url: str, folder: Path) -> Path:
    parts = urlsplit(url)
    if parts.scheme.startswith("sqlite"):
        database = Path(url.split("///", 1)[-1])
        # Two databases in one folder must not share a key store, so only the common ending is dropped.
        stem = database.name.removesuffix(".db") if database.suffix == ".db" else f"{database.name}-"
        return database.with_name(f"{stem}.keys.db")
    # One key store per server database: its name must not hold the password.
    bare = urlunsplit((parts.scheme, f"{parts.hostname}:{parts.port}", parts.path, parts.query, ""))
    return folder / f"postgresql-{hashlib.sha256(bare.encode()).hexdigest()[:16]}.keys.db"
