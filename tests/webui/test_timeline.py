"""The timeline: what is drawn, said and counted, and what is said where there is nothing."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests import builders
from tests.webui.site import TODAY, Site
from tracker import personal
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.consent import Recorder, Scope, Use
from tracker.domain.series import Estimate, Observed, Reason
from tracker.store import drifts
from tracker.workflows import consenting


@pytest.mark.parametrize(("unit", "step"), [("day", 60_000), ("week", 900_000), ("month", 900_000)])
def test_page_and_numbers_agree(site: Site, unit: str, step: int) -> None:
    site.series(site.person(), 120)
    visitor = site.logged_in()
    data = visitor.get(f"/timeline/{unit}/{TODAY}/data").get_json()
    assert data["step"] == step
    assert sum(data["points"]["n"]) == 108
    assert sum(data["gaps"]["n"]) == 12
    assert set(data["gaps"]["reason"]) == {"no_face"}
    assert all(abs(sum(shares) - 1000) <= 4 for shares in zip(*data["points"]["machine"], strict=True))
    page = visitor.get(f"/timeline/{unit}/{TODAY}").text
    assert "in 108 readings" in page
    assert "no face in view 12" in page
    assert "looks like" in page or "unclear:" in page
    assert "you are" not in page.lower()


def test_the_chart_shows_the_persons_own_clock_and_keeps_the_instant(site: Site) -> None:
    who = site.person()
    at = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
    builders.store(site.access, who, [builders.observed(at)], site.now)
    points = site.logged_in().get(f"/timeline/day/{TODAY}/data").get_json()["points"]
    assert datetime.fromtimestamp(points["x"][0] / 1000, UTC).hour == 10
    assert points["at"] == [int(at.timestamp())]


def test_days_are_the_persons_days_when_clocks_change(lite: Site) -> None:
    lite.now = datetime(2026, 10, 26, 12, tzinfo=UTC)
    who = lite.person(now=lite.now)
    day = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)  # half past midnight in Berlin, a day of 25 hours
    builders.store(
        lite.access, who, [builders.observed(day + timedelta(hours=h)) for h in range(26)], lite.now
    )
    visitor = lite.logged_in()
    counts = [
        sum(visitor.get(f"/timeline/day/2026-10-{d}/data").get_json()["points"]["n"]) for d in (24, 25, 26)
    ]
    assert counts == [0, 25, 1]
    assert visitor.get("/timeline/day/2026-10-25").status_code == 200


def test_gaps_are_shown_with_their_reasons(site: Site) -> None:
    who = site.person()
    batch = [
        builders.observed(site.now - timedelta(minutes=i + 1), None, reason=reason)
        for i, reason in enumerate(Reason)
    ]
    builders.store(site.access, who, batch, site.now)
    page = site.logged_in().get(f"/timeline/day/{TODAY}").text
    for words in ("no face in view", "several faces", "too blurred", "not read in time"):
        assert words in page
    assert "no face could be read" in page


def test_the_newest_day_is_where_one_lands(site: Site) -> None:
    who = site.person()
    builders.store(site.access, who, [builders.observed(site.now - timedelta(days=9))], site.now)
    visitor = site.logged_in()
    assert visitor.get("/timeline").location == "/timeline/day/2026-03-11"
    empty = visitor.get(f"/timeline/day/{TODAY}").text
    assert "No recording on this day" in empty
    assert "/timeline/day/2026-03-11" in empty


def test_an_empty_series_says_what_to_do(lite: Site) -> None:
    lite.person("ada", (Scope.CONTEXT,))
    lite.person("bob", (Scope.AFFECT_SERIES,))
    assert "Choose what you allow" in lite.logged_in("ada").get(f"/timeline/day/{TODAY}").text
    assert "affect-tracker track" in lite.logged_in("bob").get(f"/timeline/day/{TODAY}").text


def test_machine_and_personal_can_be_told_apart(site: Site) -> None:
    who = site.person()
    instants = site.series(who)
    visitor = site.logged_in()
    visitor.post("/correct", {"at": instants[30].isoformat(), "emotion": "contempt"})
    page = visitor.get(f"/timeline/day/{TODAY}").text
    assert "Learned from you" in page
    assert "Network alone" in page
    assert 'data-show="personal" aria-current' in page
    machine = visitor.get(f"/timeline/day/{TODAY}?show=machine").text
    assert 'data-show="machine" aria-current' in machine
    assert visitor.get(f"/timeline/day/{TODAY}?show=both").status_code == 400
    data = visitor.get(f"/timeline/day/{TODAY}/data").get_json()
    contempt = list(Emotion).index(Emotion.CONTEMPT)
    own = [v for v in data["points"]["personal"][contempt] if v is not None]
    assert own
    assert [c["emotion"] for c in data["corrections"]] == [contempt]


def test_an_emotion_that_no_network_of_the_page_reads_is_told_in_the_legend(lite: Site) -> None:
    who, at = lite.person(), lite.now - timedelta(hours=1)
    seven = Distribution.from_sequence([0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.0])
    seen = builders.observed(at)
    batch = [Observed(seen.observation, (Estimate("seven@0123456789ab", seven),))]
    builders.store(lite.access, who, batch, lite.now)
    visitor = lite.logged_in()

    def unread() -> list[str]:
        page = visitor.get(f"/timeline/day/{TODAY}?show=machine").text
        legend = page.split('class="legend"')[1].split("</ul>")[0]
        return [
            emotion.value
            for emotion, item in zip(Emotion, legend.split("<li>")[1:], strict=True)
            if "(not read)" in item
        ]

    assert unread() == ["contempt"]
    other = builders.observed(at - timedelta(minutes=5), source="b" * 64)
    builders.store(lite.access, who, [other], lite.now)
    assert unread() == []


def test_without_scripts_there_is_a_picture_and_a_table(lite: Site) -> None:
    lite.series(lite.person())
    page = lite.logged_in().get(f"/timeline/day/{TODAY}").text
    noscript = page.split("<noscript>")[1].split("</noscript>")[0]
    assert 'class="fill-happiness"' in noscript
    assert "<caption" in page
    assert page.count("data-moment") >= 4


def test_a_short_recording_is_drawn_by_the_second(site: Site) -> None:
    who = site.person()
    start = site.now - timedelta(minutes=5)
    batch = [
        builders.observed(start + timedelta(seconds=0.2 * i), None if i % 10 == 9 else Emotion.FEAR)
        for i in range(100)
    ]
    builders.store(site.access, who, batch, site.now)
    visitor = site.logged_in()
    data = visitor.get(f"/timeline/day/{TODAY}/data").get_json()
    assert data["step"] == 1000
    assert len(data["points"]["x"]) == 20
    assert sum(data["points"]["n"]) == 90
    assert sum(data["gaps"]["n"]) == 10
    page = visitor.get(f"/timeline/day/{TODAY}").text
    assert "12:55:00–12:55:10" in page
    assert "in 90 readings" in page


def test_a_short_clip_has_one_table_a_day(lite: Site) -> None:
    start = lite.now - timedelta(minutes=5)
    batch = [builders.observed(start + timedelta(seconds=s)) for s in range(40)]
    builders.store(lite.access, lite.person(), batch, lite.now)
    page = lite.logged_in().get(f"/timeline/day/{TODAY}").text
    assert page.count('<th scope="row">') > 1
    assert page.count('<table class="numbers">') == 1


def test_what_one_said_of_a_short_clip_is_told_to_the_second_and_leads_to_its_moment(lite: Site) -> None:
    start = lite.now - timedelta(minutes=5)
    batch = [builders.observed(start + timedelta(seconds=s)) for s in range(40)]
    builders.store(lite.access, lite.person(), batch, lite.now)
    visitor = lite.logged_in()
    for second in (1, 7):
        at = start + timedelta(seconds=second)
        visitor.post("/correct", {"at": at.isoformat(), "emotion": "surprise"})
    page = visitor.get(f"/timeline/day/{TODAY}").text
    said = re.findall(r'href="(/moment/[0-9]+)">surprise \((12:55:0[17])\)</a>(,?)</span>', page)
    assert said == [
        (f"/moment/{int(start.timestamp()) + 1}", "12:55:01", ","),
        (f"/moment/{int(start.timestamp()) + 7}", "12:55:07", ""),
    ]
    moment = visitor.get(said[1][0]).text
    assert "12:55:07" in moment
    assert "You said" in moment


def test_what_one_said_leads_nowhere_while_nothing_may_be_stored(lite: Site) -> None:
    who = lite.person()
    at = lite.series(who)[30]
    visitor = lite.logged_in()
    visitor.post("/correct", {"at": at.isoformat(), "emotion": "surprise"})
    consenting.withdraw(lite.access, who, [Scope.AFFECT_SERIES], lite.now, recorder=Recorder.PARTICIPANT)
    page = visitor.get(f"/timeline/day/{TODAY}").text
    assert "surprise (12:30)" in page
    assert "/moment/" not in page


def test_a_drift_is_told_in_words(lite: Site) -> None:
    who = lite.person()
    lite.series(who, 3)
    page = f"/timeline/day/{TODAY}"
    assert "fitted less well" not in lite.logged_in().get(page).text
    with lite.access.write(who.id, lite.now) as unit:
        personal.rebase(unit, "leave_me_alone")
        drifts.add(
            unit.connection,
            unit.permit(Use.LEARN),
            who.subject,
            "leave_me_alone",
            at=lite.now - timedelta(days=3),
            kind="page_hinkley",
            detail={"before": 0.0, "after": 0.6, "answers": 8},
            now=lite.now,
        )
    told = lite.logged_in().get(page).text
    assert "Since 17 March my estimates of “leave me alone” have fitted less well" in told
    assert "what you said before that now counts a quarter" in told
