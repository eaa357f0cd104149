"""The researchers' room: those who share one by one, nobody else; every look noted; every figure to take away."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import insert
from werkzeug.test import TestResponse

from tests import builders
from tests.webui import rating as desk
from tests.webui.rating import at_desk, member
from tests.webui.site import Site, Visitor
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Role
from tracker.domain.people import Person
from tracker.domain.series import Correction, Prompt
from tracker.domain.stretches import Stretch
from tracker.store import leases, tables
from tracker.workflows import consenting, feedback, hiding, prompts
from webui.monitor.room import table

PAGES = ("/study", "/study/prompts", "/study/raters", "/study/everybody", "/study/jobs")
TABLES = tuple(f"{page}.csv" for page in PAGES[1:])


HOUR = timedelta(hours=1)


@pytest.fixture
def researcher_lite(lite: Site) -> Visitor:
    return at_desk(lite, member(lite, "rosa", Role.RESEARCHER))


def rows_of(answer: TestResponse) -> list[dict[str, str]]:
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.text)))


def looks_at(site: Site, who: Person) -> list[str]:
    with site.access.read(who.id, site.now) as unit:
        return [f"{look.reader}: {look.what}" for look in site.access.looks(unit)]


def living(site: Site, name: str = "ada", scopes: tuple[Scope, ...] = builders.ALL) -> Person:
    """Somebody with four days of readings, prompts of every fate, and answers."""
    start = site.now - timedelta(days=4)
    who = site.person(name, scopes, now=start - timedelta(hours=1))
    for n in range(8):
        at = start + n * timedelta(hours=12)
        batch = [builders.observed(at), builders.observed(at + timedelta(minutes=1), None)]
        builders.store(site.access, who, batch, at + timedelta(minutes=2))
        word = Correction(at, "emotion", builders.leaning(Emotion.NEUTRAL if n % 2 else Emotion.SADNESS, 0.9))
        feedback.correct(site.access, who, word, at + timedelta(minutes=3))
        fate = ("completed", "completed", "expired", "withheld")[n % 4]
        put = None if fate == "withheld" else at
        done = at + timedelta(minutes=5) if fate == "completed" else None
        over = at + timedelta(minutes=30)
        prompt = Prompt(f"day:{n}", at, put, None, done, fate, expires_at=over, ended_at=done or over)
        prompts.record(site.access, who, prompt, at + HOUR)
    return who


def test_a_person_is_shown_as_far_as_they_share_and_reads_who_looked(site: Site) -> None:
    ada, rosa = living(site), at_desk(site, member(site, "rosa", Role.RESEARCHER))
    page = rosa.get(f"/study/people/{ada.id}?days=7")
    assert page.status_code == 200
    assert "no face in view 2" in page.text
    assert "emotion" in page.text
    assert "n = " in page.text
    days = rows_of(rosa.get(f"/study/people/{ada.id}/days.csv?days=7"))
    assert len(days) == 7
    total = {
        name: sum(int(day[name]) for day in days) for name in days[0] if name not in ("day", "simulated")
    }
    assert (total["read"], total["without_no_face"]) == (8, 8)
    assert (total["put"], total["answered"], total["missed"], total["withheld"]) == (6, 4, 2, 2)
    weeks = rows_of(rosa.get(f"/study/people/{ada.id}/learners.csv"))
    mine = [week for week in weeks if week["target"] == "emotion"]
    assert {week["who"] for week in mine} == {"learner", "network", "majority", "said_last"}
    network = next(week for week in mine if week["who"] == "network")
    assert (network["n"], network["value"]) == ("8", "0.5"), "it read sadness always"
    assert float(network["low"]) < 0.5 < float(network["high"])
    looked = looks_at(site, ada)
    assert len(looked) == 3
    assert all(look.endswith("who looked") and "as a researcher" in look for look in looked)
    assert "rosa" not in " ".join(looked), "their name is theirs to tell"


def test_the_heat_map_counts_each_day_and_is_a_look_at_each(lite: Site) -> None:
    ada, ben = living(lite), living(lite, "ben")
    rosa = at_desk(lite, member(lite, "rosa", Role.RESEARCHER))
    page = rosa.get("/study/prompts?days=7").text
    assert page.count("<tr>") == 3
    assert 'class="cell h4">1/1' in page.replace("\n", "") or 'class="cell h4">2/2' in page
    rows = rows_of(rosa.get("/study/prompts.csv?days=7"))
    assert {row["participant"] for row in rows} == {"ada", "ben"}
    assert sum(int(row["answered"]) for row in rows) == 8
    for who in (ada, ben):
        assert [look.split(": ")[1] for look in looks_at(lite, who)] == ["what you were asked"] * 2


@pytest.mark.parametrize("kept", [Scope.SHARE_WITH_RESEARCHERS, Scope.AFFECT_SERIES])
def test_who_does_not_share_is_nowhere(lite: Site, kept: Scope) -> None:
    cora = living(lite, "cora")
    consenting.withdraw(lite.access, cora, [kept], lite.now, recorder=Recorder.PARTICIPANT)
    rosa = at_desk(lite, member(lite, "rosa", Role.RESEARCHER))
    for path in (*PAGES, *TABLES):
        answer = rosa.get(path)
        assert answer.status_code == 200, path
        assert "cora" not in answer.text, path
        assert cora.id not in answer.text, path
    for path in ("", "/days.csv", "/learners.csv"):
        assert rosa.get(f"/study/people/{cora.id}{path}").status_code == 404
    assert looks_at(lite, cora) == [], "nothing was seen, so nobody looked"


def test_who_shares_no_prompts_shows_none(lite: Site) -> None:
    some = tuple(scope for scope in Scope if scope is not Scope.PROMPTS)
    dora = lite.person("dora", some)
    lite.series(dora, 5)
    rosa = at_desk(lite, member(lite, "rosa", Role.RESEARCHER))
    assert "dora" not in rosa.get("/study/prompts").text
    page = rosa.get(f"/study/people/{dora.id}").text
    assert "not shared" in page
    assert "dora" in rosa.get("/study").text


def test_what_is_hidden_or_from_before_is_not_counted(lite: Site) -> None:
    ada = living(lite)
    rosa = at_desk(lite, member(lite, "rosa", Role.RESEARCHER))

    def read() -> int:
        days = rows_of(rosa.get(f"/study/people/{ada.id}/days.csv?days=7"))
        return sum(int(day["read"] or 0) for day in days)

    assert read() == 8
    first = lite.now - timedelta(days=4)
    hiding.hide(lite.access, ada, Stretch(first, first + timedelta(minutes=5)), lite.now)
    assert read() == 7
    consenting.withdraw(
        lite.access, ada, [Scope.SHARE_WITH_RESEARCHERS], lite.now, recorder=Recorder.PARTICIPANT
    )
    lite.wait(timedelta(minutes=1))
    since = lite.now - timedelta(days=2)
    consenting.grant(
        lite.access,
        ada,
        [Scope.SHARE_WITH_RESEARCHERS],
        lite.now,
        recorder=Recorder.PARTICIPANT,
        covers_from=since,
    )
    assert read() == 3, "12, 24 and 36 hours ago"


def test_a_long_gap_is_told_with_its_reason(lite: Site) -> None:
    ada = lite.person()
    builders.store(lite.access, ada, [builders.observed(lite.now - timedelta(days=6))], lite.now)
    rosa = at_desk(lite, member(lite, "rosa", Role.RESEARCHER))
    assert "nothing is known of why" in rosa.get(f"/study/people/{ada.id}?days=14").text
    consenting.withdraw(lite.access, ada, [Scope.AFFECT_SERIES], lite.now, recorder=Recorder.PARTICIPANT)
    lite.wait(timedelta(days=3))
    consenting.grant(lite.access, ada, [Scope.AFFECT_SERIES], lite.now, recorder=Recorder.PARTICIPANT)
    lite.wait(timedelta(days=1))
    builders.store(lite.access, ada, [builders.observed(lite.now - timedelta(minutes=5))], lite.now)
    page = rosa.get(f"/study/people/{ada.id}?days=30").text
    assert "to" in page


def test_nothing_yet_says_what_to_do(lite: Site, researcher_lite: Visitor) -> None:
    for path in PAGES:
        assert 'class="card empty"' in researcher_lite.get(path).text, path
    for path in TABLES:
        assert rows_of(researcher_lite.get(path)) == []


def test_raters_stand_by_number_with_their_ranges(lite: Site) -> None:
    desk.shown_person(lite, faces=3)
    kim = member(lite, "kim")
    sitting = at_desk(lite, kim)
    item = desk.item_of(sitting.get("/rate").text)
    done = sitting.json("/rate/vote", {"item": item, "answer": "fear", "key": desk.key()})
    assert done.status_code == 200
    rosa = at_desk(lite, member(lite, "rosa", Role.RESEARCHER))
    page = rosa.get("/study/raters").text
    assert kim.id[:8] in page
    assert "kim" not in page
    (row,) = rows_of(rosa.get("/study/raters.csv"))
    assert (row["rater"], row["answers"], float(row["said_fear"])) == (kim.id[:8], "1", 1.0)


def test_a_formula_is_no_formula_in_a_spreadsheet(lite: Site) -> None:
    with lite.app.test_request_context():
        text = table("x", ("a",), [["=1+1"], ["@SUM(A1)"], [-1], ["plain"]]).get_data(as_text=True)
    assert text.splitlines() == ["a", "'=1+1", "'@SUM(A1)", "-1", "plain"]


@pytest.mark.parametrize("asked", ["0", "31", "-1", "x", "9" * 40])
def test_other_numbers_of_days_are_the_usual_fourteen(lite: Site, asked: str) -> None:
    ada = lite.person()
    rosa = at_desk(lite, member(lite, "rosa", Role.RESEARCHER))
    assert len(rows_of(rosa.get(f"/study/people/{ada.id}/days.csv?days={asked}"))) == 14


def test_jobs_stand_with_how_they_ended(lite: Site, researcher_lite: Visitor) -> None:
    with lite.access.database.write() as connection:
        done = leases.claim(connection, "retention", "2026-03-20T11", "x", lite.now, lite.now + HOUR)
        assert done is not None
        leases.finish(connection, done, lite.now, "3 rows")
        leases.claim(connection, "priors", "2026-03-19", "x", lite.now - 3 * HOUR, lite.now - HOUR)
        leases.claim(connection, "rebase", "2026-03-20", "x", lite.now, lite.now + HOUR)
    states = {row["job"]: row["state"] for row in rows_of(researcher_lite.get("/study/jobs.csv"))}
    assert states == {"retention": "done", "priors": "stopped", "rebase": "running"}


def test_figures_about_everybody_stand_with_their_margins(lite: Site, researcher_lite: Visitor) -> None:
    people = {"about": 120, "margin_95": 9}
    row = {"of": "all", "withheld": False, "values": {"fear": 0.25}, "margin_95": 0.05, "people": people}
    figures = [{"name": "emotions", "rows": [row, {"of": "night", "withheld": True}]}]
    query = {"first": "2026-03-01", "last": "2026-03-19", "figures": ["emotions"], "simulated": False}
    result = {"refused": False, "people": people, "figures": figures}
    with lite.access.database.write() as connection:
        connection.execute(
            insert(tables.releases).values(
                study="default", at=lite.now, query=query, epsilon=0.5, delta=1e-6, result=result
            )
        )
    page = researcher_lite.get("/study/everybody").text
    assert "0.25" in page
    assert "withheld: too few people" in page
    told, withheld = rows_of(researcher_lite.get("/study/everybody.csv"))
    assert (told["value"], told["margin_95"], told["people_about"]) == ("0.25", "0.05", "120")
    assert withheld["value"] == ""
