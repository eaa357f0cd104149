"""Adjudication over HTTP: votes side by side, a decision as a row of its own, by somebody who did not vote."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests.webui.rating import at_desk, item_of, key, member, rating_study, shown_person
from tests.webui.site import Site, Visitor
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Role
from tracker.domain.people import Person
from tracker.store import tables
from tracker.workflows import consenting, members, studies


def vote(visitor: Visitor, answer: str, **more: str) -> None:
    item = item_of(visitor.get("/rate").text)
    fields = {"item": item, "answer": answer, "key": key()} | more
    assert visitor.post("/rate/vote", fields).status_code == 303


@pytest.fixture
def disputed(site: Site) -> Person:
    """One face of which kim says anger and lea says fear, with some surprise."""
    studies.apply(site.access, rating_study(site, second_share=1.0), "ops", site.now)
    who = shown_person(site, faces=1)
    vote(at_desk(site, member(site, "rater-kim")), "anger")
    lea = at_desk(site, member(site, "rater-lea", Role.RATER, Role.RESEARCHER))
    vote(lea, "fear", second="surprise")
    return who


def known(site: Site, name: str) -> Visitor:
    return at_desk(site, members.find(site.access, name))


def only(visitor: Visitor) -> str:
    found = re.findall(r'href="(/rate/adjudicate/\w+)"', visitor.get("/rate/adjudicate").text)
    assert len(found) == 1
    return str(found[0])


def test_a_researcher_decides_beside_the_votes(site: Site, disputed: Person) -> None:
    judge = member(site, "judge", Role.RESEARCHER)
    visitor = at_desk(site, judge)
    path = only(visitor)
    page = visitor.get(path).text
    assert "Rater A" in page
    assert "Rater B" in page
    assert "fear and some surprise" in page
    for name in ("kim", "rater-lea", disputed.id, disputed.subject):
        assert name not in page.split("<footer")[0]
    assert site.now.strftime("%Y-%m") not in page.split("<main")[1].split("</main")[0], "nor when it was"
    assert (
        site.now.strftime("%Y-%m")
        not in visitor.get("/rate/adjudicate").text.split("<main")[1].split("</main")[0]
    )
    assert f'data-open="{path}/open"' in page
    assert visitor.client.get(f"{path}/open", json={}).json == {"open": True}
    picture = visitor.get(f"{path}/picture")
    assert picture.mimetype == "image/png"
    assert "no-store" in picture.headers["Cache-Control"]
    once = key()
    for _ in range(2):
        done = visitor.post(path, {"answer": "sadness", "key": once})
        assert done.location == "/rate/adjudicate"
    assert "Nothing to decide" in visitor.get("/rate/adjudicate").text
    with site.access.database.read() as connection:
        decided = connection.execute(
            select(tables.adjudications.c.decided_by, tables.adjudications.c.p_sadness)
        ).one()
        votes = connection.execute(select(tables.rating_votes.c.verdict)).scalars().all()
    assert decided == (judge.id, 1.0)
    assert votes == ["emotion", "emotion"], "the votes stay as they are"
    assert "Decided: sadness. Choosing again takes its place." in visitor.get(path).text


def test_whoever_voted_does_not_decide_and_a_rater_neither(site: Site, disputed: Person) -> None:
    path = only(at_desk(site, member(site, "judge", Role.RESEARCHER)))
    lea = known(site, "rater-lea")
    assert "Nothing to decide" in lea.get("/rate/adjudicate").text
    refused = lea.json(path, {"answer": "anger", "key": key()})
    assert refused.status_code == 400
    assert refused.json is not None
    assert "you rated this item yourself" in refused.json["error"]
    kim = known(site, "rater-kim")
    assert kim.get("/rate/adjudicate").status_code == 403
    assert kim.get(path).status_code == 403
    assert kim.get(f"{path}/picture").status_code == 403
    assert kim.client.get(f"{path}/open", json={}).status_code == 403
    assert kim.json(path, {"answer": "anger", "key": key()}).status_code == 403
    with site.access.database.read() as connection:
        assert connection.execute(select(tables.adjudications.c.id)).first() is None


def test_a_withdrawal_closes_it_for_researchers_too(site: Site, disputed: Person) -> None:
    visitor = at_desk(site, member(site, "judge", Role.RESEARCHER))
    path = only(visitor)
    consenting.withdraw(
        site.access, disputed, [Scope.SHARE_WITH_RATERS], site.now, recorder=Recorder.PARTICIPANT
    )
    assert visitor.get(f"{path}/picture").status_code == 410
    assert visitor.client.get(f"{path}/open", json={}).status_code == 410
    assert visitor.json(path, {"answer": "anger", "key": key()}).status_code == 410
    assert visitor.get(path).location == "/rate/adjudicate?gone=1"
    assert "Nothing to decide" in visitor.get("/rate/adjudicate").text
