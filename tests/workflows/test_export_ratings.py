"""What raters said is exported where the participant and the rater both allow it, and nowhere else."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import tracker
from tests.builders import ALL, NOW, installation
from tests.workflows.exported import DAY, bytes_of, manifest, read, stored_instants
from tests.workflows.rated import given, observation_of, rater, said, shown
from tracker.access import Access
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.raters import RaterScope
from tracker.domain.rating import Dimension, Sample, Trace, Verdict
from tracker.domain.stretches import Stretch
from tracker.store import exports
from tracker.workflows import consenting, hiding, members, rating
from tracker.workflows.export import WithdrawnError, export_dataset, registered

EVERY = timedelta(seconds=5)
LATER = NOW + timedelta(hours=1)
EVERYTHING = frozenset(RaterScope)


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    yield opened
    opened.close()


def agree(access: Access, who: Member, scopes: frozenset[RaterScope], now: datetime = LATER) -> None:
    rating.agree(access, who, rating.notice(access).sha256, now, scopes)


def vote(access: Access, who: Member, emotion: Emotion | None = Emotion.ANGER, **more: Any) -> int:
    """One answer to the next item; returns the observation."""
    [item] = given(access, who)
    rating.vote(access, who, item, said(emotion, **more), NOW)
    return observation_of(access, item)


def drawn(access: Access, who: Member) -> None:
    """A clip opened, followed and rated as a whole."""
    stretch = rating.stretches(access, who, NOW)[0]
    frames = rating.open_series(access, who, stretch.item, NOW).frames
    samples = tuple(Sample(f.at, 0.1 * i, f.observation) for i, f in enumerate(frames))
    rating.keep_trace(access, who, stretch.item, Trace(Dimension.VALENCE, samples, 2.0, "a-trace-once"), NOW)
    rating.vote(access, who, stretch.item, said(Emotion.FEAR), NOW)


PLAIN = """
select v.id, v.member, v.verdict, v.observation, v.recorded_at, v.response_ms, v.p_anger, v.p_fear, t.kind
from rating_votes v join rating_tasks t on t.id = v.task
where v.subject = :s and v.verdict not in ('uncomfortable', 'undone')
and not exists (select 1 from rating_votes w where w.supersedes = v.id)
order by (select o."at" from observations o where o.id = v.observation), v.observation, v.id
"""


def plain(access: Access, who: Person) -> list[Any]:
    with access.database.read() as connection:
        return list(connection.execute(text(PLAIN), {"s": who.subject}))


def test_every_answer_is_in_it_once_as_stored_with_what_is_true(access: Access, tmp_path: Path) -> None:
    ada, kim, lee = shown(access, faces=6, every=EVERY), rater(access), rater(access, "lee")
    judge = rater(access, "rosa", Role.RESEARCHER)
    known = vote(access, kim, Emotion.FEAR)
    rating.set_gold(access, judge, ada, known, Distribution.said(Emotion.ANGER), NOW)
    vote(access, kim, None)
    vote(access, kim, None, verdict=Verdict.NOT_A_FACE)
    vote(access, kim, None, verdict=Verdict.UNCOMFORTABLE)
    [item] = given(access, lee)
    rating.vote(access, lee, item, said(Emotion.ANGER), NOW)
    rating.vote(access, lee, item, said(Emotion.FEAR), NOW)  # replaces
    [gone] = given(access, lee)
    rating.vote(access, lee, gone, said(Emotion.ANGER), NOW)
    rating.undo(access, lee, gone, "undo-it-once", NOW)
    drawn(access, lee)
    result = export_dataset(access, tmp_path / "out", LATER)
    rows, stored = read(result.folder, "ratings"), plain(access, ada)
    observed = {r["observation"]: r for r in read(result.folder, "observations")}
    names = {m: rows[i]["rater"] for i, (_, m, *_) in enumerate(stored)}
    assert len(stored) == result.rows["ratings"] == 5
    assert len(set(names.values())) == 2
    for row, (_, member, verdict, observation, _, ms, anger, fear, kind) in zip(rows, stored, strict=True):
        assert (row["rater"], row["verdict"], row["item"]) == (names[member], verdict, kind)
        assert (row["p_anger"], row["p_fear"], row["response_ms"]) == (anger, fear, ms)
        assert row["at"] == observed[row["observation"]]["at"]
        assert row["recorded_at"] == NOW
        if observation == known:
            assert (row["truth"], row["truth_verdict"], row["truth_p_anger"]) == ("known", "emotion", 1.0)
        else:
            assert row["truth"] is None
    assert [r["value"] for r in read(result.folder, "traces")] == [0.1 * i for i in range(6)]
    assert {r["lag_s"] for r in read(result.folder, "traces")} == {2.0}
    assert {r["observation"] for r in read(result.folder, "traces")} == set(observed)
    told = {r["rater"]: r for r in read(result.folder, "raters")}
    assert {told[n]["kind"] for n in names.values()} == {"rater"}
    assert sum(told[n]["n_ratings"] for n in names.values()) == 5
    assert result.excluded_rows["ratings: replaced by a later answer"] == 2
    assert result.excluded_rows["ratings: taken back, or says nothing of the face"] == 2
    everything = b"".join(bytes_of(result.folder).values()) + repr(rows).encode()
    assert [m.id for m in (kim, lee, judge) if m.id.encode() in everything] == []
    frame = tracker.read_export(result.folder, "ratings")
    assert frame["verdict"].to_list() == [r["verdict"] for r in rows]
    assert frame["truth"].null_count() == len([r for r in rows if r["truth"] is None])


def test_what_a_researcher_decided_stands_beside_the_answers(
    lite: Access, tmp_path: Path, ruled: Callable[..., None]
) -> None:
    ruled(second_share=1)
    shown(lite, faces=1)
    kim, lee, judge = rater(lite), rater(lite, "lee"), rater(lite, "rosa", Role.RESEARCHER)
    items = [given(lite, who)[0] for who in (kim, lee)]
    for who, item, emotion in zip((kim, lee), items, (Emotion.ANGER, Emotion.FEAR), strict=True):
        rating.vote(lite, who, item, said(emotion), NOW)
    [disputed] = rating.to_adjudicate(lite, judge, NOW)
    rating.adjudicate(lite, judge, disputed.item, said(Emotion.SADNESS), NOW)
    rows = read(export_dataset(lite, tmp_path / "out", LATER).folder, "ratings")
    assert [(r["truth"], r["truth_p_sadness"], r["gold"]) for r in rows] == [("decided", 1.0, False)] * 2


def test_each_scope_of_both_is_needed(access: Access, tmp_path: Path) -> None:
    """Every set of what a participant allows beside every set of what a rater does."""
    asked = (Scope.AFFECT_SERIES, Scope.FACE_CROPS, Scope.SHARE_WITH_RATERS)
    raters = {
        "kim": EVERYTHING,
        "lee": EVERYTHING - {RaterScope.RESEARCH},
        "max": EVERYTHING - {RaterScope.SPEED},
    }
    staff = {name: rater(access, name) for name in raters}
    for name, scopes in raters.items():
        agree(access, staff[name], scopes, NOW)
    for n, chosen in enumerate(itertools.product([False, True], repeat=len(asked))):
        who = shown(access, f"p{n}", faces=3, now=NOW - n * EVERY)
        for member in staff.values():
            vote(access, member)
        # At once: whoever takes one back is rated no more, so the next votes are of the next person's faces.
        if gone := [s for s, on in zip(asked, chosen, strict=True) if not on]:
            consenting.withdraw(access, who, gone, NOW, recorder=Recorder.PARTICIPANT)
    result = export_dataset(access, tmp_path / "out", NOW)
    rows = read(result.folder, "ratings")
    # Of the one person who allows all three, what the two who agreed to research said; timed is one of them.
    assert sorted(r["response_ms"] is None for r in rows) == [False, True]
    assert {r["at"] for r in rows} <= set(stored_instants(access, "observations", who))
    assert result.excluded_rows["ratings: the rater has not agreed to research"] == 1
    assert result.excluded_rows["ratings: scope not in force"] == 7 * 3
    assert manifest(result.folder)["excluded_rows"] == result.excluded_rows
    granted = [r["ratings_granted"] for r in read(result.folder, "participants")]
    assert sorted(granted) == [False] * (len(granted) - 1) + [True]


def test_rows_before_what_the_grant_covers_and_in_hidden_stretches_stay_out(
    lite: Access, tmp_path: Path
) -> None:
    ada, kim = shown(lite, faces=6, every=EVERY), rater(lite)
    observed = sorted(vote(lite, kim) for _ in range(3))
    drawn(lite, kim)
    instants = {
        r["observation"]: r["at"] for r in read(export_dataset(lite, tmp_path / "all", NOW).folder, "ratings")
    }
    assert len(instants) >= len(set(observed))
    last = NOW - EVERY
    consenting.withdraw(lite, ada, [Scope.SHARE_WITH_RATERS], NOW, recorder=Recorder.PARTICIPANT)
    consenting.grant(
        lite, ada, [Scope.SHARE_WITH_RATERS], NOW, recorder=Recorder.PARTICIPANT, covers_from=last
    )
    result = export_dataset(lite, tmp_path / "late", LATER)
    assert all(r["at"] >= last for t in ("ratings", "traces") for r in read(result.folder, t))
    assert len(read(result.folder, "traces")) == 1
    assert result.excluded_rows["traces: before covers_from"] == 5
    hiding.hide(lite, ada, Stretch(last, NOW), LATER)
    hidden = export_dataset(lite, tmp_path / "hidden", LATER)
    assert read(hidden.folder, "ratings") == read(hidden.folder, "traces") == []


def test_an_export_for_everybody_holds_no_answer_of_raters(lite: Access, tmp_path: Path) -> None:
    kim = rater(lite)
    for n in range(5):
        shown(lite, f"p{n}", faces=1, scopes=ALL)
        vote(lite, kim)
    result = export_dataset(lite, tmp_path / "out", LATER, public=True)
    assert result.rows["ratings"] == 0
    assert result.excluded_rows["ratings: not in exports for everybody"] == 5


def flagged(access: Access, export: str) -> datetime | None:
    return next(e.outdated_at for e in registered(access) if e.id == export)


def test_again_is_byte_for_byte_with_later_answers_and_truths(access: Access, tmp_path: Path) -> None:
    ada, kim, judge = (
        shown(access, faces=6, every=EVERY),
        rater(access),
        rater(access, "rosa", Role.RESEARCHER),
    )
    observed = vote(access, kim)
    drawn(access, kim)
    first = export_dataset(access, tmp_path / "first", NOW)
    assert first.rows["ratings"] == 2
    vote(access, kim)
    lee = rater(access, "lee")
    vote(access, lee)
    rating.set_gold(access, judge, ada, observed, Distribution.said(Emotion.ANGER), NOW)
    again = export_dataset(access, tmp_path / "again", NOW + DAY, again=first.id)
    assert bytes_of(again.folder) == bytes_of(first.folder)
    with access.database.read() as connection:
        row = exports.get(connection, first.id)
    assert row is not None
    assert list(row.request["raters"].values()) == [True]
    assert kim.id not in repr(row.request)


@pytest.mark.parametrize("how", ["research", "votes", "speed", "erase", "remove"])
def test_what_a_rater_takes_back_outdates_what_holds_it_and_is_not_repeated(
    access: Access, tmp_path: Path, how: str
) -> None:
    shown(access, faces=6, every=EVERY)
    kim, lee = rater(access), rater(access, "lee")
    vote(access, kim)
    with_kim = export_dataset(access, tmp_path / "with", NOW)
    agree(access, lee, EVERYTHING - {RaterScope.RESEARCH}, NOW)  # is in none
    assert flagged(access, with_kim.id) is None
    if how == "erase":
        rating.erase(access, kim, LATER)
    elif how == "remove":
        members.remove(access, kim, LATER)
    else:
        agree(access, kim, EVERYTHING - {RaterScope(how)})
    assert flagged(access, with_kim.id) == LATER
    with pytest.raises(WithdrawnError, match="1 rater"):
        export_dataset(access, tmp_path / "again", LATER, again=with_kim.id)
    rows = read(export_dataset(access, tmp_path / "new", LATER).folder, "ratings")
    assert [r["response_ms"] for r in rows] == ([None] if how == "speed" else [])


def test_a_participant_who_stops_showing_outdates_those_with_answers_alone(
    lite: Access, tmp_path: Path
) -> None:
    ada, kim = shown(lite, faces=2), rater(lite)
    without = export_dataset(lite, tmp_path / "without", NOW)
    vote(lite, kim)
    holding = export_dataset(lite, tmp_path / "with", NOW)
    consenting.withdraw(lite, ada, [Scope.SHARE_WITH_RATERS], LATER, recorder=Recorder.PARTICIPANT)
    assert flagged(lite, without.id) is None
    assert flagged(lite, holding.id) == LATER


def test_a_rater_who_takes_it_back_while_it_runs_is_in_no_byte(access: Access, tmp_path: Path) -> None:
    for name in ("ada", "grace"):
        shown(access, name, faces=1)
    kim = rater(access)
    vote(access, kim)
    vote(access, kim)
    waiting = [True]

    def report(done: float) -> None:
        if waiting and done >= 0.5:
            waiting.pop()
            agree(access, kim, EVERYTHING - {RaterScope.RESEARCH})

    result = export_dataset(access, tmp_path / "out", NOW, progress=report)
    assert waiting == []
    assert result.rows["ratings"] == 0
    assert flagged(access, result.id) is None


def test_what_was_agreed_to_after_the_instant_is_not_in_it(lite: Access, tmp_path: Path) -> None:
    shown(lite, faces=2)
    kim = rater(lite)
    agree(lite, kim, EVERYTHING - {RaterScope.RESEARCH}, NOW)
    vote(lite, kim)
    agree(lite, kim, EVERYTHING, LATER)
    assert export_dataset(lite, tmp_path / "then", LATER, at=NOW).rows["ratings"] == 0
    assert export_dataset(lite, tmp_path / "now", LATER).rows["ratings"] == 1
