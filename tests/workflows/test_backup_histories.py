"""Whatever was erased stays so, in every order of living, erasing, backing up and bringing back."""

import itertools
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.builders import NOW, installation, person
from tests.processes import close
from tracker import shipped
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, Recorder, Scope
from tracker.domain.people import UnknownParticipantError
from tracker.domain.series import Context
from tracker.store import compacting, erasing, tables
from tracker.workflows import backup, consenting, erasure, feedback

NAMES = ("ada", "grace")
ACTS = st.one_of(
    st.tuples(st.sampled_from(["says", "leaves", "forgets", "withdraws", "allows"]), st.sampled_from(NAMES)),
    st.tuples(st.sampled_from(["backs up", "brings back", "loses all and brings back"]), st.just("")),
)


class History:
    """An installation, and what must not be in it any more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.access: Access = installation(f"sqlite:///{folder / 'affect.db'}", folder)
        self.people = {name: person(self.access, name) for name in NAMES}
        self.gone: set[str] = set()
        self.words: dict[str, set[str]] = {name: set() for name in NAMES}
        self.forbidden: set[str] = set()
        self.backups: list[Path] = []
        self.numbers = itertools.count()

    def act(self, act: str, name: str) -> None:
        number = next(self.numbers)
        now = NOW.replace(minute=number // 60, second=number % 60)
        if act == "backs up":
            file = self.folder / f"backup{number}.db"
            self.backups.append(backup.backup(self.access, file, shipped.migrations(), now)[0])
        elif act.endswith("brings back"):
            if self.backups:
                self._restore(self.backups[number % len(self.backups)], now, lost=act.startswith("loses"))
        elif name not in self.gone:
            self._lives(act, name, now, number)

    def _lives(self, act: str, name: str, now: object, number: int) -> None:
        assert isinstance(now, type(NOW))
        who = self.people[name]
        if act == "says":
            word = f"canary-place-{name}-{number}"
            try:
                feedback.add_context(self.access, who, Context(NOW, place=word), now)
                self.words[name].add(word)
            except ConsentMissingError:
                pass  # withdrawn, or ended by a restore
        elif act == "leaves":
            erasure.erase_person(self.access, who, now)
            self.gone.add(name)
            self.forbidden |= self.words[name]
        elif act == "forgets":
            erasure.erase_scope(self.access, who, Scope.CONTEXT, now)
            self.forbidden |= self.words[name]
            self.words[name] = set()
        elif act == "withdraws":
            consenting.withdraw(self.access, who, [Scope.CONTEXT], now, recorder=Recorder.PARTICIPANT)
        else:
            wanted = [Scope.AFFECT_SERIES, Scope.CONTEXT]
            consenting.grant(
                self.access, who, wanted, now, recorder=Recorder.PARTICIPANT, covers_from=NOW.replace(day=1)
            )

    def _restore(self, file: Path, now: object, *, lost: bool) -> None:
        assert isinstance(now, type(NOW))
        access = self.access
        withdrawn = {name for name in set(NAMES) - self.gone if not self._allows(name, now)}
        close(access)
        if lost:
            for path in self.folder.glob("affect.db*"):
                path.unlink()
        told = backup.restore(
            file,
            access.database,
            access.vault,
            access.keys,
            shipped.migrations(),
            now,
            replay=erasure.replay,
        )
        assert told.problem is None
        for name in withdrawn:
            assert not self._allows(name, now), "no restore brings a withdrawn consent back"

    def _allows(self, name: str, now: object) -> bool:
        assert isinstance(now, type(NOW))
        with self.access.read(self.people[name].id, now) as unit:
            return Scope.CONTEXT in unit.grants()

    def check(self) -> None:
        assert self.access.audit() is None
        with self.access.database.read() as connection:
            said = set(connection.execute(select(tables.contexts.c.place)).scalars())
            for name in self.gone:
                who = self.people[name]
                assert erasing.left_of_person(connection, who.subject, who.id) == {}
        assert said.isdisjoint(self.forbidden)
        for name, who in self.people.items():
            if name in self.gone:
                try:
                    self.access.person(name)
                except UnknownParticipantError:
                    continue
                raise AssertionError(f"{name} is back")
            assert self.access.person(name).id == who.id
        ids = [self.people[name].subject.encode() for name in self.gone]
        compacting.checkpoint(self.access.database)
        assert self.access.database.path is not None
        needles = [*ids, *(word.encode() for word in self.forbidden)]
        if needles:
            assert compacting.traces(compacting.files_of(self.access.database.path), needles) == []


@settings(max_examples=12, deadline=None)
@given(st.lists(ACTS, min_size=3, max_size=9))
def test_no_order_of_events_brings_anything_back(acts: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder))
        try:
            # Something to bring back, whatever comes.
            for act in (*(("says", name) for name in NAMES), ("backs up", ""), *acts):
                history.act(*act)
            history.check()
        finally:
            close(history.access)
