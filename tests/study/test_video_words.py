"""What participants and operators read about kept video is what the program does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.domain.consent import Scope
from tracker.domain.notice import BUILT_IN
from tracker.domain.video import A_DAY, EVERY_S, SIDE
from tracker.study import DEFAULT, notice_text
from tracker.study.parts import Coarsening, Resolution, Retention, Step
from tracker.study.whole import days_of
from tracker.vision.covering import around

DOCS = Path(__file__).parents[2] / "docs"
WORDS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}


@pytest.mark.parametrize("text", [BUILT_IN, notice_text(DEFAULT)], ids=["built-in", "of a study"])
def test_the_card_says_the_limits(text: object) -> None:
    said = (
        BUILT_IN.card(Scope.RAW_VIDEO).what
        if text is BUILT_IN
        else notice_text(DEFAULT).card(Scope.RAW_VIDEO).what
    )
    assert f"At most {WORDS[round(1 / EVERY_S)]} pictures a second" in said
    assert f"{SIDE} pixels" in said
    assert f"{A_DAY // 1024**2} MiB of a day" in said
    assert "all of a picture is covered but a rectangle around your head" in said
    assert "about two and a half times as wide and as high as your face" in said
    _, _, width, height = around((0.0, 0.0, 1.0, 1.0))
    assert (round(2 * width), round(2 * height)) == (5, 5)
    for seen in ("the room behind you", "a mirror", "somebody close beside your face"):
        assert seen in said, "what can still be seen is said"


def test_capture_md_says_them_too() -> None:
    said = (DOCS / "capture.md").read_text("utf-8")
    assert f"{SIDE} pixels" in said
    assert f"{A_DAY // 1024**2} MiB" in said
    assert f"{WORDS[round(1 / EVERY_S)]} frames a second" in said


def test_video_is_kept_no_longer_than_the_series_is_whole() -> None:
    """A frame names a moment; where the series gives its moments up, no frame holds on to them."""
    steps = (Step(after_days=40, to=Resolution.MINUTE),)
    for raw_video, affect_series, coarser, days in (
        (None, None, False, None),
        (7, None, False, 7),
        (90, 30, False, 30),
        (90, None, True, 40),
        (None, None, True, 40),
        (7, None, True, 7),
    ):
        study = DEFAULT.model_copy(
            update={
                "retention": Retention(raw_video=raw_video, affect_series=affect_series),
                "coarsening": Coarsening(affect_series=steps if coarser else ()),
            }
        )
        assert days_of(study, Scope.RAW_VIDEO) == days
