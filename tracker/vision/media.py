"""Open whatever a person points at, and stream its frames with their instants."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Container
from pathlib import Path
from typing import Literal

from tracker.vision import containers, headers
from tracker.vision.camera import Clock, Opener, camera_frames, open_camera
from tracker.vision.errors import MediaError
from tracker.vision.folders import Survey, still_frames, survey
from tracker.vision.recording import Frames, Source
from tracker.vision.videos import length, video_frames

_CAMERA = re.compile(r"camera:(\d{1,3})")


def open_source(spec: str) -> Source:
    """Find out what a source is, without decoding it.

    Parameters
    ----------
    spec
        The path of a video, of one picture or of a folder of pictures, or ``camera:N``.

    Raises
    ------
    MediaError
        When it is missing, unreadable, empty, truncated beyond use, or none of these.

    Examples
    --------
    >>> open_source("camera:0").kind
    'camera'
    """
    if camera := _CAMERA.fullmatch(spec):
        return Source("camera", spec, camera=int(camera[1]))
    path = Path(spec)
    try:
        if path.is_dir():
            return _stills(path, survey(path))
        return _file(path)
    except FileNotFoundError as error:
        raise MediaError(
            f"{spec} does not exist; give a video, a picture, a folder of pictures or camera:0"
        ) from error
    except OSError as error:
        raise MediaError(f"{spec} cannot be read: {error.strerror}") from error


def open_upload(stream: io.BytesIO, name: str) -> Source:
    """Find out what an uploaded clip is, from its bytes in memory; it never lies in a file.

    Parameters
    ----------
    stream
        All of its bytes; kept for as long as its frames are read.
    name
        What to call it in a message.

    Raises
    ------
    MediaError
        When it is no video, damaged beyond use, or too large to decode.
    """
    stream.seek(0)
    container = containers.sniff(stream.read(400))
    if container is None:
        raise MediaError(f"{name} is no video that is read; give MP4, MOV, MKV, WebM or AVI")
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    count, duration = length(stream, name)
    created = containers.created_at(stream, container)
    stated: Literal["container"] | None = "container" if created else None
    return Source("video", name, None, digest, created, stated, count, duration, stream=stream)


def frames(
    source: Source,
    every: float,
    *,
    skip: Container[int] = (),
    clock: Clock | None = None,
    opener: Opener = open_camera,
) -> Frames:
    """Stream the first frame at or after each multiple of `every` seconds, one in memory at a time.

    Instants are the container's presentation times, never an index times a rate. A recording that
    breaks off gives what can be read, and then says so in the stream's `problem`.

    Parameters
    ----------
    source
        From `open_source`.
    every
        Seconds between frames taken, 0.001 to 86,400.
    skip
        Times in microseconds that are not wanted again (a run that resumes); they are not converted.
    clock
        Monotonic seconds; needed for a camera, unused otherwise.
    opener
        How a camera is opened; a test hands in a recording.

    Raises
    ------
    MediaError
        While streaming, when nothing can be decoded at all.
    CameraLost
        While streaming, when a camera is absent or vanishes.
    ValueError
        When `every` is out of range, or a camera is given no clock.
    """
    if source.kind == "camera":
        if source.camera is None or clock is None:
            raise ValueError("a camera's frames need its number and a monotonic clock")
        return Frames(camera_frames(source.camera, every, clock, opener))
    if source.stream is not None:
        return Frames(video_frames(source.stream, source.name, every, skip))
    if source.path is None:
        raise ValueError(f"the {source.kind} {source.name} has no path")
    if source.kind == "video":
        return Frames(video_frames(source.path, source.name, every, skip))
    return Frames(still_frames(survey(source.path), every, skip))


def _file(path: Path) -> Source:
    with path.open("rb") as file:
        head = file.read(400)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not head:
        raise MediaError(f"{path.name} is empty (0 bytes); copy it again from where it was recorded")
    if headers.sniff(head) is not None:
        return _stills(path, survey(path))
    container = containers.sniff(head)
    if container is None:
        kind = (
            "a HEIC or AVIF picture" if containers.is_modern_still(head) else "neither a video nor a picture"
        )
        raise MediaError(f"{path.name} is {kind}; give a video (MP4, MOV, MKV, WebM, AVI) or a JPEG or PNG")
    count, duration = length(path, path.name)
    with path.open("rb") as file:
        created = containers.created_at(file, container)
    return Source(
        "video", path.name, path, digest, created, "container" if created else None, count, duration
    )


def _stills(path: Path, found: Survey) -> Source:
    instants = found.instants
    return Source(
        "folder" if path.is_dir() else "image",
        path.name,
        path,
        found.sha256,
        instants[0] if instants else None,
        "exif" if instants else None,
        len(found.paths),
        (instants[-1] - instants[0]).total_seconds() if instants else None,
    )
