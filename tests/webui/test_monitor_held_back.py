"""What the researchers' room must not tell, also not by a gap, a nought or a sum; and what it must not get wrong."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests import builders
from tests.webui.rating import at_desk, member
from tests.webui.site import Site, Visitor
from tests.webui.test_monitor import living, looks_at, rows_of
from tracker.domain.affect import Emotion
from tracker.domain.consent import Scope, Use
from tracker.domain.members import Role
from tracker.domain.people import Person
from tracker.domain.series import Correction, Prompt
from tracker.domain.stretches import Stretch
from tracker.store import drifts, leases
from tracker.study.parts import Retention
from tracker.study.whole import DEFAULT
from tracker.workflows import feedback, hiding, prompts, studies

DAY = timedelta(days=1)
COUNTS = ("put", "answered", "late", "missed", "put_away", "waiting", "withheld", "by_learner")


@pytest.fixture
def rosa(lite: Site) -> Visitor:
    return at_desk(lite, member(lite, "rosa", Role.RESEARCHER))


def asked(site: Site, who: Person, slot: str) -> None:
    at = site.now - timedelta(hours=2)
    over = at + timedelta(minutes=30)
    prompts.record(
        site.access,
        who,
        Prompt(slot, at, at, None, None, "expired", expires_at=over, ended_at=over),
        site.now,
    )


def gaps(site: Site, rosa: Visitor, who: Person) -> list[str]:
    page = rosa.get(f"/study/people/{who.id}?days=14").text
    return re.findall(r"<li>(.*?)</li>", page.partition("without a moment")[2].partition("</section>")[0])


def test_who_hides_a_stretch_looks_like_somebody_of_whom_nothing_came(lite: Site, rosa: Visitor) -> None:
    days = [lite.now - n * DAY for n in (6, 5, 3, 1)]
    ada, ben = lite.person("ada", now=days[0] - DAY), lite.person("ben", now=days[0] - DAY)
    for who, moments in ((ada, days), (ben, [days[0], *days[2:]])):
        builders.store(lite.access, who, [builders.observed(at) for at in moments], lite.now)
    hiding.hide(lite.access, ada, Stretch(days[1], days[1] + timedelta(minutes=5)), lite.now)
    assert len(gaps(lite, rosa, ben)) == 3, "before the first, and twice between"
    assert gaps(lite, rosa, ada) == gaps(lite, rosa, ben)


def test_what_is_erased_by_its_age_is_no_gap(lite: Site) -> None:
    study = DEFAULT.model_copy(update={"id": "short", "retention": Retention(affect_series=5)})
    studies.apply(lite.access, study, "ada", lite.now - 40 * DAY)
    rosa = at_desk(lite, member(lite, "rosa", Role.RESEARCHER))
    who = lite.person("ada", now=lite.now - 30 * DAY)
    hours = [lite.now - timedelta(hours=h) for h in range(1, 5 * 24, 6)]
    builders.store(lite.access, who, [builders.observed(at) for at in hours], lite.now)
    assert gaps(lite, rosa, who) == []
    days = rows_of(rosa.get(f"/study/people/{who.id}/days.csv?days=14"))
    assert [day["read"] for day in days[6:]] == [""] * 8, "not none: nobody knows"


def test_of_what_is_not_shared_there_is_no_number(lite: Site, rosa: Visitor) -> None:
    dora = lite.person("dora", tuple(s for s in Scope if s is not Scope.PROMPTS), covers_from=lite.now - DAY)
    lite.series(dora, 5)
    today, *earlier = rows_of(rosa.get(f"/study/people/{dora.id}/days.csv?days=7"))
    assert today["read"] == "5"
    assert {row[name] for row in (today, *earlier) for name in COUNTS} == {""}
    covered = earlier[-1]
    assert covered["read"] == "", "a day from before they shared"
    page = rosa.get(f"/study/people/{dora.id}").text
    assert "0 of 0" not in page


def test_simulated_people_are_marked_and_no_part_of_sums(lite: Site, rosa: Visitor) -> None:
    sim = living_simulated(lite)
    page = rosa.get("/study/prompts").text
    assert "SIMULATED</strong>" in page
    plot = rosa.get(f"/study/people/{sim.id}").text
    assert ">SIMULATED</text>" in plot
    for table in ("days", "learners"):
        rows = rows_of(rosa.get(f"/study/people/{sim.id}/{table}.csv"))
        assert {row["simulated"] for row in rows} == {"True"}
    ada = lite.person()
    asked(lite, ada, "day:0")
    page = rosa.get("/study/prompts").text
    assert page.count("SIMULATED</span>") == 1
    reached = re.search(r"Reached somebody</dt><dd>(\d+)", page)
    assert reached is not None
    assert reached[1] == "1"


def living_simulated(site: Site) -> Person:
    who = site.person("simone", simulated=True)
    asked(site, who, "day:0")
    at = site.now - timedelta(hours=1)
    builders.store(site.access, who, [builders.observed(at)], site.now)
    feedback.correct(site.access, who, Correction(at, "emotion", builders.leaning(Emotion.FEAR)), site.now)
    return who


def test_each_cell_stands_under_its_own_day(lite: Site, rosa: Visitor) -> None:
    """At noon UTC it is tomorrow in Auckland: columns are dates, not places in a row."""
    here, there = lite.person("ada", zone="UTC"), lite.person("ben", zone="Pacific/Auckland")
    for who in (here, there):
        asked(lite, who, f"day:{who.name}")
    page = rosa.get("/study/prompts?days=7").text
    days = [date.fromisoformat(d) for d in re.findall(r'<th scope="col"><time datetime="([^"]+)"', page)]
    assert len(days) == 8
    rows = page.partition("<tbody>")[2].split("<tr>")[1:]
    assert len(rows) == 2
    for who in (here, there):
        (row,) = (row for row in rows if who.id in row)
        cells = re.findall(r"<td class=\"cell [^>]*>(.*?)</td>", row)
        at = (lite.now - timedelta(hours=2)).astimezone(ZoneInfo(who.zone)).date()
        assert cells[days.index(at)] == "0/1"


def test_a_drift_is_told_by_when_it_began_and_only_if_that_is_shared(lite: Site, rosa: Visitor) -> None:
    ada = living(lite)
    began, noticed = lite.now - 3 * DAY, lite.now - DAY
    for since in (began, lite.now - 80 * DAY):
        with lite.access.write(ada.id, noticed) as unit:
            drifts.add(
                unit.connection,
                unit.permit(Use.LEARN),
                ada.subject,
                "emotion",
                at=since,
                kind="page_hinkley",
                detail={"before": 0.1, "after": 1.0, "answers": 5},
                now=noticed,
            )
    page = rosa.get(f"/study/people/{ada.id}").text
    assert f"fitted less well since: {began:%Y-%m-%d}</p>" in page


def test_who_is_being_erased_is_not_there(lite: Site, rosa: Visitor) -> None:
    ada = living(lite)
    lite.access.vault.destroy(ada.id)
    assert rosa.get(f"/study/people/{ada.id}").status_code == 404


def test_one_distance_has_no_range(lite: Site, rosa: Visitor) -> None:
    ada = lite.person()
    at = lite.now - timedelta(hours=1)
    builders.store(lite.access, ada, [builders.observed(at)], lite.now)
    feedback.correct(lite.access, ada, Correction(at, "valence", None, 0.5), lite.now)
    (week,) = [r for r in rows_of(rosa.get(f"/study/people/{ada.id}/learners.csv")) if r["who"] == "learner"]
    assert (week["n"], week["low"], week["high"]) == ("1", "", "")
    assert looks_at(lite, ada)


def test_looks_at_many_are_one_transaction_and_one_signature(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = [living(site, name) for name in ("ada", "ben", "cora")]
    reading = at_desk(site, member(site, "rosa", Role.RESEARCHER))
    signed, real = [], site.access.keys.set_head

    def sign(*given: Any) -> None:
        signed.append(given)
        real(*given)

    monkeypatch.setattr(site.access.keys, "set_head", sign)
    assert len(rows_of(reading.get("/study/prompts.csv?days=7"))) == 3 * 7
    assert len(signed) == 1
    monkeypatch.undo()
    assert [len(looks_at(site, who)) for who in everybody] == [1, 1, 1]
    assert site.access.audit() is None


def test_who_was_erased_before_the_look_is_left_out(lite: Site) -> None:
    ada = lite.person()
    there = lite.access.record_looks([ada.id, "0" * 32], lite.now, reader="x", what="y")
    assert there == {ada.id}
    assert lite.access.record_looks([], lite.now, reader="x", what="y") == frozenset()
    assert lite.access.audit() is None


@pytest.mark.parametrize(
    ("said", "told"), [("12 learners rebased", ""), ("failed: OSError", "failed: OSError"), (None, "")]
)
def test_what_a_job_counted_over_everybody_is_not_told(
    lite: Site, rosa: Visitor, said: str | None, told: str
) -> None:
    """Twelve learners, less those of the people who are shown, would be those of one who is not."""
    with lite.access.database.write() as connection:
        lease = leases.claim(connection, "rebase", "2026-03-20", "x", lite.now, lite.now + DAY)
        assert lease is not None
        if said is not None:
            leases.finish(connection, lease, lite.now, said)
    (row,) = rows_of(rosa.get("/study/jobs.csv"))
    assert row["outcome"] == told
    assert "12" not in rosa.get("/study/jobs").text.partition("<tbody>")[2].partition("</tbody>")[0].replace(
        "12:00", ""
    )


def test_no_slot_tells_of_a_time_zone_in_which_nobody_lives_who_shares(lite: Site, rosa: Visitor) -> None:
    lite.person()
    with lite.access.database.write() as connection:
        for slot in ("2026-03-20 Europe/Berlin", "2026-03-20 Pacific/Chatham", "2026-03-20"):
            assert leases.claim(connection, "rebase", slot, "x", lite.now, lite.now + DAY) is not None
    told = {row["slot"] for row in rows_of(rosa.get("/study/jobs.csv"))}
    assert told == {"2026-03-20 Europe/Berlin", "2026-03-20"}
    assert "Chatham" not in rosa.get("/study/jobs").text


def test_looks_stand_in_the_readers_language(lite: Site, rosa: Visitor) -> None:
    ada = lite.person()
    lite.access.record_look(ada.id, lite.now, reader="x", what="what you were asked")
    page = rosa.get(f"/study/people/{ada.id}", headers={"Accept-Language": "de"}).text
    assert '<html lang="de"' in page
    assert "what you were asked" not in page
    assert re.search(r"<td>Mitglied [0-9a-f]{8}, aus der Forschung</td>", page)
    lite.access.record_look(ada.id, lite.now, reader="rater 5ef60123", what="your receipt")
    assert (
        "<td>bewertende Person 5ef60123</td>"
        in rosa.get(f"/study/people/{ada.id}", headers={"Accept-Language": "de"}).text
    )
