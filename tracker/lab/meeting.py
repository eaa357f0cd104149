"""Where a network's classes and a data set's meet: judged on what both know, and said what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.fer.calibration import Floats
from tracker.lab.datasets.errors import DatasetError
from tracker.lab.datasets.faces import UNLABELLED

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Meeting:
    """What is judged when classes differ.

    Attributes
    ----------
    classes
        Emotions that both know, in the order of the network's logits.
    only_network
        Emotions that the data have no name for: their probability is shared out among the others.
    only_data
        Emotions that the network cannot say, with how many faces have them: those faces are left out.
    unlabelled
        Faces that the data give no emotion.
    absent
        Emotions that both know and no face has.
    """

    classes: tuple[str, ...]
    only_network: tuple[str, ...]
    only_data: Mapping[str, int]
    unlabelled: int
    absent: tuple[str, ...]

    def said(self) -> tuple[str, ...]:
        """Say in sentences what was left out."""
        found = []
        if self.only_network:
            names = ", ".join(self.only_network)
            found.append(
                f"The data do not know {names}: probabilities are renormalised over the other classes."
            )
        if self.only_data:
            counts = ", ".join(f"{name} ({n} faces)" for name, n in self.only_data.items())
            found.append(f"The network does not know {counts}: those faces are left out.")
        if self.unlabelled:
            found.append(f"{self.unlabelled} faces have no emotion as label and are left out.")
        if self.absent:
            found.append(f"No face in these data is labelled {', '.join(self.absent)}.")
        return tuple(found)


def meet(network: Sequence[str], data: Sequence[str], labels: Labels) -> tuple[Meeting, Labels]:
    """Find what is shared, and each face's label among it.

    Parameters
    ----------
    network
        Classes in the order of the logits.
    data
        Classes that the data can name.
    labels
        (N,) index into `data`, or `UNLABELLED`.

    Returns
    -------
    tuple
        The meeting, and (N,) index into its classes, `UNLABELLED` for faces that are left out.

    Raises
    ------
    DatasetError
        When fewer than two classes are shared, or no face has one of them.

    Examples
    --------
    >>> found, labels = meet(("fear", "anger", "contempt"), ("anger", "fear", "disgust"), np.array([0, 2, -1, 1]))
    >>> found.classes, found.only_network, dict(found.only_data), labels.tolist()
    (('fear', 'anger'), ('contempt',), {'disgust': 1}, [1, -1, -1, 0])
    """
    shared = tuple(name for name in network if name in data)
    if len(shared) < 2:
        raise DatasetError(
            f"network and data share {len(shared)} classes: the one knows {', '.join(network)}, "
            f"the other {', '.join(data)}"
        )
    place = np.array([shared.index(c) if c in shared else UNLABELLED for c in data] + [UNLABELLED])
    own = place[labels]  # UNLABELLED is the last place
    if not (own != UNLABELLED).any():
        raise DatasetError(f"none of the {len(labels)} faces has a label that the network knows")
    counts = np.bincount(labels[labels != UNLABELLED], minlength=len(data))
    return Meeting(
        classes=shared,
        only_network=tuple(name for name in network if name not in data),
        only_data={c: int(n) for c, n in zip(data, counts, strict=True) if n and c not in shared},
        unlabelled=int((labels == UNLABELLED).sum()),
        absent=tuple(c for i, c in enumerate(shared) if not (own == i).any()),
    ), own.astype(np.int64)


def restrict(log_probabilities: Floats, network: Sequence[str], classes: Sequence[str]) -> Floats:
    """Renormalise log-probabilities (N, C) over some of their classes, in the order of `classes`.

    Examples
    --------
    >>> log_p = np.log([[0.2, 0.2, 0.6]])
    >>> np.exp(restrict(log_p, ("fear", "anger", "contempt"), ("fear", "anger"))).round(6).tolist()
    [[0.5, 0.5]]
    """
    kept = log_probabilities[:, [list(network).index(c) for c in classes]]
    if len(classes) == len(network):
        return kept
    top = kept.max(axis=1, keepdims=True)
    return kept - top - np.log(np.exp(kept - top).sum(axis=1, keepdims=True))  # type: ignore[no-any-return]
