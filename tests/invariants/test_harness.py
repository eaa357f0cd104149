"""The harness of the proof can fail: canaries are found in any form, writes are seen, mutations still apply."""

from __future__ import annotations

import base64
import gzip
import io
import os
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.invariants import mutants
from tests.invariants.__main__ import main
from tests.invariants.canaries import forms, pictures, search, search_files
from tests.invariants.catalogue import NOT_BUILT, NUMBERS, invariants
from tests.invariants.mutations import MUTATIONS, Edit, Mutation
from tests.invariants.watching import Watched, may_strace, python, read_trace, watch

CANARY = b"canary-7c3f-91aa"
ROOT = mutants.ROOT


def test_every_invariant_has_a_module_and_a_mutation() -> None:
    assert [i.number for i in invariants()] == list(NUMBERS)
    assert {m.number for m in MUTATIONS} == set(NUMBERS)
    assert set(NOT_BUILT) <= set(NUMBERS)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: f"{m.number:02} {m.told}"[:60])
def test_every_mutation_still_applies_and_changes_something(mutation: Mutation) -> None:
    for edit in mutation.edits:
        text = (ROOT / edit.path).read_text("utf-8")
        assert text.count(edit.old) == 1, f"{edit.path} has changed: write this mutation anew"
        changed = text.replace(edit.old, edit.new)
        assert changed != text
        compile(changed, edit.path, "exec")


def test_a_mutation_that_no_longer_applies_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    for old in ("x = 1", "y = 1"):
        with pytest.raises(mutants.DoesNotApplyError, match="not once"):
            mutants.apply(Mutation(1, "", (Edit("a.py", old, "z"),)), tmp_path)


@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from(sorted(forms(CANARY))))
def test_a_canary_is_found_in_every_form_whatever_lies_around_it(
    before: bytes, after: bytes, form: str
) -> None:
    held = before + forms(CANARY)[form] + after
    assert CANARY.decode() in {hit.canary for hit in search("a file", held, {CANARY.decode(): CANARY})}


@given(st.binary(min_size=0, max_size=7), st.binary(max_size=9))
def test_base64_is_found_wherever_the_canary_begins(before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        held = encode(before + CANARY + after)
        assert list(search("a file", held, {"c": CANARY}))


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress, lambda b: zlib.compress(gzip.compress(b))])
def test_what_is_compressed_is_looked_into(pack: object) -> None:
    packed = b"head" + pack(b"x" * 500 + CANARY + b"y" * 500) + b"tail"  # type: ignore[operator]
    assert CANARY not in packed
    assert list(search("a file", packed, {"c": CANARY}))


def test_zips_and_names_are_looked_into(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", b"x" * 500 + CANARY)
    path = tmp_path / "bundle.zip"
    path.write_bytes(out.getvalue())
    assert search_files([path], {"c": CANARY})
    named = tmp_path / f"{CANARY.decode()}.txt"
    named.touch()
    assert search_files([named], {"c": CANARY})
    assert search_files([path, named], {"c": b"canary-of-nobody"}) == []


def test_pictures_are_found_also_inside_of_something() -> None:
    assert pictures("x", b"abc\x89PNG\r\n\x1a\nrest")
    assert pictures("x", zlib.compress(b"x" * 100 + b"\xff\xd8\xff\xe0 a picture"))
    assert pictures("x", b"nothing of the kind") == []


SCRIPT = """
import os, subprocess, sys, tempfile
with tempfile.NamedTemporaryFile() as gone:
    gone.write(b'deleted-canary-1'); gone.flush()
open('kept', 'w').write('kept-canary-2')
os.rename('kept', 'renamed')
if len(sys.argv) == 1:
    subprocess.run([sys.executable, sys.argv[0], 'child'], cwd='below')
"""


@pytest.mark.parametrize("how", ["strace", "audit hook"])
def test_what_a_process_and_its_children_write_is_seen(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "strace" and not may_strace():
        pytest.skip("strace is not here, or may not trace; the audit hook stands in for it")
    monkeypatch.setattr("tests.invariants.watching.may_strace", lambda: how == "strace")
    folder = tmp_path / "work"
    (folder / "below").mkdir(parents=True)
    script = folder / "script.py"
    script.write_text(SCRIPT)
    done = watch(python(str(script)), folder, {"PATH": os.environ["PATH"], "TMPDIR": str(folder)})
    assert (done.code, done.how) == (0, how), done.err
    names = {path.name for path in done.files}
    assert {"kept", "renamed"} <= names
    assert (folder / "below" / "renamed").resolve() in {p.resolve() for p in done.files}
    held = b"".join(done.written.values())
    assert b"deleted-canary-1" in held, "a temporary file that was deleted was not seen"
    assert b"kept-canary-2" in held


def test_a_buffer_that_strace_cut_is_no_proof(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_bytes(b'12 write(3<\\x2f\\x78>, "\\x61\\x62"..., 9) = 9\n')
    with pytest.raises(AssertionError, match="cut"):
        read_trace(trace, Watched(0, "", "", ""))


def test_the_runner_says_what_failed_and_what_did_not_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    head = "import pytest\npytestmark = pytest.mark.privacy\n@pytest.mark.parametrize('d', ['sqlite', 'postgresql'])\n"
    (tmp_path / "test_01_green.py").write_text(head + "def test_a(d): pass\n")
    (tmp_path / "test_02_red.py").write_text(head + "def test_a(d): assert d == 'sqlite'\n")
    (tmp_path / "test_03_skipped.py").write_text(head + "def test_a(d): pytest.skip('no server')\n")
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "-p", "no:randomly"]
    assert main(options, tmp_path) == 1
    told = capfd.readouterr().out
    rows = {line[:2]: line for line in told.splitlines() if line[:2].isdigit()}
    assert "FAILED" not in rows["01"]
    assert "ok" in rows["02"]
    assert "FAILED" in rows["02"]
    assert "NOT RUN" in rows["03"]
    assert "NOT SHOWN: 02, 03" in told
    assert main(["1", *options], tmp_path) == 0


def test_the_document_names_every_module_and_every_mutation() -> None:
    told = (ROOT / "docs" / "privacy-proof.md").read_text("utf-8")
    rows = {int(line[2:4]): line for line in told.splitlines() if line[:2] == "| " and line[2:4].isdigit()}
    assert sorted(rows) == list(NUMBERS)
    for invariant in invariants():
        assert f"`{invariant.path.name}`" in rows[invariant.number]
    for mutation in MUTATIONS:
        assert mutation.told in rows[mutation.number]
