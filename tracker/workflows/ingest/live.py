"""Live captures of many people in one process: bounded, one engine for all, the newest frame of each wins.

A request only leaves its frame and learns how those before fared, so that no thread of the server waits for a
network. Workers take what waits, at most one frame of each person, the longest waiting first. Consent is asked
before a frame is decoded, and again in the transaction that stores what was seen.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from tracker.access import Access
from tracker.domain.people import Person
from tracker.store import studies
from tracker.study import Study
from tracker.vision.errors import VisionError
from tracker.vision.face import Detector
from tracker.vision.received import decode, demand_readable
from tracker.workflows.ingest.capture import Capture, Picture, Shot, shares
from tracker.workflows.ingest.captured import (
    CaptureEndedError,
    Ended,
    FullError,
    Located,
    NoReaderError,
    Progress,
    Reader,
    demand_clock,
    instant_of,
)
from tracker.workflows.ingest.running import Running
from tracker.workflows.ingest.shown import Shown
from tracker.workflows.ingest.worker import Worker

MOST = 200
"""Captures at once; each holds one frame that waits at most, so memory is bounded too."""

IDLE_S = 30.0
"""A capture from which nothing was heard for so long is over."""

_REMEMBERED = 1000
_log = logging.getLogger(__name__)


class Captures:
    """The live captures of one process.

    Parameters
    ----------
    access
        The gate.
    load
        Loads what reads faces; called when somebody first needs it, and again when the study has come to name other
        networks than the one that was loaded.
    clock, monotonic
        Wall clock (UTC) and monotonic seconds.
    workers
        Threads that look at frames; one for every two processors leaves the rest to the pages.

    Attributes
    ----------
    running
        By participant id.
    most_waiting
        How many frames waited at once at most, since the process began.
    """

    def __init__(
        self,
        access: Access,
        load: Callable[[], Reader],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        workers: int = 1,
    ) -> None:
        self._access, self._load, self._clock, self._monotonic = access, load, clock, monotonic
        self._wanted = workers
        self._loading, self._looking = threading.Lock(), threading.Lock()
        self._reader: Reader | None = None
        self._detector: Detector | None = None
        self._workers: list[Worker] = []
        self._changed = threading.Condition()
        self._shown = Shown(monotonic, MOST)
        self._ended: OrderedDict[str, tuple[Ended, Exception | None]] = OrderedDict()
        self.running: dict[str, Running] = {}
        self.most_waiting = 0

    def reader(self) -> Reader:
        """What reads faces, loaded on first use, and anew where the study in force names other networks by now.

        Raises
        ------
        NoReaderError
            When it cannot be loaded, or is none of those that the study names.
        """
        with self._loading:
            with self._access.database.read() as connection:
                study = studies.in_force(connection)
            if self._reader is None or not study.reads_with(self._reader.engine.network.id):
                # Whoever reads now goes on where this fails: no frame is read any more, and its capture is told so.
                reader, detector = self._loaded(study)
                self._dismiss()
                shared = (self._access, reader, self._clock, self._monotonic, self._changed, self)
                self._workers = [Worker(*shared) for _ in range(self._wanted)]
                self._reader, self._detector = reader, detector
            return self._reader

    def warm(self) -> None:
        """Load what reads faces in the background, so that the first picture need not wait for it."""
        if self._reader is None and not self._loading.locked():
            threading.Thread(target=self._warm, name="warm", daemon=True).start()

    def look(self, person: Person, data: bytes, device_ms: int) -> Located:
        """Find the faces in a picture, for somebody to say which is theirs; nothing is stored.

        Raises
        ------
        ConsentError
            When they do not allow that their face is read.
        MediaError
            As `tracker.vision.received.demand_readable`.
        ClockOffError
            When the device's clock is far off.
        FullError
            When too many are asked at once.
        """
        now = self._clock()
        self._demand_permit(person, now)
        demand_readable(data)
        demand_clock(instant_of(device_ms), now)
        self.reader()
        pixels = decode(data)
        with self._looking:
            assert self._detector is not None  # it came with the reader
            faces = self._detector.find(pixels)
        height, width = pixels.shape[:2]
        capture = secrets.token_urlsafe(24)
        with self._changed:
            self._shown.put(person.id, capture, Shot((height, width), faces, device_ms, now))
        return Located(capture, tuple(shares(face, height, width) for face in faces))

    def start(self, person: Person, capture: str, face: int, device_ms: int) -> Progress:
        """Begin a capture with the face that its person says is theirs now; one that runs elsewhere gives way.

        Raises
        ------
        LookAgainError
            When the picture is not the newest of this person, too old, or has no such face.
        FullError
            When `MOST` capture already.
        ConsentError
            From the gate.
        """
        self._demand_permit(person, self._clock())
        with self._changed:
            if len(self.running) >= MOST and person.id not in self.running:
                raise FullError
            shot = self._shown.take(person.id, capture, face)
            # Taken over in one go: of two pages that begin at once each finds the one before it, and one stays.
            before = self._leave(person.id, Ended.ELSEWHERE)
            begun = Running(Capture(person, capture, shot, face, device_ms), self._monotonic())
            self.running[person.id] = begun
        if before is not None:
            self._finish(before, Ended.ELSEWHERE)
        return begun.capture.progress

    def offer(self, person: Person, capture: str, sequence: int, device_ms: int, data: bytes) -> Progress:
        """Leave a frame to be looked at, and learn how those before it fared.

        A frame that was left before adds nothing.

        Raises
        ------
        CaptureEndedError
            When the capture is over, and why.
        MediaError, ClockOffError
            When the frame is none, or not of now.
        """
        demand_readable(data)
        now = self._clock()
        with self._changed:
            running = self._running(person.id, capture)
            pts_us, at = running.capture.time(device_ms, now)
            if running.capture.offer(Picture(data, pts_us, at), sequence):
                running.heard_at = self._monotonic()
                running.since = running.heard_at if running.since is None else running.since
                self.most_waiting = max(self.most_waiting, self.waiting())
                self._changed.notify()
            return running.capture.progress

    def stop(self, person: Person, capture: str) -> Progress:
        """End a capture and store what waits.

        Raises
        ------
        CaptureEndedError
            When it is over already, and why.
        """
        with self._changed:
            running = self._running(person.id, capture)
        self.end(person.id, Ended.STOPPED)
        return running.capture.progress

    def close(self) -> None:
        """End everything, store what waits, and let the workers go."""
        for person in list(self.running):
            self.end(person, Ended.STOPPED)
        for worker in self._workers:
            worker.stop()

    def waiting(self) -> int:
        """How many frames wait: never more than captures run."""
        return sum(running.since is not None for running in list(self.running.values()))

    def end(self, person: str, why: Ended, cause: Exception | None = None) -> None:
        """End what a person captures here, and store what waits, unless consent or a failure ended it."""
        with self._changed:
            running = self._leave(person, why, cause)
        if running is not None:
            self._finish(running, why)

    def _loaded(self, study: Study) -> tuple[Reader, Detector]:
        """Load what reads faces, where that is what the study names."""
        try:
            reader = self._load()
            detector = reader.detector()
        except (OSError, RuntimeError, ValueError, VisionError) as error:
            raise NoReaderError("what reads faces cannot be loaded") from error
        if not study.reads_with(reader.engine.network.id):
            named = " or ".join(study.networks)
            _log.error("the study reads faces with %s, and %s is loaded", named, reader.engine.network.id)
            raise NoReaderError(f"the study reads faces with {named}, which is not what is loaded")
        return reader, detector

    def _dismiss(self) -> None:
        """Let those who read faces go; frames that wait are looked at by whoever comes next."""
        for worker in self._workers:
            worker.stop()
        self._workers = []

    def _leave(self, person: str, why: Ended, cause: Exception | None = None) -> Running | None:
        """Take what a person captures here out; to be held under the lock."""
        running = self.running.pop(person, None)
        if running is not None:
            running.capture.drop()
            self._remember(running.capture.id, why, cause)
        return running

    def _finish(self, running: Running, why: Ended) -> None:
        """Store what waits of a capture that was taken out."""
        with running.lock:
            running.over = True
            if why not in (Ended.REFUSED, Ended.FAILED):
                running.capture.give_up()
                running.capture.tell_missed()
                if refusal := running.flush(self._access, self._clock()):
                    self._remember(running.capture.id, Ended.REFUSED, refusal)
            running.capture.forget()

    def any_idle(self) -> bool:
        """Whether nothing was heard for long of a capture that runs."""
        late = self._monotonic() - IDLE_S
        return any(running.heard_at < late for running in list(self.running.values()))

    def end_idle(self) -> None:
        """End captures whose page is gone."""
        late = self._monotonic() - IDLE_S
        for person, running in list(self.running.items()):
            if running.heard_at < late:
                self.end(person, Ended.IDLE)

    def _remember(self, capture: str, why: Ended, cause: Exception | None) -> None:
        self._ended[capture] = (why, cause)
        while len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)

    def _running(self, person: str, capture: str) -> Running:
        running = self.running.get(person)
        if running is None or running.capture.id != capture:
            raise CaptureEndedError(*self._ended.get(capture, (Ended.UNKNOWN, None)))
        return running

    def _demand_permit(self, person: Person, now: datetime) -> None:
        with self._access.read(person.id, now) as unit:
            unit.capture_permit()

    def _warm(self) -> None:
        try:
            self.reader()
        except Exception as error:
            # Whoever shows the first picture is told; here nobody listens.
            _log.error("what reads faces could not be loaded: %s", type(error).__name__)
