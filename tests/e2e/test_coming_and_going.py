"""The first and the last thing that a participant does: come by an invitation and choose; erase everything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from tests import builders
from tests.e2e.site import Served, served, visiting
from tests.e2e.wcag import violations
from tracker.domain.affect import Emotion
from tracker.domain.consent import Scope
from tracker.domain.people import UnknownParticipantError
from tracker.privacy.verifying import Verified, VerifiedErasure, verify
from tracker.store import tables
from tracker.workflows import accounts, enrolment

pytestmark = pytest.mark.e2e

PASSWORD = "correct horse battery"
PHONE = {"width": 390, "height": 844}
CHOSEN = {"affect_series": "Allow", "context": "No", "prompts": "Allow"}


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    """Ada, with an hour of readings and a password."""
    access = builders.installation(sqlite_url, tmp_path)
    ada = builders.person(access)
    accounts.choose_password(access, ada, PASSWORD, builders.NOW)
    minutes = [builders.NOW - timedelta(minutes=m) for m in range(60)]
    builders.store(access, ada, [builders.observed(at, Emotion.SADNESS) for at in minutes])
    with served(tmp_path, access, [ada]) as running:
        yield running
    access.database.close()
    access.keys.close()


def saved(page: Page, link: str) -> str:
    """Click what downloads a file; return its text."""
    with page.expect_download() as coming:
        page.get_by_role("link", name=link).click()
    return Path(coming.value.path()).read_text()


def count(site: Served, table: str) -> int:
    with site.access.database.read() as connection:
        found: int = connection.execute(
            select(func.count()).select_from(tables.metadata.tables[table])
        ).scalar_one()
    return found


def test_an_invitation_leads_to_choices_of_which_none_is_made_and_to_a_receipt(
    site: Served, browser: Browser
) -> None:
    bob = enrolment.enrol(site.access, "bob", "Europe/Berlin", builders.NOW).person
    link = f"invited/{accounts.invite(site.access, bob, builders.NOW)}"
    with visiting(browser, site, viewport=PHONE, has_touch=True, is_mobile=True) as visit:
        page = visit.page
        page.goto(link)
        expect(page.get_by_text("This link is for bob")).to_be_visible()
        assert violations(page) == []
        page.get_by_role("button", name="Come in").tap()

        expect(page.get_by_role("heading", name="emotion recognition system")).to_be_visible()
        expect(page.get_by_text("Nobody watches in real time").first).to_be_visible()
        assert violations(page) == []
        page.get_by_role("button", name="I have read this").tap()
        expect(page.get_by_role("heading", name="Choose a password")).to_be_visible()
        assert violations(page) == []
        page.get_by_label("Password, at least").fill(PASSWORD)
        page.get_by_label("The same once more").fill(PASSWORD)
        page.get_by_role("button", name="Keep this password").tap()

        expect(page.get_by_role("heading", name="What you allow")).to_be_visible()
        cards = page.locator("section.choice")
        assert sorted(card.get_attribute("id") or "" for card in cards.all()) == sorted(Scope)
        for card in cards.all():
            facts = card.locator(".facts dt").all_inner_texts()
            assert facts == ["What", "Why", "Who sees it", "How long"]
            expect(card.locator(".badge")).to_have_text("not chosen")
            allow, no = (
                card.get_by_role("button", name=f"{word}:").bounding_box() for word in ("Allow", "No")
            )
            assert allow is not None
            assert no is not None
            assert (allow["width"], allow["height"]) == (no["width"], no["height"]), "neither is suggested"
        expect(page.locator("main :checked")).to_have_count(0)
        expect(page.get_by_role("heading", name="Your receipt")).to_have_count(0)
        assert visit.fits()

        for scope, answer in CHOSEN.items():
            page.locator(f"#{scope}").get_by_role("button", name=f"{answer}:").tap()
            expect(page.locator(f"#{scope} .badge")).to_have_text(
                "allowed" if answer == "Allow" else "you said no"
            )
            assert (
                page.evaluate("document.activeElement?.closest('section')?.id ?? location.hash.slice(1)")
                == scope
            )
        receipt = verify(saved(page, "Download my receipt"))
        assert isinstance(receipt, Verified)
        assert receipt.events == len(CHOSEN)

        page.get_by_role("button", name="Log out").tap()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        page.goto(link)
        expect(page.get_by_role("alert")).to_contain_text("This link was used already")
        assert violations(page) == []
    with site.access.read(bob.id, builders.NOW + timedelta(hours=1)) as unit:
        assert set(unit.grants()) == {Scope.AFFECT_SERIES, Scope.PROMPTS}


def test_erasing_asks_again_who_it_is_then_leaves_nothing_but_a_certificate(
    site: Served, browser: Browser
) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        page.goto("login")
        page.get_by_label("Your name").fill("ada")
        page.get_by_label("Password, or the one-time code").fill(PASSWORD)
        page.get_by_role("button", name="Log in", exact=True).click()
        page.goto("my-data")

        # A session that somebody left open takes nothing along.
        site.wait(timedelta(minutes=20))
        page.get_by_role("button", name="Download").click()
        expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
        assert violations(page) == []
        page.get_by_label("Your password").fill("not this one")
        page.get_by_role("button", name="It is me").click()
        expect(page.get_by_role("alert")).to_contain_text("That is not your password")
        page.get_by_label("Your password").fill(PASSWORD)
        page.get_by_role("button", name="It is me").click()
        expect(page.get_by_role("heading", name="My data")).to_be_visible()
        with page.expect_download() as coming:
            page.get_by_role("button", name="Download").click()
        assert coming.value.suggested_filename == "my-data-2026-03-20.zip"

        # Erasing asks each time.
        erase = page.get_by_role("button", name="Erase everything about me")
        page.get_by_label("Your password, to be sure").fill("not this one")
        erase.click()
        expect(page.get_by_role("alert")).to_contain_text("nothing was erased")
        assert count(site, "observations") == 60
        page.get_by_label("Your password, to be sure").fill(PASSWORD)
        erase.click()
        expect(page.get_by_role("heading", name="Everything about you is erased")).to_be_visible()
        assert violations(page) == []
        certificate = verify(saved(page, "Download the certificate"))
        assert isinstance(certificate, VerifiedErasure)
        assert certificate.rows >= 120, (
            "an observation and an estimate each minute, and what made her somebody"
        )
        expect(page.get_by_role("link", name="Timeline")).to_have_count(0)

        page.goto("my-data")
        page.get_by_label("Your name").fill("ada")
        page.get_by_label("Password, or the one-time code").fill(PASSWORD)
        page.get_by_role("button", name="Log in", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
    assert [count(site, t) for t in ("observations", "estimates", "participants")] == [0, 0, 0]
    with pytest.raises(UnknownParticipantError):
        site.access.person("ada")
    assert "ada" not in json.dumps(certificate.as_dict())
