"""``doctor``: what is installed, which device and database, what is missing and how to get it."""

from __future__ import annotations

import platform
import shutil
from importlib import metadata
from typing import Any

import typer
from rich.table import Table

from tracker import shipped
from tracker.cli.installation import UNUSABLE, opened, settings_of
from tracker.cli.output import AsJson, out, print_json
from tracker.settings import Settings

_PACKAGES = (
    "torch",
    "opencv-python-headless",
    "river",
    "sqlalchemy",
    "flask",
    "apscheduler",
    "numpy",
    "bokeh",
)


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Report the state of this installation; exit 6 or 7 when something needed is missing."""
    settings = settings_of(context)
    checks = [*_software(), *_networks(settings), _database(settings), _disk(settings)]
    worst = max((c["exit"] for c in checks), default=0)
    if as_json:
        print_json(
            {"ok": worst == 0, "checks": [{k: c[k] for k in ("what", "ok", "found", "do")} for c in checks]}
        )
    else:
        table = Table("", "what", "found", "what to do")
        for column in table.columns:
            column.overflow = "fold"
        for c in checks:
            table.add_row("ok" if c["ok"] else "--", c["what"], c["found"], c["do"])
        out().print(table)
    if worst:
        raise typer.Exit(worst)


def _check(what: str, found: str, *, ok: bool = True, do: str = "", code: int = 0) -> dict[str, Any]:
    return {"what": what, "found": found, "ok": ok, "do": do, "exit": 0 if ok else code}


def _software() -> list[dict[str, Any]]:
    from tracker.fer.device import available_devices  # noqa: PLC0415 - loads torch

    checks = [_check("python", platform.python_version())]
    checks += [_check(name, metadata.version(name)) for name in _PACKAGES]
    devices = available_devices()
    hint = "" if len(devices) > 1 else "the CPU is enough; a CUDA build of torch uses a GPU"
    checks.append(_check("devices", ", ".join(devices), do=hint))
    return checks


def _networks(settings: Settings) -> list[dict[str, Any]]:
    from tracker.fer.zoo import Zoo  # noqa: PLC0415 - loads torch

    checks = []
    zoo = Zoo(shipped.models(), settings.data_folder / "networks")
    for found in zoo.verify():
        entry = zoo.entry(found.name)
        needed = found.state == "wrong" or (found.state == "absent" and not entry.url)
        if found.state == "absent" and entry.kind == "network" and not needed:
            continue  # one of those that can be pulled: nothing is missing
        do = "" if found.state == "ok" else f"affect-tracker networks pull {found.name}"
        if found.state == "absent" and entry.kind == "detector":
            do += " (until then the Haar cascade finds faces)"
        elif needed:
            do = zoo.explain(found)
        checks.append(_check(f"{entry.kind} {found.name}", found.state, ok=not needed, do=do, code=7))
    return checks


def _database(settings: Settings) -> dict[str, Any]:
    try:
        access = opened(settings)
        people = len(access.everyone())
    except UNUSABLE as error:
        return _check("database", "not usable", ok=False, do=str(error), code=6)
    return _check("database", f"{access.database.describe()}, {people} participants")


def _disk(settings: Settings) -> dict[str, Any]:
    folder = settings.data_folder
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    return _check(
        "free disk", f"{free:.0f} GB at {folder}", ok=free > 1, do="" if free > 1 else "free some space"
    )
