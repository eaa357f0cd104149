"""One life on a database, through the command line and the web, stage by stage under a watch."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.invariants import living
from tests.invariants.canaries import Hit, pictures, search
from tests.invariants.watching import Watched, python, watch
from tracker.access import Access, open_access
from tracker.privacy.keys import parse_master_key
from tracker.store.database import Database

ROOT = Path(__file__).parents[2]


@dataclass
class Life:
    """What happened, and where.

    Attributes
    ----------
    folder
        Everything lies in it: the data folder, the recording, the export, temporary files.
    url
        The database's.
    stages
        What each stage wrote.
    """

    folder: Path
    url: str
    stages: dict[str, Watched] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def frames(self) -> Path:
        """The recording, which the participant brought."""
        return self.folder / "frames"

    def environment(self) -> dict[str, str]:
        """The whole environment of a stage: every folder that a program may choose to write to is in `folder`."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        places = {
            "HOME": "home",
            "TMPDIR": "tmp",
            "XDG_CACHE_HOME": "cache",
            "XDG_DATA_HOME": "share",
            "XDG_STATE_HOME": "state",
        }
        for place in places.values():
            (self.folder / place).mkdir(exist_ok=True)
        return {
            **kept,
            **{name: str(self.folder / place) for name, place in places.items()},
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "AFFECT_DATA_FOLDER": str(self.data),
            "AFFECT_DATABASE_URL": self.url,
            "AFFECT_OPERATOR": "operator",
        }

    def run(self, stage: str, *arguments: str) -> Watched:
        """Run a stage under a watch, once."""
        if stage not in self.stages:
            command = python("-m", "tests.invariants.living", str(self.folder), stage, *arguments)
            done = watch(command, self.folder, self.environment())
            codes = re.findall(r"^CODE (\d+) (\w+)", done.out, re.MULTILINE)
            assert done.code == 0, done.err[-3000:]
            assert all(code == "0" for code, _ in codes), (codes, done.err[-3000:])
            self.stages[stage] = done
        return self.stages[stage]

    def opened(self) -> Access:
        """The installation, opened in this process."""
        (store,) = self.data.glob("*.keys.db")
        return open_access(
            Database(self.url), store, parse_master_key((self.data / "master.key").read_text())
        )

    def ours(self) -> set[Path]:
        """Every file that any stage could have written, but for what the participant brought."""
        written = set[Path]().union(*(done.files for done in self.stages.values()))
        scanned = {path for path in self.folder.rglob("*") if path.is_file()}
        return {path for path in written | scanned if self.frames not in path.parents}

    def hits(self, canaries: dict[str, bytes], *stages: str) -> list[Hit]:
        """Where canaries are in what stages handed to files, and in all files that are there now."""
        found = []
        for stage in stages or self.stages:
            for name, held in self.stages[stage].written.items():
                found += search(f"{stage}: {name}", held, canaries)
        for path in self.ours():
            if path.is_file():
                found += search(
                    str(path.relative_to(self.folder) if self.folder in path.parents else path),
                    path.read_bytes(),
                    canaries,
                )
        return found

    def pictures(self, *stages: str) -> list[Hit]:
        """Where encoded pictures are in what stages handed to files."""
        found = []
        for stage in stages or self.stages:
            for name, held in self.stages[stage].written.items():
                found += pictures(f"{stage}: {name}", held)
        return found


def begun(folder: Path, url: str) -> Life:
    """A folder with a recording, in which nobody has lived yet."""
    folder.mkdir(parents=True, exist_ok=True)
    life = Life(folder, url or f"sqlite:///{folder / 'data' / 'affect.db'}")
    living.record(life.frames)
    return life
