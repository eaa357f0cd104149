"""Fill the matrix, column by column, so that each data set is read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tracker.fer.engine import Engine
from tracker.fer.zoo import Network
from tracker.lab.datasets.cropping import Cropper
from tracker.lab.datasets.faces import FaceSet
from tracker.lab.datasets.opening import kind_of, open_faces
from tracker.lab.judging import judge_faces, usual_head
from tracker.lab.matrix.cells import Cell, Kept, cell_of, key_of
from tracker.vision.face import Detector

Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Column:
    """A data set of the matrix.

    Attributes
    ----------
    name
        Its kind, or the whole source where two of a kind are compared.
    source
        ``KIND:PATH``.
    split
        None: the one held out for choosing.
    """

    name: str
    source: str
    split: str | None = None


@dataclass(frozen=True)
class Looking:
    """How faces are found where they must be, and whether they are looked for in crops as well."""

    everywhere: bool = False
    detector: Callable[[], Detector] | None = None
    name: str = ""


NOT_LOOKING = Looking()


def columns_of(sources: Sequence[str], splits: Mapping[str, str]) -> tuple[Column, ...]:
    """Name the columns, and give each its split by its kind.

    Examples
    --------
    >>> [c.name for c in columns_of(["rafdb:a", "expw:b"], {"rafdb": "train"})]
    ['rafdb', 'expw']
    >>> [c.name for c in columns_of(["folder:a", "folder:b"], {})]
    ['folder:a', 'folder:b']
    """
    kinds = [kind_of(source)[0] for source in sources]
    times = Counter(kinds)
    return tuple(
        Column(kind if times[kind] == 1 else source, source, splits.get(kind))
        for kind, source in zip(kinds, sources, strict=True)
    )


def run(
    networks: Mapping[str, Network],
    columns: Sequence[Column],
    *,
    device: str = "auto",
    looking: Looking = NOT_LOOKING,
    out: Path | None = None,
    resamples: int = 1000,
    report: Report = lambda *_: None,
) -> tuple[Cell, ...]:
    """Judge every network on every data set.

    Parameters
    ----------
    networks
        By name: the rows.
    columns
        The data; see `columns_of`.
    device
        Where networks run.
    looking
        Whether faces are looked for, and by what; data with boxes keep to them.
    out
        Each cell is kept there when it is known. One whose network, data, split, head and detector are the same
        is not computed again.
    resamples
        Of the bootstrap.
    report
        Told the cell and the share done, 0 to 1.
    """
    kept, engines, found = Kept(out), dict[str, Engine](), list[Cell]()
    total = len(networks) * len(columns)
    for column in columns:
        sets = dict[str, FaceSet]()  # of this column only: data are large
        for name, network in networks.items():
            what, done = f"{name} on {column.name}", len(found)
            report(what, done / total)
            head = usual_head(network.spec, kind_of(column.source)[0])
            labels = "fer2013" if head.name == "fer2013" else "ferplus"
            if labels not in sets:
                sets[labels] = open_faces(column.source, labels)
            split = sets[labels].usual_split() if column.split is None else column.split
            faces = sets[labels].of(split)
            cropper = Cropper(
                network.spec.crop, looking.everywhere and faces.framing != "boxes", looking.detector
            )
            by = looking.name if cropper.detect or faces.framing == "frames" else ""
            key = key_of(
                network.id, repr(network.spec), head.name, split, faces.fingerprint(), by, str(resamples)
            )
            cell = kept.find(key)
            if cell is None:
                if name not in engines:
                    engines[name] = Engine(network, device)
                judged = judge_faces(
                    engines[name],
                    faces,
                    head,
                    cropper,
                    resamples=resamples,
                    report=_within(report, what, done, total),
                )
                cell = cell_of(judged)
                kept.keep(key, cell)
            # What rows and columns are called today, and where the data lie, is no part of what was found.
            found.append(replace(cell, network=name, network_id=network.id, data=column.name,
                                 source=column.source, split=split))  # fmt: skip
    report("done", 1.0)
    return tuple(found)


def _within(report: Report, what: str, done: int, total: int) -> Callable[[float], None]:
    return lambda share: report(what, (done + share) / total)
