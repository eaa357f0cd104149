"""`track` end to end, beside decoding, detection and the network alone on the same frames."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import numpy as np

from tracker.cli.benchmarks.figure import Figure, alternate, cost, seconds
from tracker.cli.benchmarks.scene import NOW, scene
from tracker.cli.tracking import load
from tracker.settings import Settings

EVERY = 0.2
ROUNDS = 3


def measure(settings: Settings, folder: Path, rows: int) -> list[Figure]:
    """Track a clip of the portrait, 60 s long, three times each way."""
    from tracker.lab.portrait import write_clip  # noqa: PLC0415 - loads OpenCV
    from tracker.vision.crops import crop  # noqa: PLC0415
    from tracker.vision.media import frames, open_source  # noqa: PLC0415
    from tracker.workflows import ingest  # noqa: PLC0415 - loads torch

    access, person = scene(settings, folder)
    engine, detector = load(settings, "default", "auto")
    clips = []
    for i in range(ROUNDS):
        # Each its own length, because the same recording is known again and adds nothing.
        clips.append(folder / f"clip-{i}.mp4")
        write_clip(clips[-1], 60.0 + i)
    start = NOW - timedelta(days=1)

    def ours(i: int) -> float:
        source = open_source(str(clips[i]))
        plan = ingest.Plan(EVERY, start)

        def work() -> None:
            ingest.track(
                access,
                person,
                source,
                plan,
                engine,
                detector,
                clock=lambda: NOW,
                monotonic=time.monotonic,
            )

        return seconds(work)

    def bare(i: int) -> float:
        def work() -> None:
            crops = []
            with frames(open_source(str(clips[i])), EVERY) as stream:
                for frame in stream:
                    faces = detector.find(frame.pixels)
                    if faces:
                        crops.append(crop(frame.pixels, faces[0], engine.crop).pixels)
            engine.read(np.stack(crops))

        return seconds(work)

    found, limit = alternate(ROUNDS, ours, bare)
    return [cost("track a 60 s clip, 5 frames/s", found, "decode + detect + network", limit, 1.25)]
