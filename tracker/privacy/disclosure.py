"""The data map as a document: ``docs/privacy.md`` is what `document` returns, and a test keeps it so."""

from __future__ import annotations

from collections.abc import Iterable

from tracker.domain.consent import Scope
from tracker.privacy.datamap import TABLES, Stored, tables_of
from tracker.privacy.files import FILES


def document() -> str:
    """``docs/privacy.md``: the data map for people to read."""
    scopes = [
        f"| `{scope.value}` | {_listed(tables_of(scope)) or 'nothing; it opens a use, or is not built yet'} |"
        for scope in Scope
    ]
    tables = [line for stored in TABLES for line in _section(stored)]
    files = [f"| {f.pattern} | {f.what} | {f.erasure} |" for f in FILES]
    return "\n".join((*_HEAD, *scopes, *_TABLES_HEAD, *tables, *_FILES_HEAD, *files, *_TAIL)) + "\n"


def _section(stored: Stored) -> Iterable[str]:
    yield f"### {stored.name}"
    yield ""
    yield stored.what
    yield ""
    yield "| columns | rests on | kept | derived from |"
    yield "| --- | --- | --- | --- |"
    groups: dict[tuple[str, str, str], list[str]] = {}
    for c in stored.columns:
        kept = f"{c.retention.value}{'; encrypted' if c.sealed else ''}"
        groups.setdefault((c.ground.value, kept, _listed(c.derives_from)), []).append(c.name)
    for (ground, kept, origins), names in groups.items():
        yield f"| {_listed(names)} | {ground} | {kept} | {origins} |"
    yield ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


_HEAD = (
    "# What is stored about people",
    "",
    "Made from `tracker/privacy/datamap`, in which every column and file is declared; a test fails for",
    "one that is not, and for a difference between that table and this page.",
    "",
    "Nothing is stored, shown, learned from or exported unless the participant has granted every scope that",
    "it rests on. *identity* is what makes somebody a participant at all; *operation* names nobody; *staff* is about",
    "raters, researchers and operators themselves.",
    "",
    "## By scope",
    "",
    "| scope | what is stored under it |",
    "| --- | --- |",
)
_TABLES_HEAD = ("", "## By table", "")
_FILES_HEAD = (
    "## Files",
    "",
    "| file | holds | at an erasure |",
    "| --- | --- | --- |",
)
_TAIL = (
    "",
    "## Erasure",
    "",
    "Stage one, *data gone*: a tombstone is set, the participant's keys are destroyed, their rows deleted,",
    "the files rebuilt; then the program looks, at the rows of every table and (SQLite) at the bytes of its",
    "files, and calls it done only when nothing is left. It is finished after a crash by the next `erase`,",
    "`jobs` or `serve`. Stage two, *learners clean*: priors that hold something of the participant are retired in the",
    "transaction that deletes their rows, and learners of others that started from one are answered by the network",
    "until the prior is fitted without them and those learners are rebased on it: at once after `erase`, else within",
    "the hour by the jobs. Withdrawing a scope that a prior rests on does the same.",
    "",
    "Erasing one scope deletes the rows that rest on it and the copies inside other rows: what a context",
    "said is cut out of the features that were learned from, and the learner is fitted again on what is",
    "left. When answers to prompts go, what they told is cut out of the features of later answers. A probability",
    "that was computed with the help of a context stays with the series; it is no copy.",
    "",
    "Out of reach, and said at each erasure: exports that were handed out; backups of the key store; the",
    "write-ahead log, archives and replicas of a PostgreSQL server. Old backups of the database itself hold",
    "rows whose link to the person cannot be opened any more.",
)
