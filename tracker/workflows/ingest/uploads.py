"""Clips that are uploaded and read in the background: held in memory, one read at a time, dropped when done.

No byte of a clip touches a disk here, sealed or not: what waits is lost with the process, and the page begins anew.
What was read stays read, because an observation is known by its clip's content and its time in it.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from datetime import datetime

from tracker.access import Access
from tracker.domain.consent import ConsentError
from tracker.domain.instants import InstantError
from tracker.domain.people import Person, UnknownParticipantError
from tracker.store.database import DatabaseError
from tracker.vision.errors import MediaError
from tracker.vision.media import open_upload
from tracker.workflows.ingest.captured import FullError, NoReaderError, Reader
from tracker.workflows.ingest.plan import Plan, StartUnknownError
from tracker.workflows.ingest.run import track
from tracker.workflows.ingest.uploaded import (
    ClipTooLargeError,
    Stage,
    Upload,
    UploadBusyError,
    UploadGoneError,
)

LARGEST = 256 * 1024 * 1024
"""Bytes of a clip at most."""

HELD = 512 * 1024 * 1024
"""Bytes of all clips that are held at once at most: one of the largest, for whoever began first, and the rest."""

RESERVED = 8 * 1024 * 1024
"""Bytes that are kept free for a clip that only began: what somebody says it will weigh keeps nobody out."""

KEPT_S = 900.0
"""How long a clip waits for its next piece, or for somebody to say when it was recorded; then it is dropped. One that
is to be read waits for its turn as long as it takes.
"""

LOOK_S = 5.0
"""How often it is looked whether those whose clips wait still allow it."""

_WAITING = (Stage.RECEIVING, Stage.COMPLETE)
_OVER = (Stage.DONE, Stage.FAILED)
_log = logging.getLogger(__name__)


class _DiscardedError(Exception):
    """Its person wants a clip read no further."""


class Uploads:
    """The uploaded clips of one process.

    Parameters
    ----------
    access
        The gate.
    reader
        Gives what reads faces, loaded on first use.
    clock, monotonic
        Wall clock (UTC) and monotonic seconds.
    """

    def __init__(
        self,
        access: Access,
        reader: Callable[[], Reader],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._access, self._reader, self._clock, self._monotonic = access, reader, clock, monotonic
        self._changed = threading.Condition()
        self._of: dict[str, Upload] = {}
        self._queue: list[tuple[Upload, Plan, datetime]] = []
        self._thread: threading.Thread | None = None
        self._looking: threading.Thread | None = None
        self._stopped = False

    def begin(self, person: Person, key: str, size: int) -> Upload:
        """Begin an upload, or go on with the same clip's; another one of the same person is dropped.

        Raises
        ------
        ConsentError
            When their series may not be stored.
        ClipTooLargeError
            When it is larger than `LARGEST`, or empty.
        FullError
            When so much is held already.
        UploadBusyError
            While another clip of theirs is being read.
        """
        self._demand_permit(person)
        if not 0 < size <= LARGEST:
            raise ClipTooLargeError(f"A clip has at most {LARGEST // 2**20} MiB; cut it into shorter ones.")
        with self._changed:
            before = self._of.get(person.id)
            if before is not None and before.stage in (Stage.WAITING, Stage.READING):
                raise UploadBusyError("a clip is being read")
            if before is not None and before.stage in _WAITING and (before.key, before.size) == (key, size):
                before.heard_at = self._monotonic()
                return before
            made = Upload(secrets.token_urlsafe(16), person, key, size, self._monotonic())
            later = [u for u in self._holding() if u.person.id != person.id][1:]
            taken = sum(min(u.size, u.offset + RESERVED) for u in later)
            if taken + min(size, RESERVED) > HELD - LARGEST:
                raise FullError
            # Whoever begins anew comes after those who began before.
            self._of.pop(person.id, None)
            self._of[person.id] = made
            self._run()
            return made

    def add(self, person: Person, upload: str, offset: int, piece: bytes) -> Upload:
        """Take a piece.

        Raises
        ------
        UploadGoneError, UploadBusyError
            When it is not awaited any more.
        OffsetError, MediaError
            As `Upload.add`; a clip that is none is dropped.
        FullError
            When so much is held already; whoever began first always has room, so somebody gets on.
        """
        with self._changed:
            held = self.of(person, upload)
            if held.stage not in _WAITING:
                raise UploadBusyError("the clip is being read already")
            held.heard_at = self._monotonic()
            first, *later = self._holding()
            if held is not first and sum(u.offset for u in later) + len(piece) > HELD - LARGEST:
                raise FullError
            try:
                held.add(offset, piece)
            except MediaError:
                del self._of[person.id]
                raise
            return held

    def of(self, person: Person, upload: str) -> Upload:
        """An upload of this person.

        Raises
        ------
        UploadGoneError
            When there is none.
        """
        held = self._of.get(person.id)
        if held is None or held.id != upload:
            raise UploadGoneError(upload)
        return held

    def read(self, person: Person, upload: str, plan: Plan) -> Upload:
        """Read a whole clip in the background, after those that came before it.

        Raises
        ------
        ConsentError
            When their series may not be stored.
        UploadGoneError, UploadBusyError
            When there is no whole clip that waits.
        """
        self._demand_permit(person)
        with self._changed:
            held = self.of(person, upload)
            if held.stage is not Stage.COMPLETE:
                raise UploadBusyError("the clip is not whole yet, or is read already")
            held.stage, held.problem, held.heard_at = Stage.WAITING, None, self._monotonic()
            self._queue.append((held, plan, self._clock()))
            self._run()
            self._changed.notify_all()
            return held

    def discard(self, person: Person, upload: str) -> None:
        """Drop a clip; one that is being read is read no further, and what was stored stays."""
        with self._changed:
            held = self.of(person, upload)
            held.discarded = True
            if held.stage is not Stage.READING:
                held.drop()
                del self._of[person.id]

    def close(self) -> None:
        """Drop everything and let the thread go; a clip that is being read ends after its frame."""
        with self._changed:
            self._stopped = True
            for held in self._of.values():
                held.discarded = True
            self._changed.notify_all()
        for thread in (self._thread, self._looking):
            if thread is not None:
                thread.join()

    def held(self) -> int:
        """How many bytes are held."""
        return sum(upload.offset for upload in list(self._of.values()))

    def _demand_permit(self, person: Person) -> None:
        with self._access.read(person.id, self._clock()) as unit:
            unit.capture_permit()

    def _holding(self) -> list[Upload]:
        """Clips that hold memory, in the order in which they were begun."""
        return [upload for upload in self._of.values() if upload.stage not in _OVER]

    def _run(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="uploads", daemon=True)
            self._thread.start()
        if self._looking is None or not self._looking.is_alive():
            self._looking = threading.Thread(target=self._look, name="uploads-look", daemon=True)
            self._looking.start()

    def _look(self) -> None:
        # On a thread of its own: what is read takes as long as it takes, and consent is not asked for that rarely.
        while not self._wait_stopped():
            self._sweep()

    def _wait_stopped(self) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._stopped, LOOK_S)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._stopped)
                if self._stopped:
                    return
                asked = self._queue.pop(0)
            self._read(*asked)
            self._sweep()

    def _sweep(self) -> None:
        """Drop what waited too long, and what its person does not allow any more."""
        for held in list(self._of.values()):
            awaited = held.stage not in (Stage.WAITING, Stage.READING)
            gone = held.discarded or (awaited and self._monotonic() - held.heard_at > KEPT_S)
            if not gone and held.stage in (*_WAITING, Stage.WAITING):
                try:
                    self._demand_permit(held.person)
                except (ConsentError, UnknownParticipantError):
                    gone = True
                except DatabaseError:
                    continue
            if gone:
                with self._changed:
                    if held.stage is Stage.READING:
                        continue  # it ends by itself, after its frame
                    held.discarded = True
                    held.drop()
                    if self._of.get(held.person.id) is held:
                        del self._of[held.person.id]

    def _read(self, upload: Upload, plan: Plan, given_at: datetime) -> None:
        with self._changed:
            if upload.discarded:
                return
            upload.stage = Stage.READING

        def report(share: float) -> None:
            upload.share = min(max(share, upload.share), 1.0)
            if upload.discarded:
                raise _DiscardedError

        try:
            reader = self._reader()
            source = open_upload(upload.stream, "This clip")
            detector = reader.detector()
            track(
                self._access,
                upload.person,
                source,
                plan,
                reader.engine,
                detector,
                clock=self._clock,
                monotonic=self._monotonic,
                report=report,
                result=upload.result,
                given_at=given_at,
            )
            upload.share, upload.stage = 1.0, Stage.DONE
        except (StartUnknownError, InstantError) as error:
            # Its person can still say when it was; the bytes wait for that.
            upload.problem, upload.stage = error, Stage.COMPLETE
        except (_DiscardedError, ConsentError, UnknownParticipantError, MediaError, NoReaderError) as error:
            upload.problem, upload.stage = error, Stage.FAILED
        except Exception as error:
            _log.error("an uploaded clip could not be read: %s", type(error).__name__)
            upload.problem, upload.stage = error, Stage.FAILED
        upload.heard_at = self._monotonic()
        if upload.stage is not Stage.COMPLETE:
            upload.drop()
