"""A site in which every page has something to show: for the screenshots, and for looking at all of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tests import builders, drawn
from tests.e2e.sessions import let_in, with_second_factor
from tests.e2e.site import Served, Visit, served
from tracker.access import Access
from tracker.cli.living import live
from tracker.domain.affect import EMOTIONS, Distribution, Emotion
from tracker.domain.consent import Scope
from tracker.domain.members import Member, Role
from tracker.domain.rating import Ballot, Verdict
from tracker.domain.series import Prompt
from tracker.workflows import members, prompts, rating, studies

DAY = "2026-03-19"
SHOWS = (Scope.AFFECT_SERIES, Scope.FACE_CROPS, Scope.SHARE_WITH_RATERS)


@contextmanager
def scene(folder: Path, days: int = 12) -> Iterator[Served]:
    """Serve a site of many.

    Sim lived for some days and has a question waiting; faces of Ada and Bob are rated in part by Kim and Lea, and Judge
    decides where they differ; Ben captures; New chose nothing yet.
    """
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
    builders.person(access, "ben", [Scope.AFFECT_SERIES, Scope.CONTEXT])
    staff = {
        name: builders.member(access, name, role)
        for name, role in (("kim", Role.RATER), ("lea", Role.RATER), ("judge", Role.RESEARCHER))
    }
    for name in ("kim", "lea"):
        rating.agree(access, staff[name], rating.notice(access).sha256, builders.NOW)
        for n in range(14):
            _vote(access, staff[name], EMOTIONS[n % (7 if name == "kim" else 5)], n)
    with served(folder, access, [sim]) as running:
        with_second_factor(running, staff["judge"])
        yield running
    access.database.close()
    access.keys.close()


def _vote(access: Access, who: Member, said: Emotion, n: int) -> None:
    items = rating.next_items(access, who, builders.NOW, 1, chance=random.Random(n))
    if items:
        words = Distribution.said(said)
        ballot = Ballot(Verdict.EMOTION, f"{who.name}-vote-{n:02}", builders.NOW, 900, distribution=words)
        rating.vote(access, who, items[0].id, ballot, builders.NOW)


def enter(site: Served, visit: Visit, name: str) -> None:
    """Let a browser in as one of the scene's people, or as nobody."""
    if name:
        staff = {member.name: member for member in members.everyone(site.access)}
        let_in(site, visit, staff.get(name) or site.access.person(name))
