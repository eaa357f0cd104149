"""What raters do, in a real browser against the real server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from tests import builders, drawn
from tests.e2e.sessions import let_in, with_second_factor
from tests.e2e.site import Served, Visit, served, visiting
from tests.e2e.wcag import violations
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.store import tables
from tracker.workflows import consenting, rating, studies

pytestmark = pytest.mark.e2e

SHOWS = (Scope.AFFECT_SERIES, Scope.FACE_CROPS, Scope.SHARE_WITH_RATERS)
PAGES = ("rate", "rate/keys", "rate/me", "rate/notice", "rate/series", "rate/adjudicate")


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    """Ada and Bob show their faces: single ones, and Bob a clip of six."""
    access = builders.installation(sqlite_url, tmp_path)
    people = [builders.person(access, name, SHOWS) for name in ("ada", "bob")]
    with served(tmp_path, access, people) as running:
        yield running
    access.database.close()
    access.keys.close()


def show(site: Served, name: str, faces: int, apart: timedelta = timedelta(minutes=3)) -> Person:
    who = site.access.person(name)
    drawn.keep(site.access, who, faces, builders.NOW, apart=apart)
    return who


def rater(site: Served, name: str = "kim", *roles: Role, agreed: bool = True) -> Member:
    made = builders.member(site.access, name, *(roles or (Role.RATER,)))
    if Role.RESEARCHER in roles:
        with_second_factor(site, made)
    if agreed:
        rating.agree(site.access, made, rating.notice(site.access).sha256, builders.NOW)
    return made


def shown(page: Page) -> str:
    """Wait until a face is on the screen, and the next lie ready; return which it is."""
    page.locator("[data-desk][data-shown]").wait_for()
    return page.locator("[data-desk]").get_attribute("data-shown") or ""


def press(page: Page, key: str) -> str:
    """Press a key that brings another face; return which came."""
    before = shown(page)
    page.keyboard.press(key)
    page.locator(f"[data-desk]:not([data-shown='{before}'])").wait_for()
    return shown(page)


def owner(site: Served, item: str) -> str:
    t = tables.rating_tasks.c
    with site.access.database.read() as connection:
        subject: str = connection.execute(select(t.subject).where(t.id == item)).scalar_one()
    return subject


def rows(site: Served, table: str = "rating_votes") -> int:
    with site.access.database.read() as connection:
        found: int = connection.execute(
            select(func.count()).select_from(tables.metadata.tables[table])
        ).scalar_one()
    return found


def withdraw(site: Served, who: Person) -> None:
    consenting.withdraw(
        site.access, who, [Scope.SHARE_WITH_RATERS], builders.NOW, recorder=Recorder.PARTICIPANT
    )


def test_rating_by_keyboard_alone_with_undo(site: Served, browser: Browser, capsys: Any) -> None:
    show(site, "ada", 50)
    kim = rater(site, agreed=False)
    with visiting(browser, site, viewport={"width": 1200, "height": 900}) as visit:
        page = visit.page
        let_in(site, visit, kim)
        page.goto("rate")
        expect(page.get_by_role("heading", name="Before you rate")).to_be_visible()
        for box in page.locator("input[type=checkbox]").all():
            expect(box).not_to_be_checked()
            box.focus()
            page.keyboard.press("Space")
        page.get_by_role("button", name="Begin").focus()
        page.keyboard.press("Enter")

        first = shown(page)
        expect(page.get_by_role("button", name="surprise")).to_contain_text("3")
        second = press(page, "Digit3")
        expect(page.locator("[data-said]")).to_have_text("Saved: surprise.")
        page.keyboard.press("Shift+Digit7")
        expect(page.get_by_role("button", name="fear")).to_have_class("second")
        press(page, "Digit5")
        expect(page.locator("[data-said]")).to_have_text("Saved: anger and some fear.")
        assert press(page, "u") == second
        expect(page.locator("[data-said]")).to_contain_text("Taken back.")
        press(page, "Digit9")
        expect(page.locator("[data-said]")).to_have_text("Saved: cannot tell.")
        press(page, "x")
        expect(page.locator("[data-said]")).to_contain_text("Skipped.")
        page.keyboard.press("?")
        expect(page.get_by_role("heading", name="Keys")).to_be_focused()
        page.keyboard.press("Digit1")
        page.keyboard.press("Escape")
        expect(page.locator("[data-last] li")).to_have_count(3)

        page.keyboard.press("e")
        expect(page.locator("[data-last] a").first).to_be_focused()
        page.locator("[data-last] a").last.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("You said: surprise. Choosing again takes its place.")).to_be_visible()
        assert shown(page) == first
        press(page, "Digit1")
        for n in range(30):
            # Nobody decides before looking: meanwhile what comes next is chosen and fetched.
            page.wait_for_timeout(400)
            press(page, f"Digit{n % 8 + 1}")
        page.goto("rate/me")
        figure = page.locator(".figures div", has_text="Until the next face was visible").locator("dd")
        assert "ms" in figure.inner_text()
        with capsys.disabled():
            print(f"\nnext face visible (p95, {rows(site)} rows): {figure.inner_text().split()[0]} ms")
    verdicts = standing(site, kim)
    assert len(verdicts) == 33, "surprise was replaced, anger taken back; each face once"


def standing(site: Served, who: Member) -> list[str]:
    own = rating.own_data(site.access, who)
    last: dict[str, str] = {vote["item"]: vote["verdict"] for vote in own["votes"]}
    return [verdict for verdict in last.values() if verdict != "undone"]


def test_keys_are_remapped_and_switched_off(site: Served, browser: Browser) -> None:
    show(site, "ada", 8)
    with visiting(browser, site) as visit:
        page = visit.page
        let_in(site, visit, rater(site))
        page.goto("rate/keys")
        page.get_by_label("undo the last answer").fill("b")
        page.get_by_label("sadness").fill("s")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        page.goto("rate")
        first = shown(page)
        expect(page.get_by_role("button", name="sadness")).to_contain_text("s")
        press(page, "s")
        expect(page.locator("[data-said]")).to_have_text("Saved: sadness.")
        page.keyboard.press("u")
        assert press(page, "b") == first
        page.keyboard.press("Digit4")
        page.goto("rate/keys")
        page.get_by_label("Keys that are one character").uncheck()
        page.get_by_role("button", name="Save").click()
        page.goto("rate")
        shown(page)
        before = rows(site)
        for key in ("s", "Digit1", "b", "?"):
            page.keyboard.press(key)
        page.get_by_role("button", name="anger").focus()
        press(page, "Enter")
        expect(page.locator("[data-said]")).to_have_text("Saved: anger.")
        assert rows(site) == before + 1


def test_a_face_that_is_taken_back_between_prefetch_and_show_is_never_drawn(
    site: Served, browser: Browser
) -> None:
    ada, bob = show(site, "ada", 12), show(site, "bob", 12)
    with visiting(browser, site) as visit:
        page = visit.page
        let_in(site, visit, rater(site))
        page.goto("rate")
        shown(page)
        # Until one of the two is on the screen while the other's face lies ready behind it.
        people = {who.subject: who for who in (ada, bob)}
        for _ in range(12):
            page.locator("[data-desk][data-ready]").wait_for()
            ready = (page.locator("[data-desk]").get_attribute("data-ready") or "").split()
            behind = owner(site, ready[0]) if ready else ""
            if behind and behind != owner(site, shown(page)):
                break
            press(page, "Digit1")
        else:
            pytest.fail("chance never put one of theirs behind one of the other's")
        gone, left = people.pop(behind), people.popitem()[1]
        withdraw(site, gone)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        came = press(page, "Digit2")
        expect(page.locator("[data-said]")).to_have_text(
            "Saved: happiness. One face was taken back by its participant, so it is not shown any more."
        )
        assert came != ready[0]
        assert owner(site, came) == left.subject
        assert not any(ready[0] in url for url in asked if "/picture/" in url)
        withdraw(site, left)
        expect(page.get_by_role("heading", name="Nothing to rate right now")).to_be_visible()
        expect(page.locator("canvas")).to_have_count(0)
        kept = rows(site)
        page.keyboard.press("Digit1")
        assert rows(site) == kept


def test_a_face_is_covered_while_nobody_can_say_that_it_may_be_seen(site: Served, browser: Browser) -> None:
    show(site, "ada", 3)
    show(site, "bob", 6, apart=timedelta(seconds=1))
    with visiting(browser, site) as visit:
        page = visit.page
        let_in(site, visit, rater(site))

        def covered_and_back(screen: str) -> None:
            expect(page.locator(screen)).to_be_visible()
            page.get_by_label("Mixed with").select_option("fear")
            session = page.context.cookies()
            page.context.clear_cookies()
            expect(page.locator("[data-said]")).to_contain_text("The face is covered", timeout=12_000)
            expect(page.locator(screen)).to_have_count(0)
            expect(page.get_by_label("Mixed with")).to_have_value("fear")
            page.context.add_cookies(session)  # type: ignore[arg-type]
            expect(page.locator(screen)).to_be_visible(timeout=12_000)
            expect(page.locator("[data-said]")).to_have_text("")
            page.context.set_offline(True)
            expect(page.locator(screen)).to_have_count(0, timeout=20_000)
            page.context.set_offline(False)
            expect(page.locator(screen)).to_be_visible(timeout=12_000)
            expect(page.get_by_label("Mixed with")).to_have_value("fear")

        page.goto("rate")
        shown(page)
        page.locator("[data-desk][data-ready]").wait_for()
        covered_and_back("[data-desk]:not([data-covered]) .desk-face :is(img, canvas:not([hidden]))")
        page.goto("rate/series")
        page.locator("a[href*='/rate/series/']").first.click()
        page.locator("[data-ready]").wait_for()
        covered_and_back("[data-desk]:not([data-covered]) canvas[data-screen]")


def test_an_answer_waits_while_there_is_no_connection_and_is_stored_once(
    site: Served, browser: Browser
) -> None:
    show(site, "ada", 6)
    with visiting(browser, site) as visit:
        page = visit.page
        let_in(site, visit, rater(site))
        page.goto("rate")
        first = shown(page)
        page.locator("[data-desk][data-ready]").wait_for()
        page.context.set_offline(True)
        page.keyboard.press("Digit4")
        expect(page.get_by_role("alert")).to_contain_text("No connection: your answer waits on this page")
        assert shown(page) == first, "the decision stays on the screen"
        assert rows(site) == 0
        page.context.set_offline(False)
        page.locator(f"[data-desk]:not([data-shown='{first}'])").wait_for()
        expect(page.locator("[data-said]")).to_have_text("Saved: sadness.")
        expect(page.locator("[data-trouble]")).to_be_hidden()
        assert rows(site) == 1
        # An acknowledgement that is lost on its way: the same decision is sent again and counts once.
        lost: list[int] = []

        def lose(route: Any) -> None:
            if lost:
                route.continue_()
                return
            lost.append(route.fetch().status)
            route.abort()

        page.route("**/rate/vote", lose)
        page.keyboard.press("Digit5")
        expect(page.get_by_role("alert")).to_contain_text("No connection")
        before = shown(page)
        page.get_by_role("button", name="Send again").click()
        page.locator(f"[data-desk]:not([data-shown='{before}'])").wait_for()
        assert lost == [200]
        assert rows(site) == 2


def test_a_session_that_ends_in_mid_answer_loses_nothing(site: Served, browser: Browser) -> None:
    show(site, "ada", 6)
    kim, lea = rater(site), rater(site, "lea")
    with visiting(browser, site) as visit:
        page = visit.page
        let_in(site, visit, kim)
        page.goto("rate")
        first = shown(page)
        page.locator("[data-desk][data-ready]").wait_for()
        page.context.clear_cookies()
        page.keyboard.press("Digit4")
        expect(page.get_by_role("alert")).to_contain_text("Your session has ended")
        expect(page.get_by_role("link", name="Log in in a new tab")).to_be_visible()
        let_in(site, visit, lea)
        page.evaluate("window.dispatchEvent(new Event('focus'))")
        expect(page.get_by_role("alert")).to_contain_text("Somebody else is logged in now")
        assert rows(site) == 0
        page.context.clear_cookies()
        page.keyboard.press("Digit4")
        expect(page.get_by_role("link", name="Log in in a new tab")).to_be_visible()
        let_in(site, visit, kim)
        page.evaluate("window.dispatchEvent(new Event('focus'))")
        page.locator(f"[data-desk]:not([data-shown='{first}'])").wait_for()
        expect(page.locator("[data-said]")).to_have_text("Saved: sadness.")
        assert rows(site) == 1


def test_a_clip_is_played_by_j_k_l_and_followed_by_a_trace(site: Served, browser: Browser) -> None:
    show(site, "bob", 10, timedelta(milliseconds=400))
    kim = rater(site)
    with visiting(browser, site, viewport={"width": 1200, "height": 1000}) as visit:
        page = visit.page
        let_in(site, visit, kim)
        page.goto("rate/series")
        page.get_by_role("link", name="Clip 1").click()
        page.locator("[data-desk][data-ready]").wait_for()
        frames = json.loads(page.locator("[data-desk]").get_attribute("data-frames") or "")
        clock, screen = page.locator("[data-clock]"), page.locator("[data-screen]")
        expect(clock).to_contain_text("1 / 10")
        page.keyboard.press("l")
        expect(clock).to_contain_text(re.compile(r"\b[2-9] / 10"))
        page.keyboard.press("k")
        expect(page.locator("[data-desk]")).to_have_attribute("data-playing", "0")
        stood = clock.inner_text()
        place = int(stood.split(", ")[1].split(" /")[0]) - 1
        assert frames[place]["time"] in stood, "the clock shows the picture's own instant"
        assert screen.get_attribute("data-observation") == str(frames[place]["observation"])
        page.keyboard.press("j")
        expect(clock).to_contain_text("1 / 10")
        page.keyboard.press(".")
        expect(page.locator("[data-speed]")).to_have_value("2")

        page.get_by_role("button", name="Start").click()
        tracer = page.locator("[data-tracer]")
        expect(tracer).to_have_attribute("data-state", "counting")
        page.keyboard.press("ArrowUp")
        page.wait_for_timeout(1500)
        expect(tracer).to_have_attribute("data-samples", "0")
        expect(tracer).to_have_attribute("data-state", "drawing")
        page.keyboard.press("k")
        expect(tracer).to_have_attribute("data-state", "paused")
        held = tracer.get_attribute("data-samples")
        page.keyboard.press("k")
        expect(tracer).to_have_attribute("data-state", "counting")
        page.wait_for_timeout(1500)
        assert tracer.get_attribute("data-samples") == held, "nothing is taken while it counts down"
        expect(tracer).to_have_attribute("data-state", "ended")

        # Two seconds back, from its end: what was drawn after is drawn again, and nothing before.
        whole = int(tracer.get_attribute("data-samples") or 0)
        page.keyboard.press("j")
        expect(tracer).to_have_attribute("data-state", "paused")
        expect(page.locator("[data-said]")).to_contain_text("Two seconds back")
        before = int(tracer.get_attribute("data-samples") or 0)
        assert 0 < before < whole
        expect(page.get_by_role("button", name="Save this trace")).to_be_hidden()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("k")
        expect(tracer).to_have_attribute("data-state", "ended")
        page.get_by_role("button", name="Save this trace").click()
        expect(page.locator("[data-said]")).to_have_text("The trace is saved as you drew it.")
        [trace] = rating.own_data(site.access, kim)["traces"]
        assert (trace["dimension"], trace["lag_s"]) == ("valence", 2.0)
        drawn = [value for _, value in trace["samples"]]
        assert drawn == [0.05] * before + [-0.05] * (len(drawn) - before)
        assert len(drawn) > before
        instants = [at for at, _ in trace["samples"]]
        assert instants == sorted(set(instants)), "no instant is held twice"

        expect(page.get_by_text("You see it after you said")).to_be_visible()
        page.keyboard.press("Digit4")
        expect(page.get_by_text("You said: sadness.")).to_be_visible()
        expect(page.locator(".lines")).to_be_visible()
        expect(page.locator("tbody tr")).to_have_count(10)


def test_a_researcher_decides_by_keyboard(site: Served, browser: Browser) -> None:
    study = studies.in_force(site.access)
    rules = study.rating.model_copy(update={"second_share": 1.0})
    studies.apply(site.access, study.model_copy(update={"rating": rules}), "ops", builders.NOW)
    show(site, "ada", 1)
    for name, key in (("kim", "Digit5"), ("lea", "Digit7")):
        with visiting(browser, site) as visit:
            let_in(site, visit, rater(site, name))
            visit.page.goto("rate")
            shown(visit.page)
            visit.page.keyboard.press(key)
            expect(visit.page.get_by_role("heading", name="Nothing to rate right now")).to_be_visible()
    with visiting(browser, site) as visit:
        page = visit.page
        let_in(site, visit, rater(site, "judge", Role.RESEARCHER, agreed=False))
        page.goto("rate/adjudicate")
        page.get_by_role("link", name="Face 1").click()
        expect(page.locator(".votes li")).to_have_count(2)
        expect(page.locator(".votes")).to_contain_text("anger")
        expect(page.locator(".votes")).to_contain_text("fear")
        page.keyboard.press("Digit7")
        expect(page.get_by_role("heading", name="Nothing to decide")).to_be_visible()
    assert (rows(site), rows(site, "adjudications")) == (2, 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone_and_twice_the_text(site: Served, browser: Browser, scheme: str) -> None:
    show(site, "bob", 6, timedelta(milliseconds=400))
    both = rater(site, "both", Role.RATER, Role.RESEARCHER)
    with visiting(browser, site, viewport={"width": 320, "height": 700}, color_scheme=scheme) as visit:
        let_in(site, visit, both)
        visit.page.goto("rate/series")
        clip = visit.page.get_by_role("link", name="Clip 1").get_attribute("href") or ""
        visit.page.goto(clip.lstrip("/"))
        visit.page.locator("[data-ready]").wait_for()
        visit.page.keyboard.press("Digit4")
        visit.page.locator(".lines").wait_for()
        for path in (*PAGES, clip.lstrip("/")):
            visit.page.goto(path)
            assert visit.fits(), path
            assert targets(visit) == [], path
            assert violations(visit.page) == [], path
    with visiting(browser, site, viewport={"width": 800, "height": 700}, color_scheme=scheme) as visit:
        let_in(site, visit, both)
        for path in (*PAGES, clip.lstrip("/")):
            visit.page.goto(path)
            visit.page.evaluate("document.documentElement.style.fontSize = '200%'")
            assert visit.fits(), path


def targets(visit: Visit) -> list[str]:
    """Buttons and fields of this room that are lower than 44 px, by their words."""
    found: list[str] = visit.page.evaluate(
        "[...document.querySelectorAll('main button, main a.button, main select, .top nav a, .last a')]"
        ".filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)"
        ".map((e) => e.textContent.trim())"
    )
    return found


def test_reading_and_voting_need_no_scripts(site: Served, browser: Browser) -> None:
    show(site, "bob", 6, timedelta(milliseconds=400))
    with visiting(browser, site, java_script_enabled=False) as visit:
        page = visit.page
        let_in(site, visit, rater(site))
        page.goto("rate")
        expect(page.get_by_role("img", name="The face to rate")).to_be_visible()
        page.get_by_role("button", name="fear").click()
        expect(page.locator("[data-last] li")).to_have_count(1)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("[data-last] li")).to_have_count(0)
        for path in PAGES[1:5]:
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.get_by_role("link", name="Clip 1").click()
        expect(page.locator(".strip img")).to_have_count(6)
        page.get_by_role("button", name="sadness").click()
        expect(page.locator("tbody tr")).to_have_count(6)
    assert rows(site) == 3
