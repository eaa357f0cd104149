"""What is said of OWASP ASVS 5.0 is whole, names tests that are there, and states figures that the code has."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from tests import asvs
from tracker.domain import answers, guessed, notes, passwords, tokens
from tracker.domain.entering import How
from tracker.domain.members import Role
from tracker.study import reading as study_files
from tracker.vision import received
from tracker.workflows import accounts, enrolment
from tracker.workflows.accounts.factors import MOST_PASSKEYS
from tracker.workflows.importing import reading as archives
from tracker.workflows.ingest import live, uploads
from webui import auth, journal, limits
from webui.account import ceremonies
from webui.account.page import HOWS
from webui.participant import downloads, entering

ROOT = asvs.ROOT
RULES = (ROOT / "docs" / "security-rules.md").read_text("utf-8")

# Every demand of levels 1 and 2, by section: how many there are, and which of them are of level 1 (5.0.0, May 2025).
ALL = """
1.1: 1 2 | 1.2: 1* 2* 3* 4* 5* 6 7 8 9 | 1.3: 1* 2* 3 4 5 6 7 8 9 10 11 | 1.4: 1 2 3 | 1.5: 1* 2
2.1: 1* 2 3 | 2.2: 1* 2* 3 | 2.3: 1* 2 3 4 | 2.4: 1
3.2: 1* 2* | 3.3: 1* 2 3 4 | 3.4: 1* 2* 3 4 5 6 | 3.5: 1* 2* 3* 4 5 | 3.7: 1 2
4.1: 1* 2 3 | 4.2: 1 | 4.3: 1 2 | 4.4: 1* 2 3 4
5.1: 1 | 5.2: 1* 2* 3 | 5.3: 1* 2* | 5.4: 1 2 3
6.1: 1* 2 3 | 6.2: 1* 2* 3* 4* 5* 6* 7* 8* 9 10 11 12 | 6.3: 1* 2* 3 4 | 6.4: 1* 2* 3 4 | 6.5: 1 2 3 4 5
6.6: 1 2 3 | 6.8: 1 2 3 4
7.1: 1 2 3 | 7.2: 1* 2* 3* 4* | 7.3: 1 2 | 7.4: 1* 2* 3 4 5 | 7.5: 1 2 | 7.6: 1 2
8.1: 1* 2 | 8.2: 1* 2* 3 | 8.3: 1* | 8.4: 1
9.1: 1* 2* 3* | 9.2: 1* 2 3 4
10.1: 1 2 | 10.2: 1 2 | 10.3: 1 2 3 4 | 10.4: 1* 2* 3* 4* 5* 6 7 8 9 10 11 | 10.5: 1 2 3 4 5 | 10.6: 1 2
10.7: 1 2 3
11.1: 1 2 | 11.2: 1 2 3 | 11.3: 1* 2* 3 | 11.4: 1* 2 3 4 | 11.5: 1 | 11.6: 1
12.1: 1* 2 3 | 12.2: 1* 2* | 12.3: 1 2 3 4
13.1: 1 | 13.2: 1 2 3 4 5 | 13.3: 1 2 | 13.4: 1* 2 3 4 5
14.1: 1 2 | 14.2: 1* 2 3 4 | 14.3: 1* 2 3
15.1: 1* 2 3 | 15.2: 1* 2 3 | 15.3: 1* 2 3 4 5 6 7
16.1: 1 | 16.2: 1 2 3 4 5 | 16.3: 1 2 3 4 | 16.4: 1 2 3 | 16.5: 1 2 3
17.1: 1 | 17.2: 1 2 3 4 | 17.3: 1 2
"""


def standard() -> dict[str, int]:
    """Every demand of levels 1 and 2, with its level."""
    found = {}
    for section, rest in re.findall(r"(\d+\.\d+):((?: \d+\*?)+)", ALL):
        for number in rest.split():
            found[f"{section}.{number.rstrip('*')}"] = 1 if number.endswith("*") else 2
    return found


@cache
def named_in(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    )


# --- the table ------------------------------------------------------------------------------------------------------


def test_the_standard_has_the_demands_that_it_has() -> None:
    assert Counter(standard().values()) == {1: 70, 2: 183}


def test_every_demand_stands_in_the_table_once_with_its_level() -> None:
    found = asvs.demands()
    assert Counter(d.id for d in found) == Counter(dict.fromkeys(standard(), 1))
    assert {d.id: d.level for d in found} == standard()


def test_every_demand_says_where_we_stand_and_why_where_it_is_not_met() -> None:
    for demand in asvs.demands():
        assert demand.state in asvs.STATES, demand.id
        assert demand.what, demand.id
        assert demand.how or demand.tests, demand.id
        if demand.state != "met":
            assert len(demand.how) > 5, demand.id


def test_in_the_chapters_that_are_shown_a_test_shows_each_demand_that_is_met() -> None:
    bare = [d.id for d in asvs.demands() if d.chapter in asvs.SHOWN and d.state == "met" and not d.tests]
    assert bare == []


def test_every_test_of_the_table_is_there() -> None:
    missing = [
        f"{demand.id}: {test}"
        for demand in asvs.demands()
        for test in demand.tests
        if test.partition("::")[2] not in named_in(test.partition("::")[0])
    ]
    assert missing == []


def test_the_document_is_the_table() -> None:
    assert asvs.DOCUMENT.read_text("utf-8") == asvs.document(), "write it again: python -m tests.asvs"


# --- the rules ------------------------------------------------------------------------------------------------------


WRITTEN = {5: "five", 6: "six", 7: "seven"}


def minutes(time: timedelta) -> int:
    return int(time.total_seconds() // 60)


def test_the_rules_state_the_limits_that_the_code_has() -> None:
    kib, mib, gib = 1024, 1024**2, 1024**3
    for said in (
        f"{passwords.SHORTEST} to {entering.LONGEST} characters of any kind",
        f"at most {notes.LONGEST} characters",
        f"at most {tokens.LONGEST_NAME} characters",
        f"at most {study_files.LARGEST} bytes",
        f"one of {WRITTEN[len(answers.STRENGTHS)]}, one of {WRITTEN[answers.STEPS]}",
        f"{limits.LOGINS} a minute for an address",
        f"{accounts.TRIES} wrong tries lock for {minutes(accounts.LOCKED_FOR)} minutes",
        f"{limits.HASHES_AT_ONCE} password hashes at once, waiting {limits.PATIENCE_S:g} seconds",
        f"{limits.REQUESTS} a minute for a token; {tokens.MOST} tokens for a person",
        f"broken off after {downloads.LONGEST_S / 60:g} minutes | {limits.ARCHIVES_AT_ONCE} at once",
        f"counted and dropped | {live.MOST} |",
        f"one clip | {uploads.HELD // mib} MiB in memory",
        f"| passkeys | {MOST_PASSKEYS} |",
        f"{limits.LARGEST_REQUEST // kib} KiB | 413",
        f"{limits.LARGEST_FRAME // mib} MiB, {received.MOST_PIXELS} pixels",
        f"{uploads.LARGEST // mib} MiB in pieces of {limits.LARGEST_PIECE // mib} MiB",
        f"dropped after {uploads.KEPT_S / 60:g} minutes without a piece",
        f"{archives.LARGEST // gib} GiB unpacked, {archives.STEEPEST} times its size",
        f"lists of {archives.LARGEST_LIST // mib} MiB, pictures of {archives.LARGEST_PICTURE // mib} MiB",
        f"for {enrolment.CODE_HOLDS.days} days",
        f"for {accounts.INVITATION_HOLDS.days} days",
        f"a challenge of {WRITTEN[minutes(ceremonies.LASTS)]} minutes",
        f"| {auth.IDLE // timedelta(hours=1)} hour; what a page asks by itself does not count"
        f" | {auth.LASTS // timedelta(hours=1)} hours |",
        f"asks again who they are after {minutes(auth.FRESH)} minutes",
        f"waited for {minutes(auth.HALF)} minutes after a right password",
        f"other letters or digits. Besides, the {len(guessed._common()):,} most frequent",
    ):
        assert said in RULES, said
    assert f"needs {WRITTEN[guessed.LEFT]}" in RULES


def test_the_rules_say_what_must_fit_together_and_how_many_sessions_there_may_be() -> None:
    fits = RULES.partition("## What must fit together")[2].partition("\n## ")[0]
    for said in ("a second emotion comes after a first", "both axes", "the device's clock", "does not cover"):
        assert said in fits, said
    for said in ("without a grant", "which face is theirs", "`Idempotency-Key`", "rated an item", "a shape"):
        assert said in fits, said
    assert "As many sessions at once as one likes" in RULES.partition("## Sessions")[2].partition("\n## ")[0]


def test_the_rules_name_every_word_that_no_password_is_made_of() -> None:
    found = re.search(r"\*\*Words that no password is made of\*\*: .* and its parts, and ([^.]+)\.", RULES)
    assert found is not None
    assert tuple(re.split(r",\s+", found[1])) == guessed.WORDS


def test_the_rules_name_every_way_in() -> None:
    ways = re.findall(r"(?m)^\| ([^|]+?) \| (?:one|two|none|what its)", RULES.partition("## Ways in")[2])
    told = {str(HOWS[how]) for how in How}
    assert told <= set(ways)


def test_the_rules_name_every_role() -> None:
    part = RULES.partition("## Who may")[2].partition("## ")[0]
    assert [role for role in Role if f"| {role.value} |" not in part] == []


def test_the_inventory_has_every_event_and_no_other() -> None:
    part = RULES.partition("| event | when |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    written = {
        node.args[0].value
        for path in (ROOT / "webui").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("journal.tell", "tell")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert told == written
    statuses = re.search(r"every answer ([\d, ]+), with its status", RULES)
    assert statuses is not None
    assert {int(status) for status in statuses[1].split(",")} == journal.REFUSED


def test_the_rules_say_how_fast_libraries_are_replaced() -> None:
    part = RULES.partition("## Libraries")[2]
    for said in ("within 3 days", "within 14", "within 60", "every 90 days"):
        assert said in part


# --- the code -------------------------------------------------------------------------------------------------------


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_the_web_app_asks_no_other_host() -> None:
    asking = {"urllib.request", "http.client", "urllib3", "requests", "httpx", "smtplib", "ftplib", "aiohttp"}
    asking |= {"tracker.client", "tracker.fer.download"}
    found = {
        (path.name, module)
        for path in (ROOT / "webui").rglob("*.py")
        for module in imports(path)
        if any(module == one or module.startswith(f"{one}.") for one in asking)
    }
    assert found == set()


def test_few_modules_alone_speak_to_other_hosts() -> None:
    asking = {"urllib.request", "http.client", "urllib3", "requests", "httpx", "smtplib", "ftplib", "aiohttp"}
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tracker").rglob("*.py")
        # Measurements ask a server of their own.
        if path.relative_to(ROOT).parts[:3] != ("tracker", "cli", "benchmarks")
        for module in imports(path)
        if any(module == one or module.startswith(f"{one}.") for one in asking)
    }
    assert found == {
        "tracker/client/calling.py",
        "tracker/fer/download.py",
        "tracker/fer/sources.py",
        "tracker/workflows/prompting/posting.py",
    }


def test_no_template_is_made_of_a_string() -> None:
    for path in (ROOT / "webui").rglob("*.py"):
        text = path.read_text("utf-8")
        assert not re.search(r"render_template_string|from_string\(|\bTemplate\(", text), path
    for path in (ROOT / "webui" / "templates").rglob("*"):
        text = path.read_text("utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape false", text), path


def test_scripts_put_text_in_as_text() -> None:
    for path in [*(ROOT / "webui" / "static").glob("*.js"), *(ROOT / "webui" / "templates").glob("*.js")]:
        text = path.read_text("utf-8")
        assert not re.search(
            r"insertAdjacentHTML|document\.write|\.outerHTML\s*=|\beval\(|new Function\(", text
        ), path
        assert not re.search(r"\.innerHTML\s*\+?=", text), path
        assert not re.search(r"__proto__|setPrototypeOf|Object\.prototype", text), path


def test_messages_between_windows_are_checked() -> None:
    heard = 0
    for path in (ROOT / "webui" / "static").glob("*.js"):
        text = path.read_text("utf-8")
        for listener in re.findall(r'window\.addEventListener\("message",[^\n]*\n([^\n]*)\n', text):
            assert "event.origin !== location.origin || event.source !==" in listener, path
            assert listener.rstrip().endswith("return;"), path
            heard += 1
        for sent in re.findall(r"\.postMessage\((.*)\);", text):
            # A worker is of this origin by itself; a window is told with its origin.
            assert sent.endswith("location.origin") or "parent" not in text.split(sent)[0][-40:], path
    assert heard == 2


SECRET = (
    [ROOT / "webui" / name for name in ("csrf.py", "cookies.py", "journal.py", "auth.py", "auth_store.py")]
    + sorted((ROOT / "webui" / "account").glob("*.py"))
    + sorted((ROOT / "tracker" / "access").glob("*.py"))
    + sorted((ROOT / "tracker" / "privacy").glob("*.py"))
    + sorted((ROOT / "tracker" / "workflows" / "accounts").glob("*.py"))
    + [ROOT / "tracker" / "workflows" / "tokens.py", ROOT / "tracker" / "workflows" / "enrolment.py"]
    + [ROOT / "tracker" / "domain" / "passwords.py", ROOT / "tracker" / "domain" / "tokens.py"]
)
"""Where something is made that nobody may guess."""


@pytest.mark.parametrize("path", SECRET, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_must_not_be_guessed_comes_from_the_systems_generator(path: Path) -> None:
    assert not {"random", "numpy.random"} & set(imports(path))
    assert "np.random" not in path.read_text("utf-8")


def test_codes_have_sixty_bits() -> None:
    made = {passwords.new_code() for _ in range(2000)}
    assert len(made) == 2000
    letters = Counter(letter for code in made for letter in code.replace("-", ""))
    assert len(letters) == 32
    assert all(len(code.replace("-", "")) == 12 for code in made)
    assert 12 * 5 == 60


CRYPTOGRAPHY = ("cryptography", "argon2", "hmac", "webauthn", "passlib")


def test_the_inventory_names_every_place_that_uses_cryptography() -> None:
    part = RULES.partition("## Cryptography")[2].partition("## ")[0]
    using = {
        path
        for top in (
            "webui",
            "tracker/access",
            "tracker/privacy",
            "tracker/domain",
            "tracker/workflows",
            "tracker/store",
        )
        for path in (ROOT / top).rglob("*.py")
        if any(
            module == one or module.startswith(f"{one}.") for module in imports(path) for one in CRYPTOGRAPHY
        )
    }
    using -= {ROOT / "webui" / "participant" / "entering.py"}  # compares alone
    missing = []
    for path in using:
        name = path.relative_to(ROOT).as_posix().removeprefix("tracker/").removeprefix("workflows/")
        if f"`{name}`" not in part and name != "privacy/verifying.py":
            missing.append(name)
    assert missing == []


def test_the_proxys_example_leads_pages_alone_to_tls() -> None:
    text = (ROOT / "docs" / "deploying.md").read_text("utf-8")
    plain = text.partition("listen 80;")[2].partition("```")[0]
    assert "location /api/ { return 403; }" in plain
    assert "return 301 https://" in plain
