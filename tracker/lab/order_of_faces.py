"""Check a network's label order on a data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracker.fer.engine import Engine
from tracker.fer.manifest import Head
from tracker.lab.datasets.cropping import Cropper
from tracker.lab.datasets.faces import UNLABELLED, FaceSet
from tracker.lab.judging import NAMED, read_faces
from tracker.lab.meeting import meet
from tracker.lab.order import Order, check_order


@dataclass(frozen=True)
class OrderOfFaces:
    """An order with what was left out to find it."""

    order: Order
    broken: tuple[str, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they are printed."""
        return {
            "n": sum(self.order.probed.values()),
            **self.order.as_dict(),
            "skipped": {"n": len(self.broken), "first": list(self.broken[:NAMED])},
            "notes": list(self.notes),
        }


def order_of_faces(
    engine: Engine,
    faces: FaceSet,
    head: Head,
    cropper: Cropper,
    report: Callable[[float], None] = lambda _: None,
) -> OrderOfFaces:
    """Read labelled faces and find the best order of a head's outputs; see `tracker.lab.order.check_order`."""
    meeting, met = meet(head.classes, faces.classes, faces.labels)
    reading = read_faces(
        engine, faces, np.flatnonzero(met != UNLABELLED).astype(np.int64), cropper, head.name, report
    )
    place = np.array([head.classes.index(name) for name in meeting.classes])
    labels = place[met[reading.rows]].astype(np.int64)
    unit, drawn = faces.drawn()
    order = check_order(reading.logits, labels, head.classes, drawn=drawn[reading.rows], unit=unit)
    notes = tuple(
        f"No face in these data is labelled {name}: nothing is known about it." for name in order.unprobed
    )
    return OrderOfFaces(order, reading.broken, (*notes, *faces.notes))
