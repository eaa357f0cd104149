"""How a study goes, for researchers: of those who share with them, and of everybody in noisy sums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tracker.client.calling import Caller
from tracker.client.results import demanded

DAYS = 14


@dataclass(frozen=True, slots=True)
class Sharing:
    """Somebody who shares with researchers, and since when; a simulated person does not exist."""

    id: str
    name: str
    simulated: bool
    since: datetime
    prompts: bool


class Monitor:
    """How the study goes; whoever is looked at reads that one looked. Figures come as JSON, tables as CSV too."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def people(self) -> list[Sharing]:
        """Those who share with researchers; nothing of anybody is looked at."""
        return [
            Sharing(one["id"], one["name"], one["simulated"], demanded(one["since"]), one["prompts"])
            for one in self._caller.pages("/monitor/people", {})
        ]

    def person(self, who: str, days: int = DAYS) -> dict[str, Any]:
        """How the study goes with one of them; one look, which they read."""
        return self._caller.get(f"/monitor/people/{who}", {"days": days})

    def prompts(self, days: int = DAYS) -> list[dict[str, Any]]:
        """How many prompts are answered, by person and day; each of them reads that one looked."""
        return self._items("/monitor/prompts", days)

    def raters(self) -> list[dict[str, Any]]:
        """How raters agree, of those who let it be computed."""
        return self._items("/monitor/raters")

    def everybody(self) -> list[dict[str, Any]]:
        """What was told about everybody together, with noise."""
        return self._items("/monitor/everybody")

    def jobs(self) -> list[dict[str, Any]]:
        """What ran by itself, and how it ended."""
        return self._items("/monitor/jobs")

    def table(self, name: str, who: str | None = None, days: int = DAYS) -> str:
        """A table as CSV.

        Parameters
        ----------
        name
            ``prompts``, ``raters``, ``confusion``, ``everybody`` or ``jobs``; of one person ``days``, ``learners`` or
            ``reliability``.
        who
            Of whom, where it is of one person: one look, which they read.
        days
            Of how many of the last days.
        """
        of = "" if who is None else f"/people/{who}"
        path = f"/monitor{of}/tables/{name}"
        return self._caller.ask("GET", path, query={"days": days}).data.decode()

    def _items(self, path: str, days: int | None = None) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._caller.get(path, {"days": days})["items"]
        return items
