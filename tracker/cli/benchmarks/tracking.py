"""`track` end to end, beside decoding, detection and the network alone on the same frames."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tracker.cli.benchmarks.figure import Figure, alternate, cost, seconds
from tracker.cli.benchmarks.scene import NOW, scene
from tracker.cli.tracking import load
from tracker.settings import Settings

if TYPE_CHECKING:
    from tracker.fer.engine import Engine
    from tracker.vision.faces import Detector

EVERY = 0.2
SECONDS_720P = 4.0
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
    whole = cost("track a 60 s clip, 5 frames/s", found, "decode + detect + network", limit, 1.25)
    return [whole, _shares(folder, engine, detector)]


def _shares(folder: Path, engine: Engine, detector: Detector) -> Figure:
    """What part of the work on every frame of a 720p clip is decoding and detection, the steps one after the other."""
    from tracker.lab.portrait import write_clip  # noqa: PLC0415 - loads OpenCV
    from tracker.vision.crops import crop  # noqa: PLC0415
    from tracker.vision.media import frames, open_source  # noqa: PLC0415

    clip = folder / "clip-720p.mp4"
    write_clip(clip, SECONDS_720P, 30, (1280, 720))
    from tracker.workflows.ingest.run import READ  # noqa: PLC0415 - loads OpenCV

    looked, read = [], []
    for _ in range(ROUNDS):
        crops = []
        began = time.perf_counter()
        with frames(open_source(str(clip)), 0.001) as stream:
            for frame in stream:
                if faces := detector.find(frame.pixels):
                    crops.append(crop(frame.pixels, faces[0], engine.crop).pixels)
        between = time.perf_counter()
        for i in range(0, len(crops), READ):  # as many at a time as tracking reads
            engine.read(np.stack(crops[i : i + READ]))
        looked.append(between - began)
        read.append(time.perf_counter() - between)
    looking, reading = min(looked), min(read)
    share = looking / (looking + reading)
    return Figure(
        f"decode and detect ({detector.name}) every frame of a 720p clip, 30 frames/s, {SECONDS_720P:.0f} s",
        looking, f"read its faces ({engine.precision})", reading, share, "> 0.6 of both", share > 0.6,
    )  # fmt: skip
