from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.lab.making import tiny_faces, write_csvs
from tracker.domain.affect import EMOTIONS, Distribution
from tracker.lab.emotion_challenge import run
from tracker.lab.emotion_challenge.estimating import estimates, situations
from tracker.lab.emotion_challenge.faces import Faces
from tracker.lab.emotion_challenge.living import METHODS, STEADY, Lived, World, floored, simulate
from tracker.lab.emotion_challenge.people import live, meanings
from tracker.lab.emotion_challenge.report import Plan, summarise
from tracker.lab.emotion_challenge.scoring import HeldOut, drawn
from tracker.learning.features import Moment, Reading, features
from tracker.learning.learner import EmotionLearner
from tracker.learning.pipeline import Settings

CLEAR = 0.9


def made_faces(n: int = 400, seed: int = 0) -> Faces:
    """Faces that a network reads well, and people who mostly agree."""
    random = np.random.default_rng(seed)
    shown = random.integers(0, 8, n)
    noise = random.dirichlet(np.full(8, 0.5), n)
    log_p = np.log(np.maximum(CLEAR * np.eye(8)[shown] + (1 - CLEAR) * noise, 1e-6))
    votes = 8 * np.eye(8, dtype=np.int64)[shown] + random.multinomial(2, np.full(8, 1 / 8), n)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    return floored(Faces(log_p, shown, votes, "made@1"))


FACES = made_faces()
WORLD = World.of(FACES, days=10, per_day=5)


def lived(strength: float, *, people: int = 6, seed: int = 0, river: bool = False) -> Lived:
    return simulate(WORLD, strength, seed, people, Settings(), uneven=False, river=river)


def test_many_faces_at_once_give_what_the_learner_says_of_each() -> None:
    random = np.random.default_rng(1)
    learner = EmotionLearner.fresh()
    moments = [Moment(float(random.uniform(0, 24)), int(random.integers(7))) for _ in range(40)]
    rows = FACES.log_p[:40]
    seen = [features(Reading(tuple(row.tolist())), m) for row, m in zip(rows, moments, strict=True)]
    for taught in range(3):
        one_by_one = [learner.predict(x).probabilities for x in seen]
        assert estimates(learner, rows, situations(moments)) == pytest.approx(np.array(one_by_one), abs=1e-12)
        for x in seen[taught * 13 :]:
            learner.learn(x, Distribution.of({EMOTIONS[random.integers(8)]: 1.0}), 1.0)


def test_a_strength_of_nought_means_what_is_shown_and_one_means_it_hardly_ever() -> None:
    random = np.random.default_rng(0)
    assert np.array_equal(meanings(3, 0.0, random), np.broadcast_to(np.eye(8), (3, 8, 8)))
    moved = meanings(50, 0.5, random)
    assert moved.sum(axis=2) == pytest.approx(np.ones((50, 8)))
    diagonal = moved[:, np.arange(8), np.arange(8)]
    assert diagonal.min() >= 0.5
    assert diagonal.max() < 0.7
    uneven = meanings(500, 0.5, random, uneven=True)[:, np.arange(8), np.arange(8)]
    assert uneven.std() > 0.2
    assert abs(uneven.mean() - diagonal.mean()) < 0.03


def test_what_is_said_follows_what_is_felt_as_the_votes_do() -> None:
    random = np.random.default_rng(0)
    meaning, confusion = meanings(1, 0.8, random), FACES.confusion()
    stream = live(meaning, confusion, FACES.shown, WORLD.seen, 20_000, random)
    assert set(stream.face.ravel()) <= set(WORLD.seen)
    felt = stream.felt == 2
    shares = np.bincount(stream.said[felt], minlength=8) / felt.sum()
    assert shares == pytest.approx(confusion[2], abs=0.03)
    shown = FACES.shown[stream.face] == 4
    shares = np.bincount(stream.felt[shown], minlength=8) / shown.sum()
    assert shares == pytest.approx(meaning[0, 4], abs=0.03)


def test_expected_scores_are_what_many_draws_come_to() -> None:
    random = np.random.default_rng(3)
    meaning = meanings(1, 0.5, random)
    judge = HeldOut.of(FACES.log_p, FACES.shown)
    p = np.exp(FACES.log_p)
    stream = live(meaning, FACES.confusion(), FACES.shown, np.arange(len(FACES)), 60_000, random)
    many = drawn(p[stream.face[0]], stream.felt[0]).mean(axis=0)
    assert judge.expected(p, meaning)[0] == pytest.approx(many, rel=0.03)


def test_nobody_is_judged_on_faces_they_were_seen_with() -> None:
    assert not set(WORLD.seen) & set(WORLD.held_out)


def test_correcting_helps_people_who_show_feelings_in_their_own_way() -> None:
    found = lived(0.8)
    network, oracle = (found.steady[:, STEADY.index(name), 0, 1] for name in ("network", "oracle"))
    first, last = found.personal[:, 0, 0, 1], found.personal[:, -1, 0, 1]
    assert (oracle < network).all()
    assert (last < network - 0.5 * (network - oracle)).all()
    assert last.mean() < first.mean()


def test_people_and_their_days_follow_from_the_seed() -> None:
    a, b, other = lived(0.5, people=2), lived(0.5, people=2), lived(0.5, people=2, seed=1)
    assert np.array_equal(a.personal, b.personal)
    assert not np.array_equal(a.personal, other.personal)


def test_the_report_says_what_was_removed_and_whom_it_harmed(tmp_path: Path) -> None:
    plan = Plan(6, 2, 10, 5, (0.0, 0.8), "made@1", False, 0)
    runs = [lived(s, seed=i, river=i == 0) for s in plan.strengths for i in range(2)]
    report = summarise(plan, WORLD.curve, runs)
    plain = json.loads(json.dumps(report.as_json()))
    assert plain["marked"] == "SIMULATED"
    gap = plain["strengths"]["0.8"]["felt"]["brier"]
    assert gap["met"] is True
    assert gap["removed"]["low"] <= gap["removed"]["mean"] <= gap["removed"]["high"]
    assert set(gap["last_week"]) == set(METHODS)
    assert list(gap["days"]) == ["1", "2", "3", "5", "7", "10"]
    assert plain["strengths"]["0"]["felt"]["error_rate"]["removed"] is None
    screen = StringIO()
    report.table(Console(file=screen, width=160))
    assert screen.getvalue().count("SIMULATED") == 4
    page = report.plot(tmp_path)
    assert "SIMULATED strength 0.8" in page.read_text(encoding="utf-8")


def test_river_is_left_out_where_it_was_not_tried() -> None:
    found = lived(0.5, people=1)
    report = summarise(Plan(1, 1, 10, 5, (0.5,), "made@1", False, 0), WORLD.curve, [found])
    assert "bare_river" not in report.gaps[0.5]["felt"]["brier"].last_week


def test_whoever_never_learned_is_the_network() -> None:
    judge = HeldOut.of(FACES.log_p, FACES.shown)
    where = situations([Moment(12.0, 1)] * len(FACES))
    fresh = estimates(EmotionLearner.fresh(), FACES.log_p, where)
    assert judge.expected(fresh, np.eye(8)[None]) == pytest.approx(
        judge.expected(np.exp(FACES.log_p), np.eye(8)[None])
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"people": 0}, "people is 0"), ({"days": -1}, "days is -1"), ({"strengths": (1.5,)}, "strengths")],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(tmp_path, **changed)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_folder_of_csv_files_gives_a_report(tmp_path: Path) -> None:
    write_csvs(tmp_path, tiny_faces())
    stages: list[tuple[str, float]] = []
    report = run(
        tmp_path, people=2, seeds=2, days=2, strengths=(0.5,), progress=lambda *stage: stages.append(stage)
    )
    assert report.plan.network.startswith("default@")
    assert {"felt", "said"} == set(report.gaps[0.5])
    assert stages[-1] == ("SIMULATED people correct", 1.0)
    again = run(tmp_path, people=2, seeds=2, days=2, strengths=(0.5,))
    assert again.as_json() == report.as_json()
    assert replace(report.plan, seeds=3) != report.plan
