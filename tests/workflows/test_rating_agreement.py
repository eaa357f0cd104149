from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import NOW, installation, leaning, member
from tests.processes import close
from tests.workflows.rated import given, observation_of, rater, said, shown
from tracker.access import Access
from tracker.domain.affect import EMOTIONS, Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.raters import RaterScope
from tracker.domain.rating import RatingError, Verdict
from tracker.domain.series import Correction
from tracker.store import studies
from tracker.study import DEFAULT
from tracker.study.rating import RatingRules
from tracker.workflows import consenting, feedback, rating

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def access(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Access]:
    everybody = DEFAULT.model_copy(update={"rating": RatingRules(second_share=1, gold_share=0)})
    monkeypatch.setattr(studies, "in_force", lambda _: everybody)
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def test_the_six_columns_say_what_was_said(access: Access) -> None:
    ada = shown(access, faces=4)
    kim, lee = rater(access, "kim"), rater(access, "lee")
    mine = given(access, kim, 4)
    by_observation = {observation_of(access, item): item for item in given(access, lee, 4)}
    answers = [Emotion.SADNESS, Emotion.SADNESS, Emotion.ANGER, None]
    for item, answer in zip(mine, answers, strict=True):
        rating.vote(access, kim, item, said(answer, ms=1000), NOW)
        same = Emotion.SADNESS if answer is not None else None
        rating.vote(access, lee, by_observation[observation_of(access, item)], said(same, ms=3000), NOW)
    own = observation_of(access, mine[2])
    feedback.correct(
        access, ada, Correction(NOW, "emotion", leaning(Emotion.ANGER, 0.9)), LATER, observation=own
    )
    found = rating.agreement(access, LATER)
    assert (found.items, found.votes, found.estimated, found.uncompared) == (4, 8, True, 0)
    assert found.words.value is not None
    assert found.valence.value is None
    figures = {row.member: row for row in found.raters}
    row = figures[kim.id]
    assert row.with_others is not None
    assert (row.with_others.hits, row.with_others.n) == (3, 4)
    assert row.with_network is not None
    assert (row.with_network.hits, row.with_network.n) == (2, 4)
    assert row.cannot_tell is not None
    assert (row.cannot_tell.hits, row.cannot_tell.n) == (1, 4)
    assert row.labels[Emotion.SADNESS] == pytest.approx(2 / 3)
    assert (row.speed_ms, row.time_s) == (1000, 4)
    assert row.with_self is not None
    assert (row.with_self.hits, row.with_self.n) == (1, 1)
    assert row.confusion is not None
    assert row.confusion.shape == (8, 8)
    assert figures[lee.id].with_self is not None
    assert figures[lee.id].with_self.hits == 0
    assert 1 / len(EMOTIONS) <= row.weight < 1
    assert rating.own_figures(access, kim, LATER) is not None
    # What is withdrawn is in no figure any more.
    consenting.withdraw(access, ada, [Scope.SHARE_WITH_RATERS], LATER, recorder=Recorder.PARTICIPANT)
    assert rating.agreement(access, LATER).votes == 0


def test_who_refuses_to_be_compared_or_timed_is_neither(access: Access) -> None:
    shown(access, faces=2)
    shy = member(access, "shy")
    sha256 = rating.notice(access).sha256
    rating.agree(access, shy, sha256, NOW, {RaterScope.VOTES})
    for item in given(access, shy, 2):
        rating.vote(access, shy, item, said(ms=700), NOW)
    found = rating.agreement(access, NOW)
    assert (found.raters, found.uncompared, found.votes) == ((), 1, 0)
    assert rating.own_figures(access, shy, NOW) is None
    told = rating.own_data(access, shy)
    assert [(v["response_ms"], v["visible_ms"]) for v in told["votes"]] == [(None, None)] * 2
    assert [c["state"] for c in told["consents"]] == ["given", "refused", "refused", "refused"]
    assert rating.progress(access, shy, NOW).median_response_ms is None
    with pytest.raises(RatingError, match="changed"):
        rating.agree(access, shy, "0" * 64, NOW)


def test_one_vote_an_item_is_counted_and_nothing_is_made_of_it(access: Access) -> None:
    shown(access, faces=2)
    kim = rater(access)
    for item in given(access, kim, 2):
        rating.vote(access, kim, item, said(), NOW)
    found = rating.agreement(access, NOW)
    assert (found.estimated, found.converged, found.words.value) == (False, None, None)
    [row] = found.raters
    assert (row.confusion, row.weight, row.with_others) == (None, 1 / len(EMOTIONS), None)
    assert row.with_network is not None


def test_the_waiting_are_counted(access: Access) -> None:
    shown(access, faces=3)
    kim = rater(access)
    assert rating.waiting(access, NOW) == rating.Waiting(1, 3, 0, 6, 0, 0, 0)
    one, two = given(access, kim, 2)
    rating.vote(access, kim, one, said(None, verdict=Verdict.NOT_A_FACE), NOW)
    found = rating.waiting(access, NOW)
    assert (found.rated, found.waiting, found.held) == (1, 5, 1)
    assert two
