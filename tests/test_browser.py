"""Which Chromium the browser tests drive, and what is said where there is none."""

import sys
from pathlib import Path

import pytest

from tests import browser


def test_a_named_browser_wins() -> None:
    assert browser.chromium({"AFFECT_CHROMIUM": sys.executable}) == Path(sys.executable)


def test_a_named_browser_that_is_not_there_is_named_in_the_error(tmp_path: Path) -> None:
    missing = tmp_path / "chromium"
    with pytest.raises(browser.NoBrowserError, match=str(missing)):
        browser.chromium({"AFFECT_CHROMIUM": str(missing)})


def test_the_one_on_the_path_is_found(tmp_path: Path) -> None:
    program = tmp_path / "chromium-browser"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert browser.chromium({"PATH": str(tmp_path)}) == program


@pytest.mark.skipif(any(path.exists() for path in browser.APPLICATIONS), reason="this machine has a browser")
def test_without_any_the_error_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(browser.NoBrowserError, match="apt install chromium"):
        browser.chromium({"PATH": str(tmp_path)})
