"""What axe-core finds against WCAG 2.2 AA on a page: what a program can find, not all that there is."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Page) -> list[str]:
    """Each violation with its place, in a line."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}}).response["violations"]
    return [
        f"{v['id']} ({v['impact']}): {v['help']}: {node['target']} {node['html'][:160]}"
        for v in found
        for node in v["nodes"]
    ]
