"""The thread that looks at the frames of live captures, reads them in one batch, and stores what was seen."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import numpy as np

from tracker.access import Access
from tracker.domain.consent import ConsentError
from tracker.domain.people import UnknownParticipantError
from tracker.domain.series import Estimate, Observed
from tracker.store.database import DatabaseError
from tracker.vision.errors import VisionError
from tracker.vision.face import Detector
from tracker.vision.received import decode
from tracker.workflows.ingest.capture import Picture, Seen
from tracker.workflows.ingest.captured import Ended, Reader
from tracker.workflows.ingest.filming import permit_of
from tracker.workflows.ingest.running import FLUSH_S, Running

FACES = 8
"""Frames of one round at most: how long the last of them waits is bounded by it."""

_TROUBLE = 120
"""Moments that wait at most while the database cannot be used."""

_log = logging.getLogger(__name__)


class Registry(Protocol):
    """What holds the captures that run."""

    running: dict[str, Running]

    def end(self, person: str, why: Ended, cause: Exception | None = None) -> None:
        """End what a person captures."""

    def any_idle(self) -> bool:
        """Whether a page has not been heard of for long."""

    def end_idle(self) -> None:
        """End what nobody sends frames for."""


class Worker:
    """One thread; several may share a registry, and no capture is with two of them at once.

    Parameters
    ----------
    access, reader
        The gate, and what reads faces.
    clock, monotonic
        Wall clock (UTC) and monotonic seconds.
    changed
        Told when a frame came; guards the registry.
    registry
        The captures that run.
    """

    def __init__(
        self,
        access: Access,
        reader: Reader,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        changed: threading.Condition,
        registry: Registry,
    ) -> None:
        self._access, self._reader, self._clock, self._monotonic = access, reader, clock, monotonic
        self._changed, self._registry = changed, registry
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="capture", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end after its round."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        detector = self._reader.detector()
        while (taken := self._next()) is not None:
            try:
                self._look(taken, detector)
                for running in taken:
                    self._store_if_due(running)
                self._registry.end_idle()
            except Exception as error:
                # What an error says may hold somebody's data, so only its kind is logged; others go on.
                _log.error("a round of live captures failed: %s", type(error).__name__)
                for running in taken:
                    self._registry.end(running.capture.person.id, Ended.FAILED)
            finally:
                with self._changed:
                    for running in taken:
                        running.busy = False

    def _next(self) -> list[Running] | None:
        """Wait for captures with a frame, the longest waiting first, or with rows that are due; None at the end."""
        with self._changed:
            while not self._stopped:
                free = [running for running in self._registry.running.values() if not running.busy]
                waiting = [running for running in free if running.since is not None]
                taken = sorted(waiting, key=lambda running: running.since or 0.0)[:FACES]
                taken += [r for r in free if r.since is None and self._due(r)]
                if taken or self._registry.any_idle():
                    for running in taken:
                        running.busy = True
                    return taken
                self._changed.wait(FLUSH_S / 4)
        return None

    def _due(self, running: Running) -> bool:
        return running.due(self._monotonic(), len(self._registry.running))

    def _look(self, taken: list[Running], detector: Detector) -> None:
        """Read the frames of a round in one batch."""
        seen: list[tuple[Running, Seen]] = []
        for running in taken:
            with self._changed:
                picture, running.since = running.capture.take(), None
            if picture is not None and (found := self._see(running, picture, detector)) is not None:
                seen.append((running, found))
        crops = [found.crop.pixels for _, found in seen if found.crop is not None]
        engine = self._reader.engine
        read = engine.read(np.stack(crops)) if crops else None
        readings = iter([read.distribution(row) for row in range(len(crops))] if read is not None else [])
        for running, found in seen:
            said = () if found.crop is None else (Estimate(engine.network.id, next(readings)),)
            with running.lock:
                if running.over:
                    continue
                if not running.capture.rows:
                    running.flushed_at = self._monotonic()
                pixels = found.crop.pixels if found.crop is not None else None
                running.capture.keep(Observed(found.observation, said), pixels, found.looked, found.film)

    def _see(self, running: Running, picture: Picture, detector: Detector) -> Seen | None:
        person = running.capture.person
        try:
            # Before a single pixel: whoever withdrew while this frame waited is not looked at any more.
            with self._access.read(person.id, self._clock()) as unit:
                unit.capture_permit()
                unit.study.demand_network(self._reader.engine.network.id)
                films = permit_of(unit) is not None
            pixels = decode(picture.data)
        except (ConsentError, UnknownParticipantError) as refusal:
            self._registry.end(person.id, Ended.REFUSED, refusal)
            return None
        except (VisionError, DatabaseError):
            # A sound header over content that is not, or a database that is away for a moment: the next may do.
            running.capture.put_away()
            return None
        faces, spec = detector.find(pixels), self._reader.engine.crop
        return running.capture.see(picture, pixels, faces, spec, films=films)

    def _store_if_due(self, running: Running) -> None:
        why: Ended | None = None
        refusal: Exception | None = None
        with running.lock:
            if running.over or not self._due(running):
                return
            running.flushed_at = self._monotonic()
            try:
                refusal = running.flush(self._access, self._clock())
                why = Ended.REFUSED if refusal is not None else None
            except DatabaseError:
                _log.error("moments of a live capture could not be stored yet; they wait")
                why = Ended.FAILED if len(running.capture.rows) >= _TROUBLE else None
        if why is not None:
            self._registry.end(running.capture.person.id, why, refusal)
