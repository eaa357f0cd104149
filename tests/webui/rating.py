"""A rater at the desk, in tests: members with a session, and people whose drawn faces they may see."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

from tests import builders, drawn
from tests.webui.site import Site, Visitor
from tracker.domain.consent import Scope
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.study import Study
from tracker.workflows import accounts, rating, studies

SHOWS = (Scope.AFFECT_SERIES, Scope.FACE_CROPS, Scope.SHARE_WITH_RATERS)


def shown_person(
    site: Site, name: str = "ada", faces: int = 4, apart: timedelta = timedelta(minutes=10)
) -> Person:
    """A participant whose drawn faces raters may see."""
    who = site.person(name, SHOWS)
    drawn.keep(site.access, who, faces, site.now, apart=apart)
    return who


def member(site: Site, name: str = "kim", *roles: Role, agreed: bool = True) -> Member:
    """A member, who read the notice if they rate."""
    made = builders.member(site.access, name, *(roles or (Role.RATER,)), now=site.now)
    if agreed and Role.RATER in (roles or (Role.RATER,)):
        rating.agree(site.access, made, rating.notice(site.access).sha256, site.now)
    return made


def at_desk(site: Site, who: Member) -> Visitor:
    """A visitor with a member's session; researchers have an app to log in with, as they have to."""
    if who.has(Role.RESEARCHER, studies.in_force(site.access).id):
        accounts.add_app(site.access, who, secrets.token_hex(16), 0, site.now)
    visitor = site.visitor()
    version, _ = accounts.standing(site.access, who, site.now)
    since = site.now.timestamp()
    with visitor.client.session_transaction() as session:
        session.update(_user_id=f"m.{who.id}.{version}", _fresh=True, since=since, fresh=since)
    visitor.get("/account")
    return visitor


def item_of(page: str) -> str:
    """Which item a page shows."""
    found = re.search(r'data-item="([0-9a-zA-Z_-]+)"', page)
    assert found, page
    return found[1]


def key() -> str:
    """A key for one decision."""
    return secrets.token_urlsafe(16)


def rating_study(site: Site, **rules: object) -> Study:
    """The study in force with other rules of rating."""
    now = studies.in_force(site.access)
    return now.model_copy(update={"rating": now.rating.model_copy(update=rules)})
