"""Capture in a real browser whose camera shows a real clip, and clips that are uploaded."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect
from sqlalchemy import text

from tests import builders
from tests.e2e.site import ROOT, Served, launch, served, visiting
from tracker.vision.quiet import quieten

pytestmark = pytest.mark.e2e

MEDIA = ROOT.parent / "shared" / "media"
CLIP = MEDIA / "pyfeat_WolfgangLanger_Pexels.mp4"
PHONE = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def camera(
    driver: Playwright, chromium_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser whose camera shows a man's face over and over."""
    if not CLIP.exists():
        pytest.skip(f"the camera's clip {CLIP.name} is not in shared/media")
    stream = tmp_path_factory.mktemp("camera") / "face.mjpeg"
    _write_mjpeg(CLIP, stream)
    browser = launch(
        driver,
        chromium_path,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={stream}",
    )
    yield browser
    browser.close()


def _write_mjpeg(clip: Path, stream: Path) -> None:
    """Chromium's fake camera wants bare JPEGs, one after another."""
    quieten()
    capture = cv2.VideoCapture(str(clip))
    with stream.open("wb") as file:
        for _ in range(90):
            there, frame = capture.read()
            if not there:
                break
            scale = 480 / max(frame.shape[:2])
            small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            even = small[: small.shape[0] // 2 * 2, : small.shape[1] // 2 * 2]
            done, data = cv2.imencode(".jpg", even)
            assert done
            file.write(data.tobytes())
    capture.release()


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    """Ada, who granted everything; the server's clock is the browser's."""
    access = builders.installation(sqlite_url, tmp_path)
    now = datetime.now(UTC)
    with served(tmp_path, access, [builders.person(access, now=now - timedelta(minutes=1))], now) as running:
        yield running
    access.database.close()
    access.keys.close()


def stored(site: Served, table: str = "observations") -> int:
    with site.access.database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def until(true: Callable[[], bool]) -> None:
    for _ in range(2400):
        if true():
            return
        time.sleep(0.05)
    pytest.fail("it never came true")


def frames(page: Page) -> list[str]:
    """The frames that a page sends from now on."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/frames") else None)
    return sent


def record(site: Served, page: Page) -> None:
    """Go to the camera and begin: the first picture waits for torch to be loaded."""
    page.set_default_timeout(60_000)
    expect.set_options(timeout=30_000)
    page.goto(site.doors["ada"])
    page.goto("capture")
    expect(page.locator("[data-word]")).to_have_text("Camera off")
    page.get_by_role("button", name="Turn the camera on").click()
    expect(page.get_by_text("Is this you? Nothing is recorded until you say so.")).to_be_visible(
        timeout=60_000
    )
    assert stored(site) == 0
    page.get_by_role("button", name="This is me").click()
    expect(page.locator("[data-capture]")).to_have_attribute("data-state", "recording")


def test_from_the_camera_to_rows(site: Served, camera: Browser) -> None:
    with visiting(camera, site) as visit:
        page = visit.page
        record(site, page)
        expect(page.locator("[data-word]")).to_have_text("Recording")
        expect(page).to_have_title(re.compile("^● Recording"))
        expect(page.locator("[data-looks]")).to_have_text(re.compile("looks like|unclear: "), timeout=90_000)
        page.get_by_role("button", name="home").click()
        expect(page.get_by_text("Kept: home")).to_be_visible()
        assert stored(site, "contexts") == 1

        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("[data-word]")).to_have_text("Paused: nothing is sent")
        expect(page).to_have_title(re.compile("^❚❚ Paused"))
        sent = frames(page)
        page.wait_for_timeout(1500)
        assert sent == []
        with page.expect_request("**/capture/frames"):
            page.get_by_role("button", name="Go on").click()
        expect(page.locator("[data-word]")).to_have_text("Recording")

        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text("Stopped. What was seen is in your timeline.")).to_be_visible()
        expect(page).to_have_title(re.compile("^Capture"))
        page.wait_for_timeout(500)
        assert stored(site) >= 3
        assert stored(site, "estimates") >= 4, "the network's word and ada's own learner's"
        assert stored(site, "crops") >= 2


def test_a_withdrawal_in_another_tab_stops_it_and_nothing_comes_after(site: Served, camera: Browser) -> None:
    with visiting(camera, site) as visit:
        page = visit.page
        record(site, page)
        until(lambda: stored(site) >= 2)
        other = page.context.new_page()
        other.goto(f"{site.address}consent")
        other.get_by_role("button", name="Withdraw: Keep my series").click()
        expect(other.get_by_text("What should happen with what is stored?")).to_be_visible()
        after = {table: stored(site, table) for table in ("observations", "estimates", "crops")}
        expect(page.get_by_text("You have not allowed “Keep my series of estimates”")).to_be_visible(
            timeout=20_000
        )
        expect(page.locator("[data-word]")).to_have_text("Camera off")
        sent = frames(page)
        page.wait_for_timeout(2000)
        assert sent == []
        assert {table: stored(site, table) for table in after} == after
        page.get_by_role("button", name="Turn the camera on").click()
        expect(page.locator("[data-status]")).to_contain_text("You have not allowed")
        page.reload()
        expect(page.get_by_role("button", name="Turn the camera on")).to_have_count(0)


def test_it_stops_when_the_tab_is_hidden_and_when_another_tab_logs_out(site: Served, camera: Browser) -> None:
    with visiting(camera, site) as visit:
        page = visit.page
        record(site, page)
        until(lambda: stored(site) >= 1)
        # A headless browser hides no tab; the page is told what it would be told.
        page.evaluate(
            "Object.defineProperty(document, 'hidden', { value: true, configurable: true });"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )
        expect(page.get_by_text("Stopped, because this page was out of sight.")).to_be_visible()
        assert page.evaluate("document.querySelector('[data-video]').srcObject") is None, "the camera is off"
        page.evaluate("delete document.hidden")
        page.get_by_role("button", name="Turn the camera on").click()
        page.get_by_role("button", name="This is me").click()
        expect(page.locator("[data-word]")).to_have_text("Recording")
        other = page.context.new_page()
        other.goto(f"{site.address}consent")
        other.get_by_role("button", name="Log out").click()
        expect(page.get_by_text("You are logged out, so capturing stopped.")).to_be_visible()
        assert page.evaluate("document.querySelector('[data-video]').srcObject") is None


def test_a_second_tab_takes_over(site: Served, camera: Browser) -> None:
    with visiting(camera, site) as visit:
        page = visit.page
        record(site, page)
        other = page.context.new_page()
        other.goto(f"{site.address}capture")
        other.get_by_role("button", name="Turn the camera on").click()
        other.get_by_role("button", name="This is me").click()
        expect(page.get_by_text("Capturing goes on in another tab or on another device")).to_be_visible()
        expect(other.locator("[data-word]")).to_have_text("Recording")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_small_phone_and_needs_no_mouse(site: Served, camera: Browser, scheme: str) -> None:
    with visiting(camera, site, viewport=PHONE, color_scheme=scheme) as visit:
        page = visit.page
        page.set_default_timeout(60_000)
        page.goto(site.doors["ada"])
        page.goto("capture")
        assert visit.fits()
        page.get_by_role("button", name="Turn the camera on").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="This is me")).to_be_focused(timeout=60_000)
        assert visit.fits()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Pause")).to_be_focused()
        page.keyboard.press("Space")
        expect(page.locator("[data-word]")).to_have_text("Paused: nothing is sent")
        assert visit.fits()
        heights = page.locator("main button:visible").evaluate_all("found => found.map(b => b.offsetHeight)")
        assert min(heights) >= 44


def test_a_clip_is_uploaded_over_a_broken_connection(site: Served, camera: Browser) -> None:
    with visiting(camera, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        page.goto("capture")
        broken: list[object] = []

        def breaks(route: object) -> None:
            # The first two pieces are lost on the way; the page goes on where the server says.
            if len(broken) < 2:
                broken.append(route)
                route.abort("connectionreset")  # type: ignore[attr-defined]
            else:
                route.continue_()  # type: ignore[attr-defined]

        page.route(re.compile(r"/capture/uploads/[^/]+/\d+$"), breaks)
        page.locator("[data-file]").set_input_files(CLIP)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        page.locator("[data-from]").fill(yesterday.strftime("%Y-%m-%dT%H:%M:%S"))
        page.get_by_role("button", name="Upload and read").click()
        expect(page.get_by_text("No connection; it goes on by itself.")).to_be_visible()
        expect(page.locator("[data-upload-status]")).to_contain_text("moments stored", timeout=120_000)
        assert len(broken) == 2
        assert stored(site) > 5
