"""``track``: a recording or a camera into a participant's series."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tracker import shipped
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, out, print_json, progress
from tracker.domain.instants import parse_instant
from tracker.settings import Settings

if TYPE_CHECKING:
    from tracker.fer.engine import Engine
    from tracker.vision.faces import Detector
    from tracker.workflows.ingest import Tracked


def track(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A video, an image, a folder of images, or camera:0.")],
    participant: Annotated[str, typer.Option("--participant", "-p", metavar="P", help="Whose face it is.")],
    every: Annotated[float, typer.Option(help="Seconds between the frames taken.")] = 0.2,
    started_at: Annotated[
        str | None, typer.Option(metavar="ISO", help="When the recording began, if the file does not say.")
    ] = None,
    confirm_first_face: Annotated[
        bool, typer.Option("--confirm-first-face", help="The first face is the participant's.")
    ] = False,
    crops: Annotated[
        bool,
        typer.Option(
            "--crops/--no-crops", help="Keep the face crops, sealed, where the participant allows it."
        ),
    ] = True,
    video: Annotated[
        bool,
        typer.Option(
            "--video/--no-video",
            help="Keep the frames, sealed, all but what is around the participant's face covered, where they allow it.",
        ),
    ] = True,
    network: Annotated[
        str | None,
        typer.Option(
            help="A name that `networks list` shows; unless said, the first that the study names, or default."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    precision: Annotated[
        str, typer.Option(help="auto (the fastest that stays near float32), float32, bfloat16 or float16.")
    ] = "auto",
    as_json: AsJson = False,
) -> None:
    """Read a participant's face in a recording, and store the series; needs the scope affect_series."""
    start = parse_instant(started_at) if started_at is not None else None
    if not 0.001 <= every <= 86_400:
        raise typer.BadParameter(f"--every must be from 0.001 to 86400 seconds, not {every}")
    settings = settings_of(context)
    access = opened(settings)
    person = access.person(participant)
    with access.read(person.id, now()) as unit:
        unit.capture_permit()  # before torch is loaded: a refusal should not take seconds
        usual = unit.study.usual_network

    from tracker.vision.media import open_source  # noqa: PLC0415 - loads OpenCV

    found = open_source(source)

    from tracker.workflows import ingest  # noqa: PLC0415 - loads torch

    plan = ingest.Plan(every, start, confirm_first_face, crops, video)
    engine, detector = load(settings, network or usual, device)
    result = ingest.Tracked()
    try:
        with progress(f"Tracking {found.name}") as report:
            ingest.track(
                access,
                person,
                found,
                plan,
                engine,
                detector,
                clock=now,
                monotonic=time.monotonic,
                report=report,
                result=result,
            )
    except KeyboardInterrupt:
        if found.kind != "camera":
            err().print(f"{result.added} observations were stored before the interruption", highlight=False)
            raise
        # A camera has no other end.
    _print(result, participant, as_json)
    if result.problem is not None:
        raise ingest.BrokeOffError(f"{result.problem} {result.added} observations were stored")


def load(settings: Settings, network: str, device: str, precision: str = "auto") -> tuple[Engine, Detector]:
    """Load the network, and YuNet where it was pulled, else the Haar cascade."""
    from tracker.fer.device import leave_one  # noqa: PLC0415 - loads torch
    from tracker.fer.engine import Engine  # noqa: PLC0415 - loads torch
    from tracker.fer.zoo import Zoo  # noqa: PLC0415 - loads torch
    from tracker.vision.faces import load_detector  # noqa: PLC0415 - loads OpenCV

    leave_one(os.cpu_count() or 1)
    zoo = Zoo(shipped.models(), settings.data_folder / "networks")
    return Engine(zoo.load(network), device, precision=precision), load_detector(zoo.detector_path())


def _print(result: Tracked, participant: str, as_json: bool) -> None:
    from tracker.workflows.ingest import summary  # noqa: PLC0415 - loaded by now

    if as_json:
        print_json(summary(result))
        return
    columns = ("moments", "new", "with face", "new estimates", "crops kept", "frames kept", "without face")
    table = Table(*columns, title=f"Tracked {participant}")
    without = ", ".join(f"{n} {reason.value}" for reason, n in result.reasons.items() if n) or "-"
    counts = (
        result.observations,
        result.added,
        result.with_face,
        result.estimates,
        result.crops,
        result.frames,
    )
    table.add_row(*map(str, counts), without)
    out().print(table)
    if result.frames_over:
        from tracker.domain.video import A_DAY  # noqa: PLC0415 - beside its only use

        out().print(
            f"{result.frames_over} frames were dropped: {A_DAY // 1024**2} MiB of video are kept of a day at most",
            highlight=False,
        )
    if result.unread:
        names = ", ".join(emotion.value for emotion in result.unread)
        out().print(
            f"{names}: not read; this network does not know it, and its 0 says nothing", highlight=False
        )
