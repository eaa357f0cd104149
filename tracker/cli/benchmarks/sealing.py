"""Sealing face crops as `track` does, beside AES-256-GCM alone on the same bytes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tracker.access import Access
from tracker.cli.benchmarks.figure import Figure, comparison, least, rate, seconds
from tracker.cli.benchmarks.scene import scene
from tracker.domain.consent import Scope
from tracker.domain.people import Person
from tracker.settings import Settings
from tracker.store import crops
from tracker.vision import pictures
from tracker.vision.recording import Pixels
from tracker.workflows.ingest import BATCH

SIDES = (48, 112)
"""Of crops, pixels: as the network that comes along reads them, and as larger ones do."""

BATCHES = 16
ROUNDS = 9


def measure(settings: Settings, folder: Path, rows: int) -> list[Figure]:
    """Seal batches of 64 crops, ours and bare in turn; of each batch the least of all rounds counts.

    The bare side has its key at hand, encrypts with a fresh nonce, and binds to nothing. Ours is measured with the
    key at hand too, and once more with all that keeping a crop costs but its row: fetching the key for each batch
    from the key store, a new id, and writing the picture.
    """
    access, person = scene(settings, folder)
    return [figure for side in SIDES for figure in _of_size(access, person, side)]


def _of_size(access: Access, person: Person, side: int) -> list[Figure]:
    pixels = list(np.random.default_rng(1).integers(0, 256, (BATCH, side, side, 3), np.uint8))
    plain = [pictures.sealed(crop, lambda picture, _: picture, "") for crop in pixels]
    ids = [secrets.token_hex(16) for _ in plain]
    seal, bare = _key_of(access, person), AESGCM(secrets.token_bytes(32))
    ours_s, whole_s, bare_s = least(
        ROUNDS,
        lambda: _batches(lambda: [seal(p, crops.place(i)) for i, p in zip(ids, plain, strict=True)]),
        lambda: _batches(lambda: _kept(pixels, _key_of(access, person))),
        lambda: _batches(lambda: [bare.encrypt(os.urandom(12), p, None) for p in plain]),
    )
    what = f"{BATCH * BATCHES:,} crops of {side} x {side}"
    beside = "AES-256-GCM of the same bytes"
    return [
        rate(f"seal {what}", [ours_s], beside, [bare_s], 0.5),
        comparison(f"write and seal {what}, key fetched every {BATCH}", whole_s, beside, bare_s),
    ]


def _key_of(access: Access, person: Person) -> Callable[[bytes, str], bytes]:
    return access.vault.sealer(person.id, Scope.FACE_CROPS.value)


def _kept(pixels: list[Pixels], seal: Callable[[bytes, str], bytes]) -> list[bytes]:
    return [pictures.sealed(crop, seal, crops.place(secrets.token_hex(16))) for crop in pixels]


def _batches(work: Callable[[], object]) -> Iterator[float]:
    for _ in range(BATCHES):
        yield seconds(work)
