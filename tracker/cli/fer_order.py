"""``fer check-order``: is a network's stated label order its own?"""

from __future__ import annotations

from rich.table import Table

from tracker.cli.fer_opening import Data, Detect, DeviceName, HeadName, NetworkName, Split, opened
from tracker.cli.output import AsJson, out, print_json, progress

# torch takes seconds to import, and --help should not: each command imports what it needs.
# ruff: noqa: PLC0415


def check_order(
    data: Data,
    network: NetworkName = "default",
    split: Split = None,
    head: HeadName = None,
    detect: Detect = False,
    device: DeviceName = "auto",
    as_json: AsJson = False,
) -> None:
    """Find the best order of a network's outputs on labelled faces; refuse one that is beaten (exit code 7)."""
    judged = opened(network, data, split, head, detect=detect, device=device)

    from tracker.lab.order import OrderError
    from tracker.lab.order_of_faces import order_of_faces

    name = judged.engine.network.id
    with progress(f"Checking {name} on {data}") as report:
        found = order_of_faces(judged.engine, judged.faces, judged.head, judged.cropper, report=report)
    if as_json:
        print_json(
            {
                "network": name,
                "data": data,
                "split": judged.split,
                "head": judged.head.name,
                **found.as_dict(),
            }
        )
    else:
        table = Table("output", "stated", "best", "faces")
        for place, (stated, best) in enumerate(zip(found.order.stated, found.order.best, strict=True)):
            n = found.order.probed.get(stated, 0)
            table.add_row(str(place), stated, best, str(n) if n else "none: not checked")
        out().print(table)
        out().print(f"{name}, head {judged.head.name}: {found.order.sentence()}", highlight=False)
    if found.order.verdict == "wrong":
        raise OrderError(
            f"{name}, head {judged.head.name}: {found.order.sentence()}; correct the classes in its manifest"
        )
