"""Every page is for whom it is: another's objects are as if they were not, whoever asks, at every endpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests import drawn
from tests.builders import NOW
from tests.invariants.conftest import Tell
from tests.lives import FACE, NOTE, PLACE, lived
from tests.webui import rating as desk
from tests.webui import walking
from tests.webui.api.programs import AT, Program, token
from tests.webui.site import Site, Visitor
from tests.webui.walking import Somebody
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.stretches import Stretch
from tracker.store import factors, tables
from tracker.workflows import accounts, consenting, hiding, members, rating
from webui import roles
from webui.roles import Objects

KEPT_TO_THEMSELVES = (Scope.SHARE_WITH_RATERS, Scope.SHARE_WITH_RESEARCHERS)


NAMES = {"rater": "kim", "researcher": "rob", "operator": "olga", "everything": "eve", "elsewhere": "fay"}

DECIDING = {Role.RESEARCHER}
DECIDE = {"researcher", "everything"}
"""Who decides between raters: any item of the study that its person shares is theirs to look at."""


@dataclass(frozen=True)
class World:
    """Somebody with something in every table who shares nothing with raters; and everybody who might ask."""

    site: Site
    ada: Person
    canaries: tuple[bytes, ...]
    blanks: tuple[dict[str, object], ...]
    visitors: dict[str, Callable[[], Visitor]]


@pytest.fixture
def world(site: Site) -> World:
    ada = lived(site.access, "canary-other")
    consenting.withdraw(site.access, ada, KEPT_TO_THEMSELVES, NOW, recorder=Recorder.PARTICIPANT)
    accounts.add_app(site.access, ada, "canary-app-secret", 0, NOW)
    site.person("bob")
    staff = {
        "rater": walking.member(site.access, "kim", Role.RATER),
        "researcher": walking.member(site.access, "rob", Role.RESEARCHER),
        "operator": walking.member(site.access, "olga", Role.OPERATOR),
        "everything": walking.member(site.access, "eve", Role.RATER, Role.RESEARCHER, Role.OPERATOR),
        "elsewhere": walking.member(site.access, "fay", *sorted(walking.STAFF), study="another"),
    }
    for who in (staff["rater"], staff["everything"]):
        rating.agree(site.access, who, rating.notice(site.access).sha256, site.now)

    def at(who: Member) -> Callable[[], Visitor]:
        return lambda: walking.with_session(site, who)

    visitors: dict[str, Callable[[], Visitor]] = {name: at(who) for name, who in staff.items()}
    visitors |= {"nobody": site.visitor, "another participant": lambda: site.logged_in("bob")}
    with site.access.database.read() as connection:
        seen = connection.execute(text("SELECT id FROM observations")).scalars().all()
        cropped = connection.execute(text("SELECT observation FROM crops")).scalars().all()
        asked = connection.execute(text("SELECT id FROM prompts")).scalars().all()
        mine = factors.of(connection, factors.Owner(ada.id, None))
    assert cropped
    assert asked
    at_moment = int((NOW - timedelta(minutes=40)).timestamp())
    blanks = (
        {"observation": cropped[0], "prompt": asked[0], "at": at_moment},
        {"observation": seen[0], "prompt": asked[-1], "at": at_moment},
    )
    secret = (ada.id, ada.subject, ada.name, PLACE, NOTE, "canary-app-secret", *(row.id for row in mine))
    return World(site, ada, (*(c.encode() for c in secret), FACE), blanks, visitors)


def test_every_endpoint_asked_by_everybody_for_anothers_objects_gives_nothing(
    world: World, figure: Tell
) -> None:
    asked = 0
    for name, visitor in world.visitors.items():
        somebody, before = Somebody(visitor), set[str]()
        for blanks in world.blanks:
            for door in walking.doors(world.site, **blanks):
                if f"{door.verb} {door.path}" in before:
                    continue
                before.add(f"{door.verb} {door.path}")
                answer = somebody.asks(door)
                told = [c for c in world.canaries if c in answer.data or c.decode() in str(answer.headers)]
                assert not told, (name, door, told)
                asked += 1
    figure(f"{asked} requests as {len(world.visitors)} others at {len(roles.RULES)} endpoints")


def test_another_persons_object_and_none_get_the_same_answer(world: World, figure: Tell) -> None:
    """Nothing tells whether it exists: neither the status nor the page."""
    asked = 0
    for name, visitor in world.visitors.items():
        somebody = Somebody(visitor)
        for number in ("observation", "prompt"):
            theirs = list(walking.doors(world.site, **world.blanks[0]))
            nobodys = list(walking.doors(world.site, **(world.blanks[0] | {number: 10**9})))
            for door, other in zip(theirs, nobodys, strict=True):
                if door.path == other.path:
                    continue
                answers = [somebody.asks(d) for d in (door, other)]
                pages = [_bare(a.data, d.path) for a, d in zip(answers, (door, other), strict=True)]
                assert answers[0].status_code == answers[1].status_code, (name, door)
                assert pages[0] == pages[1], (name, door)
                asked += 1
    assert asked >= 2 * len(world.visitors)
    figure(f"{asked} objects of another are as those that never were")


def test_every_endpoint_for_programs_asked_with_tokens_of_others_gives_nothing(
    world: World, figure: Tell
) -> None:
    """A token of everybody's, for all that it may be for; what is another's and what never was are told the same."""
    site = world.site
    stretch = Stretch(NOW - timedelta(hours=2), NOW - timedelta(hours=1))
    theirs = hiding.hide(site.access, world.ada, stretch, site.now).number
    asked, gone = 0, 0
    for name in sorted(world.visitors.keys() - {"nobody"}):
        whom = members.find(site.access, NAMES[name]) if name in NAMES else site.access.person("bob")
        where = "another" if name == "elsewhere" else walking.in_force(site.access)
        asking = Program(site, token(site, whom, study=where).text)
        hers = world.blanks[0] | {"who": world.ada.id, "number": theirs}
        nobodys = hers | {"observation": 10**9, "prompt": 10**9, "who": "f" * 32, "number": 10**9}
        for door, other in zip(walking.doors(site, **hers), walking.doors(site, **nobodys), strict=True):
            if not door.path.startswith(AT):
                continue
            site.wait(timedelta(seconds=1))
            answer = asking.ask(door.verb, door.path.removeprefix(AT))
            told = [c for c in world.canaries if c in answer.data or c.decode() in str(answer.headers)]
            assert not told, (name, door, told)
            asked += 1
            if door.path != other.path:
                same = asking.ask(other.verb, other.path.removeprefix(AT))
                assert (answer.status_code, answer.data) == (same.status_code, same.data), (name, door)
                gone += answer.status_code == 404
    assert gone > 5
    with site.access.read(world.ada.id, site.now) as unit:
        assert theirs in {row.id for row in hiding.hidden(unit)}, "nobody else shows it"
    figure(f"{asked} requests of programs, {gone} for what is another's")


def test_a_rater_gets_no_item_of_anothers_desk(world: World, figure: Tell) -> None:
    """An item is kept for one rater: for another it is as one that never was."""
    site = world.site
    shown = site.person("cleo", (Scope.AFFECT_SERIES, Scope.FACE_CROPS, Scope.SHARE_WITH_RATERS))
    drawn.keep(site.access, shown, 3, site.now, apart=timedelta(minutes=10))
    faces = {hashlib.sha256(p).digest() for p in _pictures(site, shown)}
    kim = world.visitors["rater"]()
    item = desk.item_of(kim.get("/rate").text)
    assert hashlib.sha256(kim.get(f"/rate/picture/{item}").data).digest() in faces
    asked = 0
    for name, visitor in world.visitors.items():
        if name == "rater":
            continue
        somebody = Somebody(visitor)
        theirs = list(walking.doors(site, item=item))
        nobodys = list(walking.doors(site, item="f" * len(item)))
        for door, other in zip(theirs, nobodys, strict=True):
            if door.path == other.path or (name in DECIDE and roles.rule(door.endpoint).roles == DECIDING):
                continue
            answer, same = (somebody.asks(d) for d in (door, other))
            assert answer.status_code == same.status_code, (name, door)
            assert hashlib.sha256(answer.data).digest() not in faces, (name, door)
            asked += 1
        for body in ({"item": item, "answer": "fear", "key": desk.key()}, {"item": item, "key": desk.key()}):
            for path in ("/rate/vote", "/rate/undo"):
                status = visitor().json(path, body).status_code
                assert status in (400, 401, 403, 404, 409, 410), (name, path, status)
                asked += 1
    with site.access.database.read() as connection:
        votes = tables.metadata.tables["rating_votes"]
        assert connection.execute(votes.select().where(votes.c.task == item)).all() == []
    figure(f"{asked} requests for an item of another's desk")


def test_the_table_says_of_every_endpoint_whose_objects_it_shows() -> None:
    """A participant's page is of their own; none but a rater's or a researcher's is of the study."""
    for endpoint, rule in roles.RULES.items():
        if rule.objects is Objects.STUDY:
            assert rule.roles <= {Role.RATER, Role.RESEARCHER}, endpoint
        if rule.roles == {Role.PARTICIPANT}:
            assert rule.objects is Objects.OWN, endpoint
        if rule.anybody and not rule.looked_up:
            assert rule.objects is Objects.NOBODYS, endpoint


def test_a_role_that_was_taken_opens_nothing_from_the_next_request_on(world: World) -> None:
    site = world.site
    visitor = world.visitors["rater"]()
    assert visitor.get("/rate/me").status_code == 200
    kim = members.find(site.access, "kim")
    members.revoke_role(site.access, kim, Role.RATER, walking.in_force(site.access), site.now)
    rated = [d for d in walking.doors(site) if d.endpoint.startswith("rate.")]
    assert rated
    for door in rated:
        assert walking.knock(visitor, door).status_code == 403, door


def _pictures(site: Site, who: Person) -> list[bytes]:
    """The pictures of somebody, opened."""
    crops = tables.crops
    with site.access.database.read() as connection:
        rows = connection.execute(crops.select().where(crops.c.subject == who.subject)).all()
    place = "crops.sealed|{}"
    return [
        site.access.vault.open(who.id, Scope.FACE_CROPS.value, r.sealed, place.format(r.id)) for r in rows
    ]


def _bare(page: bytes, path: str) -> bytes:
    """A page without what differs between two visits: its address, and the token of its session."""
    bare = page.replace(path.encode(), b"")
    return b"".join(part for part in bare.split(b'"') if len(part) != 64)
