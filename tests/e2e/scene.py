"""A site in which every page has something to show: for looking at all of them, and for axe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tests import builders, drawn
from tests.e2e.sessions import let_in, with_second_factor
from tests.e2e.site import Served, Visit, served
from tracker.cli.living import live
from tracker.domain.affect import Emotion
from tracker.domain.consent import Scope
from tracker.domain.members import Role
from tracker.domain.series import Prompt
from tracker.workflows import accounts, members, prompts, rating, studies

PASSWORD = "correct horse battery"
DAY = "2026-03-19"
SHOWS = (Scope.AFFECT_SERIES, Scope.FACE_CROPS, Scope.SHARE_WITH_RATERS)

PARTICIPANT = (
    "answer",
    "answer/shell",
    f"timeline/day/{DAY}",
    f"timeline/week/{DAY}",
    f"timeline/month/{DAY}",
    "timeline/day/2026-01-01",
    "capture",
    "learned",
    "stretch",
    "consent",
    "my-data",
    "account",
    "account/app",
    "password",
    "notice",
    "privacy",
    "withdraw",
    "nowhere",
)
RATER = ("rate", "rate/keys", "rate/me", "rate/notice", "rate/series", "account", "privacy")
RESEARCHER = ("rate/adjudicate", "account")
NOBODY = ("login", "withdraw", "privacy", "nowhere")


@contextmanager
def scene(folder: Path, days: int = 12) -> Iterator[Served]:
    """Serve: Sim, who lived for some days and has a question waiting; Ada and Bob, whose faces are rated by Kim and Lea
    and decided by Judge; New, who chose nothing yet; Ben, who has a password alone."""
    access = builders.installation(f"sqlite:///{folder / 'affect.sqlite3'}", folder)
    study = studies.in_force(access)
    rules = study.rating.model_copy(update={"second_share": 1.0})
    studies.apply(access, study.model_copy(update={"rating": rules}), "ops", builders.NOW)
    end = builders.NOW - timedelta(hours=13)
    sim = live(access, "sim", "Europe/Berlin", end, days, seed=7)
    at = builders.NOW - timedelta(minutes=5)
    ends = builders.NOW + timedelta(minutes=50)
    prompts.record(
        access, sim, Prompt("by-hand", at, at, None, None, "notified", expires_at=ends), builders.NOW
    )
    people = [builders.person(access, name, SHOWS) for name in ("ada", "bob")]
    drawn.keep(access, people[0], 9, builders.NOW, apart=timedelta(minutes=3))
    drawn.keep(access, people[1], 10, builders.NOW, apart=timedelta(milliseconds=400))
    builders.person(access, "new", ())
    ben = builders.person(access, "ben")
    accounts.choose_password(access, ben, PASSWORD, builders.NOW)
    minutes = [builders.NOW - timedelta(minutes=m) for m in range(60)]
    builders.store(access, ben, [builders.observed(at, Emotion.SADNESS) for at in minutes])
    staff = {
        name: builders.member(access, name, role)
        for name, role in (("kim", Role.RATER), ("lea", Role.RATER), ("judge", Role.RESEARCHER))
    }
    for name in ("kim", "lea"):
        rating.agree(access, staff[name], rating.notice(access).sha256, builders.NOW)
    with served(folder, access, [sim]) as running:
        with_second_factor(running, staff["judge"])
        yield running
    access.database.close()
    access.keys.close()


def enter(site: Served, visit: Visit, name: str) -> None:
    """Let a browser in as one of the scene's people, or as nobody."""
    if name:
        staff = {member.name: member for member in members.everyone(site.access)}
        let_in(site, visit, staff.get(name) or site.access.person(name))
