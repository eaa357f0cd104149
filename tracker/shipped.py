"""Where the files that ship with the code lie: the networks and the migrations.

A checkout keeps them in folders of its own beside the packages, where people look for them; a wheel
carries the same folders inside ``tracker``. Nobody else needs to know which of the two runs.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def models(package: Path = PACKAGE) -> Path:
    """Return the folder of the shipped networks: ``manifest.toml`` and a folder for each.

    Parameters
    ----------
    package
        The installed ``tracker`` package to look in or beside; another one only in tests.

    Raises
    ------
    FileNotFoundError
        The installation is incomplete.

    Examples
    --------
    >>> models().name
    'models'
    """
    return _folder("models", package)


def migrations(package: Path = PACKAGE) -> Path:
    """Return Alembic's script folder, which creates and upgrades every database.

    Parameters
    ----------
    package
        The installed ``tracker`` package to look in or beside; another one only in tests.

    Raises
    ------
    FileNotFoundError
        The installation is incomplete.

    Examples
    --------
    >>> migrations().name
    'migrations'
    """
    return _folder("migrations", package)


def _folder(name: str, package: Path) -> Path:
    inside, beside = package / "_shipped" / name, package.parent / name
    for folder in (inside, beside):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"the {name} folder is neither at {inside} nor at {beside}: "
        "the installation is incomplete; install affect-tracker again"
    )
