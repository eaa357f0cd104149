"""Passkeys in a real browser: made, used to log in and as the second factor, refused where they must be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import builders
from tests.e2e.passkeys import authenticator, named
from tests.e2e.site import Served, Visit, served, visiting
from tests.e2e.wcag import violations
from tracker.domain.members import Role
from tracker.workflows import accounts

pytestmark = pytest.mark.e2e

PASSWORD = "correct horse battery"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    """Ada, a participant, and Rosa, a researcher who has no second factor yet; both have a password."""
    access = builders.installation(sqlite_url, tmp_path)
    ada, rosa = builders.person(access), builders.member(access, "rosa", Role.RESEARCHER)
    for whom in (ada, rosa):
        accounts.choose_password(access, whom, PASSWORD, builders.NOW)
    with served(tmp_path, access, [ada]) as running:
        yield named(running)
    access.database.close()
    access.keys.close()


def log_in(page: Page, name: str) -> None:
    page.goto("login")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password, or the one-time code").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(lambda address: not address.endswith("/login"))


def add_passkey(visit: Visit, called: str) -> None:
    """Make one on the page of one's account."""
    page = visit.page
    page.goto("account")
    page.get_by_label("What you call it").fill(called)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkeys .factors")).to_contain_text(called)


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log out", exact=True).click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_participant_makes_a_passkey_and_needs_no_password_any_more(site: Served, browser: Browser) -> None:
    with visiting(browser, site, viewport=PHONE, has_touch=True, is_mobile=True) as visit:
        page = visit.page
        with authenticator(page) as phone:
            log_in(page, "ada")
            add_passkey(visit, "Ada’s phone")
            assert violations(page) == []
            assert len(phone.passkeys()) == 1
            assert [key["rpId"] for key in phone.passkeys()] == ["localhost"]

            # The device knows that it has one, and makes no second.
            page.get_by_role("button", name="Add a passkey").click()
            status = page.locator("#passkeys [role=status]")
            expect(status).to_contain_text("this device has one already")
            assert len(phone.passkeys()) == 1

            log_out(page)
            page.get_by_role("button", name="Use a passkey").click()
            expect(page.get_by_role("button", name="Log out", exact=True)).to_be_visible()
            page.goto("account")
            expect(page.locator("#passkeys")).to_contain_text("last used")
            expect(page.locator("#sign-ins tbody tr").first).to_contain_text("passkey")

            # Removed here, it opens nothing, though the device still has it.
            page.get_by_role("button", name="Remove the passkey Ada’s phone").click()
            expect(page.locator("#passkeys")).to_contain_text("You have none yet")
            log_out(page)
            page.get_by_role("button", name="Use a passkey").click()
            expect(page.get_by_role("status").first).to_contain_text("That passkey was not accepted")


def test_nobody_else_gets_in_with_the_device(site: Served, browser: Browser) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        with authenticator(page) as phone:
            log_in(page, "ada")
            add_passkey(visit, "Ada’s phone")
            log_out(page)
            phone.verifies(False)
            page.get_by_role("button", name="Use a passkey").click()
            status = page.get_by_role("status").first
            expect(status).to_contain_text("The passkey was not used")
            expect(page.get_by_role("heading", name="Log in")).to_be_visible()
            page.goto("account")
            expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_copy_of_a_passkey_that_lags_behind_is_refused(site: Served, browser: Browser) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        with authenticator(page) as phone:
            log_in(page, "ada")
            add_passkey(visit, "Ada’s key")
            (copy,) = phone.passkeys()
            for _ in range(2):
                log_out(page)
                page.get_by_role("button", name="Use a passkey").click()
                expect(page.get_by_role("button", name="Log out", exact=True)).to_be_visible()
            log_out(page)
    with visiting(browser, site) as visit:
        page = visit.page
        with authenticator(page) as stolen:
            stolen.hold(copy)
            page.goto("login")
            page.get_by_role("button", name="Use a passkey").click()
            expect(page.get_by_role("status").first).to_contain_text("That passkey was not accepted")


def test_a_researcher_has_to_make_one_and_it_is_the_second_factor(site: Served, browser: Browser) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        with authenticator(page) as key:
            log_in(page, "rosa")
            expect(page.get_by_role("alert")).to_contain_text("asks for a second factor before anything else")
            page.goto("study")
            expect(page.get_by_role("heading", name="How I log in")).to_be_visible()
            add_passkey(visit, "Rosa’s key")
            page.goto("study")
            expect(page.get_by_role("alert")).to_have_count(0)
            log_out(page)

            # A right password alone opens nothing.
            log_in(page, "rosa")
            expect(page.get_by_role("heading", name="One more step")).to_be_visible()
            assert violations(page) == []
            page.goto("study")
            expect(page.get_by_role("heading", name="Log in")).to_be_visible()

            log_in(page, "rosa")
            page.get_by_role("button", name="Use a passkey").click()
            expect(page.get_by_role("button", name="Log out", exact=True)).to_be_visible()
            page.goto("study")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            assert "/study" in page.url

            # Later the same passkey says once more that it is she.
            site.wait(timedelta(minutes=20))
            page.goto("account")
            page.get_by_role("link", name="It is me").click()
            expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
            page.get_by_role("button", name="Use a passkey").click()
            expect(page.get_by_role("heading", name="How I log in")).to_be_visible()
            expect(page.get_by_role("link", name="It is me")).to_have_count(0)
            assert len(key.passkeys()) == 1
