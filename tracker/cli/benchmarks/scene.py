"""A database for measurements, with one person and as many observations as are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from tracker.access import Access
from tracker.cli.installation import initialise
from tracker.domain.affect import Distribution
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Estimate, Observation, Observed, Reason, TimeSource
from tracker.settings import Settings
from tracker.workflows import consenting, enrolment

NOW = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
NETWORK = "bench@000000000000"
_SCOPES = (Scope.AFFECT_SERIES, Scope.CONTEXT, Scope.EXPORT_PSEUDONYMOUS)


def settings_in(settings: Settings, folder: Path) -> Settings:
    """The same settings for an installation of a measurement's own, with its own key."""
    mine = replace(
        settings,
        stated_key_store=None,
        master_key="",
        master_key_command="",
        master_key_path=folder / "master.key",
    )
    return mine.with_database(f"sqlite:///{folder / 'bench.db'}")


def installed(settings: Settings, folder: Path) -> Access:
    """A fresh SQLite installation with nobody."""
    return initialise(settings_in(settings, folder))


def scene(settings: Settings, folder: Path) -> tuple[Access, Person]:
    """A fresh SQLite installation with one consenting person."""
    access = installed(settings, folder)
    person = enrolment.enrol(access, "bench", "Europe/Berlin", NOW).person
    start = NOW - timedelta(days=40)
    consenting.grant(access, person, _SCOPES, NOW, recorder=Recorder.PARTICIPANT, covers_from=start)
    return access, person


def observations(count: int, source: str, days: int = 30, seed: int = 1) -> Iterator[Observed]:
    """One observation every 5 s of daytime, `count` in all over the days before `NOW`."""
    rng = np.random.default_rng(seed)
    a_day = -(-count // days)
    made = 0
    for day in range(days, 0, -1):
        morning = (NOW - timedelta(days=day)).replace(hour=6)
        shares = rng.dirichlet(np.ones(8), a_day)
        for i in range(min(a_day, count - made)):
            at = morning + timedelta(seconds=5 * i)
            pts_us = (at - (NOW - timedelta(days=days + 1))) // timedelta(microseconds=1)
            gap = i % 37 == 0
            yield Observed(
                Observation(
                    source,
                    pts_us,
                    at,
                    TimeSource.STATED,
                    Reason.NO_FACE if gap else None,
                    0 if gap else 1,
                    None if gap else (100.0, 80.0, 120.0, 150.0),
                    None if gap else "yunet",
                    None if gap else 0.93,
                    None if gap else 0.4,
                    None if gap else True,
                ),
                () if gap else (Estimate(NETWORK, Distribution.from_sequence(shares[i])),),
            )
            made += 1
