"""The real server for browser tests: ``python -m tests.e2e.serving URL FOLDER NOW ENTRIES``.

Its clock starts at a stated instant and runs on from there, so that what is on the pages can be known.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from tests.processes import opened
from webui.server import serve


def main(url: str, folder: str, started: str, entries: str) -> None:
    """Serve on a free port; the first line written is the address."""
    start, zero = datetime.fromisoformat(started), time.monotonic()
    serve(
        lambda: opened(url, Path(folder)),
        port=0,
        entries=json.loads(entries),
        clock=lambda: start + timedelta(seconds=time.monotonic() - zero),
        on_ready=lambda address: print(address, flush=True),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
