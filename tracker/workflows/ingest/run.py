"""One run over one recording.

Every batch passes the gate in the transaction that writes it, so a withdrawal or a pause in mid-run ends
the run, and a run that was killed resumes from what is stored.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from tracker.access import Access, Unit
from tracker.access.erased import erased_stretches, refusing
from tracker.domain.affect import Distribution
from tracker.domain.people import Person
from tracker.domain.series import Estimate, Observation, Observed, Reason
from tracker.store import series
from tracker.store.series import Known
from tracker.vision.camera import Opener, open_camera
from tracker.vision.covering import CoveredFrame, Covering
from tracker.vision.crops import Crop, crop
from tracker.vision.faces import Detector, Face
from tracker.vision.media import frames
from tracker.vision.recording import Frame, Pixels, Source
from tracker.vision.tracks import FaceTracker, Sighting, judged, overlap
from tracker.workflows.ingest.ahead import Ahead
from tracker.workflows.ingest.filming import keep_frames, permit_of
from tracker.workflows.ingest.keeping import keep, unstored
from tracker.workflows.ingest.plan import Plan, Tracked, demand_ended, demand_same_start, start_of
from tracker.workflows.ingest.storing import store

if TYPE_CHECKING:  # torch is loaded by whoever loads a network, and not by a web app that may never need one
    from tracker.fer.engine import Engine

BATCH = 64
READ = 16
"""Crops that are read at once, so that reading keeps step with the thread that looks for the next faces."""

AHEAD = 4
"""Frames that may be looked at before the last ones are read and stored; a withdrawal ends a run no later."""

FLUSH_AFTER_S = 5.0
"""A batch is stored when it is full or this old, so that a live series is never far behind."""

ERASED = (
    "Part of it lies in a time that was deleted for good while it was on its way; that part was not stored."
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A frame after vision: its observation, the crop to read where there is one, and what may be kept of it."""

    observation: Observation
    crop: Crop | None
    frame: CoveredFrame | None = None


@dataclass(frozen=True, slots=True)
class _Recalled:
    """A moment that an earlier run stored."""

    reason: Reason | None


def track(
    access: Access,
    person: Person,
    source: Source,
    plan: Plan,
    engine: Engine,
    detector: Detector,
    *,
    clock: Callable[[], datetime],
    monotonic: Callable[[], float],
    report: Callable[[float], None] = lambda _: None,
    result: Tracked | None = None,
    camera: Opener = open_camera,
    given_at: datetime | None = None,
) -> Tracked:
    """Track a recording into a participant's series.

    Frames are decoded and faces found in a thread of its own, while those before are read and stored here.

    Parameters
    ----------
    access, person
        The gate and whose face it is.
    source, plan
        From `tracker.vision.media.open_source`, and how to go through it.
    engine, detector
        What reads and what finds faces.
    clock, monotonic
        Wall clock (UTC) and monotonic seconds.
    report
        Called with the share done, where the length is known.
    result
        Filled while the run goes on, so that a caller who interrupts it can say what was stored.
    camera
        How a live camera is opened.
    given_at
        When the recording was given to be read, where that was before this run: what its participant deletes for good
        after that is not stored again, and the result says so.

    Raises
    ------
    ConsentMissingError, PausedError, NotCoveredError
        From the gate; what earlier batches stored stays.
    StartUnknownError, InstantError
        When the start is unknown, naive or in the future.
    MediaError, CameraLost
        When nothing can be decoded, or the camera vanished; what came before is stored.
    """
    run = _Run(access, person, source, plan, engine, clock, monotonic, result or Tracked(), given_at)
    run.prepare()
    run.result.unread = engine.unread
    with (
        frames(source, plan.every, skip=run.skip, clock=monotonic, opener=camera) as stream,
        Ahead(run.look(stream, detector), AHEAD) as looked,
    ):
        try:
            for seen in looked:
                run.take(seen)
                if isinstance(seen, _Seen):
                    report(_share(source, seen.observation.pts_us))
        finally:
            # Also when the camera vanished or the user pressed Ctrl-C: what was seen is not lost.
            for seen in looked.rest():
                run.take(seen)
            run.flush()
        run.result.problem = stream.problem or (ERASED if run.left_out else None)
    return run.result


class _Run:
    """One run over one source."""

    def __init__(
        self,
        access: Access,
        person: Person,
        source: Source,
        plan: Plan,
        engine: Engine,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        result: Tracked,
        given_at: datetime | None,
    ) -> None:
        self.access = access
        self.person = person
        self.source = source
        self.plan = plan
        self.engine = engine
        self.clock = clock
        self.monotonic = monotonic
        self.result = result
        self.network = engine.network.id
        # A live recording has no content to hash; each is its own source.
        self.sha256 = source.sha256 or secrets.token_hex(32)
        self.known: dict[int, Known] = {}
        self.skip: frozenset[int] = frozenset()
        self.waiting: list[_Seen] = []
        self.said: list[Distribution] = []
        self.flushed_at = monotonic()
        self.given_at = given_at or clock()
        self.left_out = False
        # What a withdrawal ends ends in the transaction that stores; this only spares work where nothing is kept.
        self.films = False
        self.covering = Covering()

    def prepare(self) -> None:
        """Ask the gate before anything is decoded, fix the start, and find out what is stored already."""
        now = self.clock()
        with self.access.read(self.person.id, now) as unit:
            permit = unit.capture_permit()
            unit.study.demand_network(self.network)
            self.known = series.known(unit.connection, self.person.subject, self.sha256)
            self.films = self.plan.keep_video and permit_of(unit) is not None
        self.start, self.time_source = start_of(self.source, self.plan, now)
        demand_same_start(self.start, self.source, self.known.values())
        permit.demand_covers(self.start)
        demand_ended(self.start, self.source, now)
        self.skip = frozenset(
            t for t, k in self.known.items() if k.reason is not None or self.network in k.networks
        )

    def look(self, stream: Iterator[Frame], detector: Detector) -> Iterator[_Seen | _Recalled]:
        """Find the participant's face in each frame that is not done yet; runs ahead, in another thread."""
        tracker = FaceTracker(confirm_first_face=self.plan.confirm_first_face)
        done = iter(sorted(self.known.values(), key=lambda k: k.pts_us))
        waiting = next(done, None)
        last_us: int | None = None
        for frame in stream:
            while waiting is not None and waiting.pts_us <= frame.pts_us:
                # What an earlier run saw is what this one would have seen.
                if waiting.pts_us in self.skip:
                    tracker.recall(waiting.pts_us, waiting.box, waiting.faces)
                    yield _Recalled(waiting.reason)
                waiting = next(done, None)
            if frame.pts_us in self.skip:
                continue
            if last_us is None and self.source.kind == "camera":
                # A camera takes a moment to open; its recording begins with its first picture.
                self.start = self.clock() - timedelta(microseconds=frame.pts_us)
            yield from self._overload(last_us, frame.pts_us)
            last_us = frame.pts_us
            yield self._see(frame, tracker, detector)
        while waiting is not None:
            if waiting.pts_us in self.skip:
                yield _Recalled(waiting.reason)
            waiting = next(done, None)

    def take(self, seen: _Seen | _Recalled) -> None:
        """Keep a frame's result; read and store when enough have come together."""
        if isinstance(seen, _Recalled):
            self.result.count(seen.reason)
            return
        self.waiting.append(seen)
        if len(self.waiting) >= BATCH or self.monotonic() - self.flushed_at >= FLUSH_AFTER_S:
            self.flush()
        elif sum(seen.crop is not None for seen in self.waiting) - len(self.said) >= READ:
            self._read()

    def _read(self) -> None:
        """Read the crops that wait and were not read yet, in one batch."""
        crops = [seen.crop.pixels for seen in self.waiting if seen.crop is not None][len(self.said) :]
        if crops:
            readings = self.engine.read(np.stack(crops))
            self.said += [readings.distribution(row) for row in range(len(crops))]

    def flush(self) -> None:
        """Read what is left and store everything in one transaction."""
        waiting = self.waiting
        if not waiting:
            return
        self._read()
        said = iter(self.said)
        rows = [
            Observed(seen.observation, () if seen.crop is None else (Estimate(self.network, next(said)),))
            for seen in waiting
        ]
        now = self.clock()
        with self.access.write(self.person.id, now) as unit:
            permit = unit.capture_permit()
            rows = self._not_erased(unit, rows)
            there = {row.observation for row in rows}
            crops_ = {o: pixels for o, pixels in self._kept(waiting).items() if o in there}
            frames_ = {s.observation: s.frame for s in waiting if s.frame and s.observation in there}
            new, filmed = unstored(unit, crops_), unstored(unit, frames_)
            stored = store(unit, permit, rows, now) if rows else series.Stored(0, 0)
            kept = keep(self.access, unit, new)
            video = keep_frames(self.access, unit, filmed)
            self.films = self.plan.keep_video and permit_of(unit) is not None
        # Only now: an interruption before the commit leaves them to be stored by the flush at the end.
        self.waiting, self.said = [], []
        self.result.added += stored.observations
        self.result.crops += kept
        self.result.frames += video.kept
        self.result.frames_over += video.over
        self.result.estimates += sum(
            1 for row in rows if row.estimates and self.network not in self._networks(row.observation.pts_us)
        )
        for row in rows:
            self.result.count(row.observation.reason)
        self.flushed_at = self.monotonic()

    def _not_erased(self, unit: Unit, rows: list[Observed]) -> list[Observed]:
        gone = erased_stretches(self.access, unit, since=self.given_at)
        instants = ((row, row.observation.at) for row in rows)
        left = [row for row, at in instants if refusing(gone, at, self.given_at) is None]
        self.left_out = self.left_out or len(left) < len(rows)
        return left

    def _kept(self, waiting: list[_Seen]) -> dict[Observation, Pixels]:
        if not self.plan.keep_crops:
            return {}
        return {seen.observation: seen.crop.pixels for seen in waiting if seen.crop is not None}

    def _networks(self, pts_us: int) -> frozenset[str]:
        known = self.known.get(pts_us)
        return known.networks if known is not None else frozenset()

    def _see(self, frame: Frame, tracker: FaceTracker, detector: Detector) -> _Seen:
        faces = detector.find(frame.pixels)
        known = self.known.get(frame.pts_us)
        if known is not None and known.box is not None:
            # A second network reads the face that the observation names, whatever else is in the frame.
            tracker.recall(known.pts_us, known.box, known.faces)
            face = _same(faces, known.box, detector.name)
            cut = crop(frame.pixels, face, self.engine.crop)
            return _Seen(self._observation(frame, face, known.faces, None, cut), cut)
        return self._judge(frame, tracker.see(frame.pts_us, faces), faces)

    def _judge(self, frame: Frame, sighting: Sighting, faces: tuple[Face, ...]) -> _Seen:
        cut = None
        if sighting.face is not None:
            cut = crop(frame.pixels, sighting.face, self.engine.crop)
            sighting = judged(sighting, cut.sharpness)
        reason = Reason(sighting.reason) if sighting.reason is not None else None
        observation = self._observation(frame, sighting.face, sighting.faces, reason, cut)
        film = (
            self.covering.see(frame.pts_us, frame.pixels, sighting.face, faces, read=reason is None)
            if self.films
            else None
        )
        return _Seen(observation, cut if reason is None else None, film)

    def _observation(
        self, frame: Frame, face: Face | None, count: int, reason: Reason | None, cut: Crop | None
    ) -> Observation:
        return Observation(
            source=self.sha256,
            pts_us=frame.pts_us,
            at=self.start + timedelta(microseconds=frame.pts_us),
            time_source=self.time_source,
            reason=reason,
            faces=count,
            box=face.box if face is not None else None,
            detector=face.detector if face is not None else None,
            score=face.score if face is not None else None,
            sharpness=cut.sharpness if cut is not None else None,
            aligned=cut.aligned if cut is not None else None,
        )

    def _overload(self, last_us: int | None, pts_us: int) -> Iterator[_Seen]:
        # A camera does not wait. Where frames were due and none was taken, one row says so.
        step = round(self.plan.every * 1_000_000)
        if self.source.kind != "camera" or last_us is None or pts_us - last_us < 2 * step:
            return
        missed = (last_us // step + 1) * step
        yield _Seen(
            Observation(
                source=self.sha256,
                pts_us=missed,
                at=self.start + timedelta(microseconds=missed),
                time_source=self.time_source,
                reason=Reason.OVERLOAD,
                faces=0,
            ),
            None,
        )


def _same(faces: tuple[Face, ...], box: tuple[float, float, float, float], detector: str) -> Face:
    best = max(faces, key=lambda f: overlap(f.box, box), default=None)
    if best is not None and overlap(best.box, box) > 0.3:
        return best
    return Face(box, 0.0, None, detector)


def _share(source: Source, pts_us: int) -> float:
    return pts_us / 1e6 / source.duration_s if source.duration_s else 0.0
