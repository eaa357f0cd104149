"""No page violates WCAG 2.2 AA, light and dark, on a small phone and with large text; and each reads without scripts.

Add a page to `PAGES`: a path, and for whom. Each is looked at with axe-core, which finds what a program can find.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests import builders
from tests.builders import leaning
from tests.e2e.sessions import let_in, with_second_factor
from tests.e2e.site import Served, Visit, served, visiting
from tests.e2e.wcag import violations
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Role
from tracker.domain.series import Context, Correction, Prompt
from tracker.domain.stretches import Stretch
from tracker.workflows import consenting, feedback, hiding, prompts

pytestmark = pytest.mark.e2e

NOBODY, ADA, NEW, JUDGE, ROSA = "", "ada", "new", "judge", "rosa"


@dataclass(frozen=True)
class Looked:
    """A page to look at.

    Attributes
    ----------
    path
        Of it.
    of
        Who looks: nobody, somebody with ten days of everything, somebody who has just come, a researcher who has to
        set up a second factor first, one who has.
    reads
        Whether it says all that it has to say without scripts.
    charts
        Whether a chart stands on it: then a table and a sentence must, too.
    """

    path: str
    of: str = ADA
    reads: bool = True
    charts: bool = False


PAGES: list[Looked] = [
    Looked("login", NOBODY),
    Looked("withdraw", NOBODY),
    Looked("timeline/day/2026-03-20", charts=True),
    Looked("timeline/week/2026-03-20", charts=True),
    Looked("timeline/month/2026-03-20", charts=True),
    Looked("timeline/day/2026-01-01"),
    Looked("timeline/day/2026-03-20", NEW),
    Looked("moment/1773998400"),
    Looked("learned"),
    Looked("learned", NEW),
    Looked("stretch"),
    Looked("answer", reads=False),
    Looked("answer/devices"),
    Looked("capture", reads=False),
    Looked("consent"),
    Looked("consent", NEW),
    Looked("my-data"),
    Looked("privacy"),
    Looked("account"),
    Looked("account/app"),
    Looked("account", JUDGE),
    Looked("study", ROSA),
    Looked("study/prompts?days=14", ROSA),
    Looked("study/people/{ada}?days=14", ROSA),
    Looked("study/raters", ROSA),
    Looked("study/everybody", ROSA),
    Looked("study/jobs", ROSA),
    Looked("password"),
    Looked("notice"),
    Looked("answer/shell", reads=False),
    Looked("nowhere"),
    Looked("api/v1/docs", NOBODY),
    Looked("account/tokens"),
    Looked("study/exports", ROSA),
    Looked("confirm"),
]
"""Every page of participants, and what all have in common; whoever builds another adds it here.

The raters' room looks at its own in `test_rating`; pages that a single act leads to are looked at where it is done, in
`test_coming_and_going`."""

SCREENS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1200, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1200, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 320, "height": 640}, "color_scheme": "light"},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Ada with ten days of everything, a question put just now, something hidden; and somebody new."""
    folder = tmp_path_factory.mktemp("axe")
    access = builders.installation(f"sqlite:///{folder / 'axe.db'}", folder)
    now, minute = builders.NOW, timedelta(minutes=1)
    who = builders.person(access, ADA, now=now - timedelta(days=11))
    for day in range(10):
        start = now - timedelta(days=day, hours=3)
        batch = [
            builders.observed(start + i * 3 * minute, None if i % 9 == 4 else list(Emotion)[i % 8])
            for i in range(60)
        ]
        builders.store(access, who, batch, start + timedelta(hours=3))
        feedback.add_context(access, who, Context(start, "home", company="alone"), start + minute)
        for i in range(3):
            at = start + i * 50 * minute
            said = Correction(
                at, "emotion", leaning(list(Emotion)[(i + day) % 8], 0.9), suggestion_shown=True
            )
            feedback.correct(access, who, said, at + minute, note="a note" if i == 0 else None)
            state = "completed" if i else "expired"
            asked = Prompt(f"slot-{day}-{i}", at, at, at, at if i else None, state, random=True)
            number = prompts.record(access, who, asked, at + minute)
            if i:
                alone = Correction(at, "leave_me_alone", None, float(i % 2))
                feedback.correct(access, who, alone, at + minute, prompt=number)
    hiding.hide(access, who, Stretch(now - 90 * minute, now - 60 * minute), now)
    access.record_look(who.id, now, reader="Eve", what="timeline")
    new = builders.person(access, NEW, [Scope.AFFECT_SERIES])
    consenting.grant(access, new, [Scope.CONTEXT], now, recorder=Recorder.OPERATOR, evidence="form 12")
    with served(folder, access, [who, new]) as running:
        yield running
    access.database.close()
    access.keys.close()


@pytest.fixture(scope="module")
def cookies(site: Served, browser: Browser) -> dict[str, list[Any]]:
    """A session for each who looks: a door opens once."""
    found: dict[str, list[Any]] = {NOBODY: []}
    for name, door in site.doors.items():
        with visiting(browser, site) as visit:
            visit.page.goto(door)
            found[name] = visit.page.context.cookies()
    with visiting(browser, site) as visit:
        let_in(site, visit, builders.member(site.access, JUDGE, Role.RESEARCHER))
        visit.page.goto("account")
        found[JUDGE] = visit.page.context.cookies()
    with visiting(browser, site) as visit:
        rosa = builders.member(site.access, ROSA, Role.RESEARCHER)
        with_second_factor(site, rosa)
        let_in(site, visit, rosa)
        visit.page.goto("account")
        found[ROSA] = visit.page.context.cookies()
    return found


def opened(site: Served, visit: Visit, cookies: dict[str, list[Any]], looked: Looked) -> Page:
    if cookies[looked.of]:
        visit.page.context.add_cookies(cookies[looked.of])
    visit.page.goto(looked.path.format(ada=site.access.person(ADA).id))
    if looked.charts and visit.page.evaluate("!!document.querySelector('[data-chart]:not([hidden])')"):
        visit.chart()
    return visit.page


def called(looked: Looked) -> str:
    return f"{looked.path} of {looked.of or 'nobody'}"


@pytest.mark.parametrize("screen", SCREENS)
def test_no_page_violates_wcag(
    site: Served, browser: Browser, cookies: dict[str, list[Any]], screen: str
) -> None:
    found: dict[str, list[str]] = {}
    for looked in PAGES:
        with visiting(browser, site, **SCREENS[screen]) as visit:
            page = opened(site, visit, cookies, looked)
            wrong = violations(page)
            if page.locator("h1").count() != 1:
                wrong.append("there is not one heading of the first level")
            if screen == "phone" and not visit.fits():
                wrong.append(f"scrolls sideways: {widest(page)}")
            if wrong:
                found[called(looked)] = wrong
    assert not found, "\n".join(f"{name}: {what}" for name, what in found.items())


def widest(page: Page) -> Any:
    """What sticks out of the window."""
    return page.evaluate(
        """() => [...document.querySelectorAll("body *")]
          .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
          .slice(0, 4).map((e) => e.outerHTML.slice(0, 120))"""
    )


CRAMPED = """() => [...document.querySelectorAll("button, .button, .tile, .chip, .badge, nav a, .segments > *")]
  .filter((e) => e.checkVisibility() && (e.scrollWidth > e.clientWidth + 1 || [...e.children].some((c) => {
    const [own, inner] = [e.getBoundingClientRect(), c.getBoundingClientRect()];
    return inner.right > own.right + 1 || inner.left < own.left - 1; })))
  .map((e) => `${e.scrollWidth} of ${e.clientWidth} px: ${e.outerHTML.slice(0, 100)}`)"""


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("language", ["en", "de"])
def test_no_word_sticks_out_of_its_button_on_a_phone(
    site: Served, browser: Browser, cookies: dict[str, list[Any]], language: str, width: int
) -> None:
    found: dict[str, Any] = {}
    size = {"width": width, "height": 740}
    for looked in PAGES:
        with visiting(browser, site, viewport=size, locale=language) as visit:
            page = opened(site, visit, cookies, looked)
            assert page.locator(f"html[lang={language}]").count() == 1
            wrong = page.evaluate(CRAMPED) + ([] if visit.fits() else widest(page))
            if wrong:
                found[called(looked)] = wrong
    assert not found, "\n".join(f"{name}: {what}" for name, what in found.items())


def test_with_text_twice_as_large_no_page_scrolls_sideways(
    site: Served, browser: Browser, cookies: dict[str, list[Any]]
) -> None:
    found: dict[str, Any] = {}
    for looked in PAGES:
        with visiting(browser, site, viewport={"width": 1280, "height": 900}) as visit:
            page = opened(site, visit, cookies, looked)
            page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
            if not visit.fits():
                found[called(looked)] = widest(page)
    assert not found, "\n".join(f"{name}: {what}" for name, what in found.items())


def test_every_target_is_large_enough_for_a_finger(
    site: Served, browser: Browser, cookies: dict[str, list[Any]]
) -> None:
    """WCAG 2.2 asks for 24 pixels; what is pressed on a phone is larger here, but for links in a line of text."""
    found: dict[str, Any] = {}
    for looked in PAGES:
        with visiting(browser, site, viewport={"width": 390, "height": 844}) as visit:
            page = opened(site, visit, cookies, looked)
            small = page.evaluate(
                """() => [...document.querySelectorAll("main button, main .button")]
                  .map((e) => [e, e.getBoundingClientRect()]).filter(([, b]) => b.width && b.height < 31.5)
                  .map(([e, b]) => `${Math.round(b.height)} px: ${e.outerHTML.slice(0, 100)}`)"""
            )
            if small:
                found[called(looked)] = small
    assert not found, "\n".join(f"{name}: {what}" for name, what in found.items())


def test_read_pages_work_without_scripts(
    site: Served, browser: Browser, cookies: dict[str, list[Any]]
) -> None:
    for looked in (page for page in PAGES if page.reads):
        with visiting(browser, site, java_script_enabled=False) as visit:
            page = opened(site, visit, cookies, looked)
            said = page.locator("main").inner_text().strip()
            assert len(said) > 20, f"{called(looked)} says nothing without scripts"
            if looked.charts:
                assert page.locator("main noscript svg.overview, main svg.overview").count() == 1


def test_each_chart_has_a_table_and_one_sentence(
    site: Served, browser: Browser, cookies: dict[str, list[Any]]
) -> None:
    for looked in (page for page in PAGES if page.charts):
        with visiting(browser, site) as visit:
            page = opened(site, visit, cookies, looked)
            assert page.locator("#summary").inner_text().endswith(".")
            assert page.locator("main table tbody tr").count() > 0
            title = page.locator("[data-chart] iframe").get_attribute("title")
            assert title is not None
            assert "table" in title
