"""OWASP ASVS 5.0.0, levels 1 and 2, as this program answers it: ``python -m tests.asvs`` writes ``docs/asvs.md``.

``docs/asvs.csv`` is what is written by hand: the number of a demand, its level, what it asks for in our own words,
where we stand, how, and the tests that show it. The standard's own text (CC BY-SA 4.0) is at OWASP.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLE, DOCUMENT = ROOT / "docs" / "asvs.csv", ROOT / "docs" / "asvs.md"
STATES = ("met", "not applicable", "not met")

CHAPTERS = {
    1: "Encoding and sanitisation",
    2: "Validation and business logic",
    3: "Web frontend",
    4: "API and web service",
    5: "Files",
    6: "Authentication",
    7: "Sessions",
    8: "Authorisation",
    9: "Self-contained tokens",
    10: "OAuth and OIDC",
    11: "Cryptography",
    12: "Secure communication",
    13: "Configuration",
    14: "Data protection",
    15: "Secure coding and architecture",
    16: "Logging and errors",
    17: "WebRTC",
}
SHOWN = frozenset({2, 4, 5, 6, 7, 8, 14, 16})
"""Chapters in which a test shows each demand that is met."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One demand of the standard.

    Attributes
    ----------
    id, level
        As the standard has them.
    what
        What it asks for, in our words.
    state, how
        Where we stand, and why or by what.
    tests
        What shows it: ``FILE::NAME`` from the root.
    """

    id: str
    level: int
    what: str
    state: str
    how: str
    tests: tuple[str, ...]

    @property
    def chapter(self) -> int:
        """The number of its chapter."""
        return int(self.id.partition(".")[0])


def demands() -> list[Demand]:
    """Every row of the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [
            Demand(
                row["id"],
                int(row["level"]),
                row["what"],
                row["state"],
                row["how"],
                tuple(row["tests"].split()),
            )
            for row in csv.DictReader(file)
        ]


def document() -> str:
    """The table as a page."""
    found = demands()
    lines = [
        "# OWASP ASVS 5.0",
        "",
        "Where this program stands to each demand of levels 1 and 2 of the [Application Security Verification Standard]"
        "(https://owasp.org/www-project-application-security-verification-standard/)",
        "5.0.0, said in our own words and judged by ourselves: nobody else has looked. Made of `asvs.csv` by "
        "`python -m tests.asvs`. What the rows",
        "rest on is in [security-rules.md](security-rules.md) and [security.md](security.md); why it stands so in "
        "[decision 38](decisions/0038-asvs.md).",
        "",
        "| state | level 1 | level 2 |",
        "| --- | --- | --- |",
    ]
    for state in STATES:
        counts = [sum(d.state == state and d.level == level for d in found) for level in (1, 2)]
        lines.append(f"| {state} | {counts[0]} | {counts[1]} |")
    lines += ["", "## Not met", ""]
    lines += [f"- **{d.id}** {d.what}. {d.how}." for d in found if d.state == "not met"]
    for number, title in CHAPTERS.items():
        lines += ["", f"## V{number} {title}", "", "| id | level | what | state | how | test |"]
        lines.append("| --- | --- | --- | --- | --- | --- |")
        for d in found:
            if d.chapter == number:
                tests = " ".join(f"`{test}`" for test in d.tests)
                lines.append(f"| {d.id} | {d.level} | {d.what} | {d.state} | {d.how} | {tests} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
