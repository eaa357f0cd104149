"""What pages look like where words, symbols and labels could come apart or run into each other."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests import builders
from tests.e2e.site import Served, served, visiting
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.series import Correction
from tracker.workflows import consenting, feedback

pytestmark = pytest.mark.e2e

DAY = "timeline/day/2026-03-20"
PHONE = {"width": 390, "height": 844}
LABELS = """() => {
  const found = [];
  const visit = (view) => {
    if (view.tick_coords && view.model.visible && view.model.type === "DatetimeAxis") found.push(view);
    for (const child of view.children()) visit(child);
  };
  for (const root of Bokeh.index.roots) visit(root);
  const [axis] = found;
  const { boxes, at } = { boxes: axis.compute_labels(axis.tick_coords.major[0]).items, at: axis.tick_coords.major[0] };
  const places = axis.coordinates.x_scale.v_compute(at);
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `${axis.model.major_label_text_font_size} ${axis.model.major_label_text_font}`;
  return boxes.map((box, i) => ({ text: box.text, x: places[i], width: pen.measureText(box.text).width }));
}"""


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    """Ada, for whom an operator recorded what she allows, with half a minute of readings and two corrections."""
    access = builders.installation(sqlite_url, tmp_path)
    who = builders.person(access, "ada", [Scope.AFFECT_SERIES])
    said_for = [Scope.CONTEXT]
    consenting.grant(access, who, said_for, builders.NOW, recorder=Recorder.OPERATOR, evidence="form 12")
    start = builders.NOW - timedelta(hours=3)
    batch = [builders.observed(start + timedelta(seconds=s), Emotion.SADNESS) for s in range(40)]
    builders.store(access, who, batch, builders.NOW)
    for second in (3, 5):
        said = Distribution.said(Emotion.SURPRISE)
        at = start + timedelta(seconds=second)
        feedback.correct(access, who, Correction(at, "emotion", said, suggestion_shown=True), builders.NOW)
    access.record_look(who.id, builders.NOW, reader="Eve", what="timeline from 2026-03-03T00:00+00:00")
    with served(tmp_path, access, [who]) as running:
        yield running
    access.database.close()
    access.keys.close()


def test_a_sentence_with_a_link_is_one_run_of_text(site: Served, browser: Browser) -> None:
    with visiting(browser, site, viewport={"width": 1200, "height": 900}) as visit:
        visit.page.goto(site.doors["ada"])
        visit.page.goto(DAY)
        notes = visit.page.locator("p.note:has(a)")
        expect(notes).to_have_count(2)
        for note in notes.all():
            box, link = note.bounding_box(), note.locator("a").bounding_box()
            assert box is not None
            assert link is not None
            assert link["x"] > box["x"] + 60, (
                "the link stands in the line, not at the start of a row of its own"
            )


def test_labels_of_time_do_not_touch_on_a_phone(site: Served, browser: Browser) -> None:
    with visiting(browser, site, viewport=PHONE, has_touch=True, is_mobile=True) as visit:
        visit.page.goto(site.doors["ada"])
        visit.page.goto(DAY)
        visit.chart()
        frame = next(f for f in visit.page.frames if "/chart" in f.url)
        labels = frame.evaluate(LABELS)
        assert len(labels) >= 2
        for left, right in pairwise(labels):
            assert right["x"] - left["x"] > (left["width"] + right["width"]) / 2 + 4, labels


def test_a_symbol_stands_beside_its_words_on_a_phone(site: Served, browser: Browser) -> None:
    with visiting(browser, site, viewport=PHONE, has_touch=True, is_mobile=True) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        page.goto(DAY)
        page.get_by_role("link", name="surprise (10:00:05)").tap()
        expect(page.get_by_role("heading", name="How was it really?")).to_be_visible()
        for row in page.locator(".readings li").all():
            label, symbol = row.locator("span").first.bounding_box(), row.locator(".icon").bounding_box()
            words = row.locator(".emotion").evaluate(
                "e => { const r = document.createRange(); r.selectNodeContents(e.lastChild);"
                " const b = r.getClientRects()[0]; return { x: b.x, y: b.y, height: b.height }; }"
            )
            assert label is not None
            assert symbol is not None
            assert words["y"] < symbol["y"] + symbol["height"] / 2 < words["y"] + words["height"]
            assert words["x"] > symbol["x"] > label["x"]


def test_the_list_of_looks_takes_few_lines_on_a_phone(site: Served, browser: Browser) -> None:
    with visiting(browser, site, viewport=PHONE, has_touch=True, is_mobile=True) as visit:
        visit.page.goto(site.doors["ada"])
        visit.page.goto("my-data")
        when = visit.page.locator(".looks td").first.bounding_box()
        assert when is not None
        assert when["height"] < 30, "the date stands on one line"
        assert visit.fits()
