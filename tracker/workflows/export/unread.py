"""What a network does not read is missing, not 0: which emotions those are, and their cells emptied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pyarrow as pa

from tracker import shipped
from tracker.domain.affect import EMOTIONS, Emotion
from tracker.domain.series import MACHINE
from tracker.fer.known import unread_by
from tracker.fer.manifest import read_manifest
from tracker.store import exporting
from tracker.store.database import Connection
from tracker.store.exporting import Cut
from tracker.workflows.export.frames import Frame


class Unread:
    """Which emotions the networks that read one person's faces do not read.

    The manifest says it of the networks in it. Of others, that were added here or read elsewhere, an emotion counts as
    not read if they never gave it more than 0 in the person's whole series.

    Parameters
    ----------
    connection, subject, cut
        The snapshot, whose rows, and where the export ends.
    """

    def __init__(self, connection: Connection, subject: str, cut: Cut) -> None:
        self._asked = (connection, subject, cut)
        self._found: dict[str, frozenset[Emotion]] = {}

    def by(self, network: str) -> frozenset[Emotion]:
        """What a network does not read."""
        if network not in self._found:
            known = _manifest().get(network)
            self._found[network] = (
                known
                if known is not None
                else frozenset(e for e in EMOTIONS if not exporting.ever_read(*self._asked, network, e))
            )
        return self._found[network]

    def emptied(self, told: Frame, networks: Sequence[str], snapshots: Sequence[int]) -> Frame:
        """Probabilities of estimates, those that a network does not read emptied; a learner says all eight."""
        by_network = {network: gone for network in set(networks) if (gone := self.by(network))}
        if not by_network:
            return told
        machine = np.asarray(snapshots, dtype=np.int64) == MACHINE
        found = dict(told)
        for emotion in EMOTIONS:
            names = [network for network, gone in by_network.items() if emotion in gone]
            if names:
                name = f"p_{emotion.value}"
                values = np.asarray(told[name])
                mask = machine & (values == 0) & np.isin(np.asarray(networks), names)
                found[name] = pa.array(values, mask=mask)
        return found


@cache
def _manifest() -> Mapping[str, frozenset[Emotion]]:
    return unread_by(read_manifest(shipped.models() / "manifest.toml").values())
