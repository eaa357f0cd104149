"""``demo``: the main job from a clip to an exported dataset, and a simulated person's 30 days beside it."""

from __future__ import annotations

import secrets
import shutil
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tracker.access import Access
from tracker.cli.installation import initialise, now, settings_of
from tracker.cli.output import err, out, progress
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Correction
from tracker.settings import Settings

if TYPE_CHECKING:
    from tracker.workflows.export.run import ExportResult
    from tracker.workflows.feedback import Corrected
    from tracker.workflows.ingest import Tracked

FACE = "demo face (no consent involved)"
SIMULATED = "Robin (SIMULATED)"
ZONE = "Europe/Berlin"
_MARKER = "made-by-affect-tracker-demo"


def demo(
    context: typer.Context,
    video: Annotated[Path | None, typer.Option(help="A clip of your own instead of the portrait.")] = None,
    serve: Annotated[bool, typer.Option(help="Serve the web app at the end.")] = True,
    folder: Annotated[Path, typer.Option(help="Where everything goes; made anew.")] = Path("demo-output"),
    port: Annotated[int, typer.Option(help="Port of the web app; 0 takes a free one.")] = 8000,
    days: Annotated[int, typer.Option(help="How long the simulated person lives.", min=2, max=60)] = 30,
) -> None:
    """Run the main job: enrol, track, correct, learn, export, and show it."""
    if video is not None and not video.exists():
        from tracker.vision.errors import MediaError  # noqa: PLC0415 - loads OpenCV's room

        raise MediaError(f"{video} does not exist; give a clip, or leave VIDEO out for the portrait")
    folder = _fresh(folder).resolve()
    settings = _settings(settings_of(context), folder)
    access = initialise(settings)
    began = now()

    face, tracked, corrected = _face(access, settings, folder, video, began)
    robin = _simulated(access, days, began)
    exported = _export(access, folder)
    _summary(access, face, tracked, corrected, robin, exported)
    out().print(f"\nEverything lies in {folder}", highlight=False, soft_wrap=True)
    if serve:
        from tracker.cli.serving import start  # noqa: PLC0415 - only where a server is wanted

        entries = {secrets.token_urlsafe(16): person.id for person in (robin, face)}
        access.database.close()
        start(settings, "127.0.0.1", port, None, None, jobs=True, entries=entries)


def _fresh(folder: Path) -> Path:
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARKER).exists():
        raise typer.BadParameter(f"{folder} is not empty and no demo made it; give another --folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARKER).touch()
    return folder


def _settings(loaded: Settings, folder: Path) -> Settings:
    # Keys and database of its own; networks that were pulled stay where the user has them.
    private = replace(
        loaded,
        stated_key_store=None,
        master_key="",
        master_key_command="",
        master_key_path=folder / "private" / "master.key",
    )
    return private.with_database(f"sqlite:///{folder / 'private' / 'demo.db'}")


def _face(
    access: Access, settings: Settings, folder: Path, video: Path | None, began: datetime
) -> tuple[Person, Tracked, Corrected | None]:
    from tracker.cli.tracking import load  # noqa: PLC0415 - loads torch below
    from tracker.lab.portrait import write_clip  # noqa: PLC0415 - loads OpenCV
    from tracker.vision.media import open_source  # noqa: PLC0415
    from tracker.workflows import consenting, enrolment, feedback, ingest  # noqa: PLC0415

    clip = video
    if clip is None:
        clip = folder / "portrait.mp4"
        write_clip(clip)
    source = open_source(str(clip))
    start = source.created_at or began - timedelta(seconds=(source.duration_s or 60) + 60)
    enrolled = enrolment.enrol(access, FACE, ZONE, began)
    person = enrolled.person
    wanted = [
        Scope.AFFECT_SERIES,
        Scope.CONTEXT,
        Scope.PROMPTS,
        Scope.PERSONAL_LEARNING,
        Scope.EXPORT_PSEUDONYMOUS,
    ]
    evidence = "demo: a published, freely licensed photo" if video is None else "demo: a clip you chose"
    consenting.grant(
        access, person, wanted, now(), recorder=Recorder.OPERATOR, covers_from=start, evidence=evidence
    )
    consenting.confirm(access, person, now(), proof=lambda unit: enrolment.use_code(unit, enrolled.code))
    engine, detector = load(settings, "default", "auto")
    with progress("Tracking the face") as report:
        tracked = ingest.track(
            access,
            person,
            source,
            ingest.Plan(every=0.2, started_at=start, confirm_first_face=video is not None),
            engine,
            detector,
            clock=now,
            monotonic=time.monotonic,
            report=report,
        )
    corrected = None
    if tracked.with_face:
        said = Correction(start + timedelta(seconds=2), "emotion", Distribution.of({Emotion.NEUTRAL: 1.0}))
        corrected = feedback.correct(access, person, said, now())
    return person, tracked, corrected


def _simulated(access: Access, days: int, began: datetime) -> Person:
    from tracker.cli.living import live  # noqa: PLC0415 - the simulation is the demo's alone

    with progress(f"Living {days} SIMULATED days") as report:
        return live(access, SIMULATED, ZONE, began, days, seed=7, report=report)


def _export(access: Access, folder: Path) -> ExportResult:
    from tracker.workflows.export import export_dataset  # noqa: PLC0415 - loads pyarrow

    with progress("Exporting the dataset") as report:
        return export_dataset(access, folder / "dataset", now(), progress=report)


def _summary(
    access: Access,
    face: Person,
    tracked: Tracked,
    corrected: Corrected | None,
    robin: Person,
    exported: ExportResult,
) -> None:
    from tracker.cli.living import prequential  # noqa: PLC0415
    from tracker.workflows import timeline  # noqa: PLC0415

    console = out()
    table = Table("person", "moments", "with face", "without", title="What was tracked")
    without = ", ".join(f"{n} {reason.value}" for reason, n in tracked.reasons.items() if n) or "-"
    table.add_row(face.name, str(tracked.observations), str(tracked.with_face), without)
    with access.read(robin.id, now()) as unit:
        drawn = timeline.page(unit, robin.enrolled_at, now())
        scores = prequential(unit)
    unread: Counter[str] = Counter()
    for gap in drawn.gaps:
        unread[gap.reason.value] += gap.n
    read = sum(p.n for p in drawn.points)
    without = ", ".join(f"{n} {reason}" for reason, n in unread.most_common())
    table.add_row(robin.name, str(read + unread.total()), str(read), without)
    console.print(table)
    if corrected is not None and corrected.before is not None and corrected.after is not None:
        table = Table(
            "",
            "network",
            "before",
            "after",
            title="One correction of the face",
        )
        for e in Emotion:
            row = (corrected.machine, corrected.before, corrected.after)
            table.add_row(e.value, *(f"{d[e]:.2f}" if d is not None else "-" for d in row))
        console.print(table)
    table = Table(
        "days", "corrections", "network right", "personal right", "always the commonest",
        title=f"{robin.name}: predict, then learn (prequential; simulated, so no evidence about people)",
    )  # fmt: skip
    for s in scores:
        table.add_row(s.days, str(s.n), f"{s.machine:.0%}", f"{s.personal:.0%}", f"{s.majority:.0%}")
    console.print(table)
    console.print(
        "(About 33 corrections each: ten points either way are chance. Corrections of moments that the "
        "network had not read, and answers about being left alone, are not scored.)",
        style="dim",
    )
    table = Table("table", "rows", title="The exported dataset")
    for name, rows in exported.rows.items():
        table.add_row(name, str(rows))
    console.print(table)
    err().print("An estimate says what a face looks like to a network, not what a person feels.", style="dim")
