"""Open the zoo: what ships, and what the user's data folder holds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tracker import settings, shipped

if TYPE_CHECKING:
    from tracker.fer.zoo import Zoo


def open_zoo() -> Zoo:
    """Open the shipped networks and those in the user's data folder."""
    from tracker.fer.zoo import Zoo  # noqa: PLC0415 - torch takes seconds, and --help should not

    return Zoo(shipped.models(), settings.load(os.environ).data_folder / "networks")
