"""The real server for browser tests: ``python -m tests.e2e.serving URL FOLDER NOW ENTRIES``.

Its clock starts at a stated instant and runs on from there, so that what is on the pages can be known; whoever
writes seconds into the file ``ahead`` of the folder sets it forward.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from tests.processes import opened
from tracker import settings
from tracker.cli.serving import reader
from tracker.study import DEFAULT
from webui.server import serve

AHEAD = "ahead"


def main(url: str, folder: str, started: str, entries: str) -> None:
    """Serve on a free port; the first line written is the address."""
    start, zero = datetime.fromisoformat(started), time.monotonic()
    ahead = Path(folder) / AHEAD

    def clock() -> datetime:
        skipped = float(ahead.read_text()) if ahead.exists() else 0.0
        return start + timedelta(seconds=time.monotonic() - zero + skipped)

    serve(
        lambda: opened(url, Path(folder)),
        port=0,
        entries=json.loads(entries),
        clock=clock,
        on_ready=lambda address: print(address, flush=True),
        reader=lambda: reader(settings.load(os.environ), DEFAULT.usual_network),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
