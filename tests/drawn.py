"""Faces that are nobody's: drawn, one look per emotion, sealed and kept as `track` keeps a participant's."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import cv2
import numpy as np
from sqlalchemy import select

from tests import builders
from tracker.access import Access
from tracker.domain.affect import EMOTIONS, Emotion
from tracker.domain.consent import Scope, Use
from tracker.domain.people import Person
from tracker.store import crops, tables

SIDE = 112
_SKINS = ((196, 164, 132), (141, 104, 76), (224, 188, 160), (96, 68, 50))
# How the corners of the mouth lie, how open it is, and how the brows lean: enough to tell eight looks apart.
_LOOKS: dict[Emotion, tuple[int, int, int]] = {
    Emotion.NEUTRAL: (0, 0, 0),
    Emotion.HAPPINESS: (-9, 3, 0),
    Emotion.SURPRISE: (0, 10, -5),
    Emotion.SADNESS: (8, 0, -4),
    Emotion.ANGER: (4, 0, 6),
    Emotion.DISGUST: (6, 2, 4),
    Emotion.FEAR: (3, 7, -6),
    Emotion.CONTEMPT: (-4, 0, 2),
}


def picture(emotion: Emotion, variant: int = 0, side: int = SIDE) -> bytes:
    """A PNG of a drawn face with that look; variants differ in colour and size."""
    rng = np.random.default_rng(variant)
    page = np.full((side, side, 3), (214, 218, 224), np.uint8)
    page += rng.integers(0, 10, page.shape, dtype=np.uint8)
    scale, middle = side / 112, (side // 2, side // 2)
    corner, open_by, brow = (round(v * scale) for v in _LOOKS[emotion])
    skin = _SKINS[variant % len(_SKINS)]
    cv2.ellipse(page, middle, (round(36 * scale), round(46 * scale)), 0, 0, 360, skin, -1, cv2.LINE_AA)
    ink = tuple(v // 4 for v in skin)
    for way in (-1, 1):
        eye = (middle[0] + way * round(15 * scale), middle[1] - round(10 * scale))
        cv2.circle(page, eye, round(4 * scale), ink, -1, cv2.LINE_AA)
        inner = (eye[0] - way * round(7 * scale), eye[1] - round(11 * scale) + brow)
        outer = (eye[0] + way * round(7 * scale), eye[1] - round(11 * scale) - brow // 2)
        cv2.line(page, inner, outer, ink, max(1, round(2 * scale)), cv2.LINE_AA)
    mouth = (middle[0], middle[1] + round(22 * scale))
    if open_by > 5:
        cv2.ellipse(page, mouth, (round(9 * scale), open_by), 0, 0, 360, ink, -1, cv2.LINE_AA)
    tilt = corner if emotion is Emotion.CONTEMPT else 0
    left = (mouth[0] - round(14 * scale), mouth[1] + corner - tilt)
    points = np.array([left, mouth, (mouth[0] + round(14 * scale), mouth[1] + corner)], np.int32)
    cv2.polylines(page, [points], False, ink, max(1, round(2 * scale)), cv2.LINE_AA)
    done, png = cv2.imencode(".png", cv2.cvtColor(page, cv2.COLOR_RGB2BGR))
    assert done
    return bytes(png)


def keep(access: Access, who: Person, count: int, now: datetime, *, apart: timedelta) -> list[int]:
    """Store so many looks up to now, each with a drawn face kept; return the observations, oldest first."""
    instants = [now - apart * n for n in range(count, 0, -1)]
    looks = [EMOTIONS[n % len(EMOTIONS)] for n in range(count)]
    source = secrets.token_hex(32)
    builders.store(
        access,
        who,
        [builders.observed(at, look, source=source) for at, look in zip(instants, looks, strict=True)],
        now,
    )
    with access.write(who.id, now) as unit:
        o = tables.observations.c
        query = select(o.id, o.at).where(o.subject == who.subject, o.source == source).order_by(o.at)
        rows = unit.connection.execute(query).all()
        new = []
        for n, (row, look) in enumerate(zip(rows, looks, strict=True)):
            crop = secrets.token_hex(16)
            sealed = access.vault.seal(who.id, Scope.FACE_CROPS, picture(look, n), crops.place(crop))
            new.append(crops.NewCrop(crop, row.id, row.at, sealed))
        crops.append(unit.connection, unit.permit(Use.KEEP_CROPS), who.subject, new, now)
    return [row.id for row in rows]
