"""Files of other programs, small and in their official forms, and how tests bring them in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tracker.access import Access
from tracker.cli import foreign as command
from tracker.workflows import foreign

ROOT = Path(__file__).parents[2]
MAPPINGS = ROOT / "docs" / "examples" / "mappings"
ESM = ROOT.parent / "shared" / "esm"
NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
START = "2026-03-02T09:00:00+01:00"

DIARY = """
[participant]
column = "who"

[instant]
local = "when"
zone = "Europe/Berlin"

[consent]
scopes = ["affect_series", "context", "personal_learning"]

[[answers]]
column = "alone"
target = "leave_me_alone"
low = 0
high = 100

[[answers]]
column = "stress"
target = "number:stress"
low = 1
high = 7

[contexts]
place = "where"
"""
HEADER = "who,when,alone,stress,where,mood"

OPENFACE = (
    "frame, face_id, timestamp, confidence, success, gaze_0_x, gaze_0_y, gaze_angle_x, pose_Tx, pose_Rx, x_0, X_0, "
    "AU01_r, AU12_r, AU01_c, AU12_c"
)
"""As OpenFace 2.0 writes it, with a blank after each comma; x_0 and X_0 are two columns."""

PY_FEAT = (
    "frame,FaceRectX,FaceRectY,FaceRectWidth,FaceRectHeight,FaceScore,x_0,y_0,AU01,AU12,Pitch,Roll,Yaw,"
    "anger,disgust,fear,happiness,sadness,surprise,neutral,input"
)


OPEN: list[foreign.Source] = []
"""Files that a test has open, for rows are read again; `closing` closes them."""


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    """Let go of every file in the end."""
    yield
    while OPEN:
        OPEN.pop().close()


def openface(rows: Iterable[Sequence[object]]) -> str:
    """Rows of (frame, face_id, timestamp, confidence, success)."""
    lines = [", ".join(map(str, row)) + ", 0.1, 0.2, 0.3, 1, 0.1, 200, -3.5, 0.4, 1.2, 0, 1" for row in rows]
    return "\n".join([OPENFACE, *lines, ""])


def py_feat(rows: Iterable[tuple[int, float | None]]) -> str:
    """Rows of (frame, how happy); None where there was no face."""
    lines = []
    for frame, happy in rows:
        if happy is None:
            lines.append(f"{frame}.0{',' * 19},clip.mp4")
        else:
            rest = (1 - happy) / 6
            said = [rest, rest, rest, happy, rest, rest, rest]
            lines.append(
                f"{frame}.0,10.5,20.5,60,80,0.98,1,2,0.1,0.9,1,2,3,{','.join(map(repr, said))},clip.mp4"
            )
    return "\n".join([PY_FEAT, *lines, ""])


def written(folder: Path, text: str, name: str = "diary.csv", encoding: str = "utf-8") -> Path:
    """A file of its own."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def diary(*rows: str) -> str:
    """A diary of rows (who, when, alone, stress, where, mood)."""
    return "\n".join([HEADER, *rows, ""])


def surveyed(path: Path, mapping: Path, now: datetime = NOW, **more: Any) -> foreign.Survey:
    """A file that was read whole."""
    said = foreign.load(mapping)
    source = foreign.Source(path, said)
    OPEN.append(source)
    return foreign.Survey(source, said, foreign.Reader(source, said, now, **more))


def asked(folder: Path, path: Path, mapping: Path, **more: Any) -> command.Asked:
    """An import with everything that it needs."""
    document = written(folder, "We allow it.", "form.txt")
    usual = {
        "dry": False,
        "attested_by": "Dr. Kim",
        "document": document,
        "covers_from": "2000-01-01T00:00:00Z",
    }
    return command.Asked(path, mapping, **(usual | more))


def brought(
    access: Access,
    folder: Path,
    path: Path,
    mapping: Path,
    capsys: pytest.CaptureFixture[str],
    now: datetime = NOW,
    **more: Any,
) -> dict[str, Any]:
    """Bring a file in; return the report."""
    capsys.readouterr()
    command.bring(access, asked(folder, path, mapping, **more), now, as_json=True)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found
