"""Which Chromium the browser tests drive: the distribution's own, so that nothing is downloaded for them."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
HOW_TO_GET_IT = (
    "Debian: apt install chromium; Fedora: dnf install chromium; macOS: brew install --cask chromium; "
    "or name one with AFFECT_CHROMIUM=/path/to/chromium"
)


class NoBrowserError(RuntimeError):
    """There is no Chromium to drive; the message says how to get one."""


def chromium(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the Chromium to hand to Playwright as ``executable_path``."""
    named = environ.get("AFFECT_CHROMIUM")
    if named:
        if not shutil.which(named):
            raise NoBrowserError(f"AFFECT_CHROMIUM={named} is not a program that can be run")
        return Path(named)
    for name in NAMES:
        if found := shutil.which(name, path=environ.get("PATH")):
            return Path(found)
    for application in APPLICATIONS:
        if application.exists():
            return application
    raise NoBrowserError(f"the browser tests need Chromium. {HOW_TO_GET_IT}")


if __name__ == "__main__":
    try:
        chromium()
    except NoBrowserError as reason:
        sys.exit(str(reason))
