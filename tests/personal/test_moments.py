"""What is known of a moment is what came before it: nothing that comes later changes it."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.builders import NOW, installation, observed, person, store
from tests.personal.saying import DAY, HOUR, MINUTE, OTHERS, said, talkative, word
from tests.processes import close
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction, Reason
from tracker.learning.kinds import LEAVE_ME_ALONE
from tracker.store.seen import Seen
from tracker.workflows import feedback


@pytest.fixture
def access(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(sqlite_url, tmp_path)
    yield made
    close(made)


def looked(access: Access, who: Person, at: object = NOW, target: str = LEAVE_ME_ALONE) -> Seen:
    with access.read(who.id, NOW + 9 * DAY) as unit:
        return personal.look(unit, target, at)  # type: ignore[arg-type]


def test_the_face_lately_is_seen(access: Access) -> None:
    who = person(access)
    seen = [observed(NOW - i * MINUTE, Emotion.ANGER if i < 5 else Emotion.HAPPINESS) for i in range(10)]
    gone = [observed(NOW - i * MINUTE, None, reason=Reason.BLURRED) for i in range(20, 30)]
    store(access, who, seen + gone, NOW)
    found = looked(access, who).features
    assert found["now:face:read"] == 0.5
    assert found["now:face:blurred"] == 0.5
    assert found["now:face:dwell_h"] == pytest.approx(4 / 60)
    assert found["now:face:age_h"] == 0.0
    assert (found["now:face:score"], found["now:face:sharpness"]) == pytest.approx((0.9, 0.5))
    assert found["now:p:anger"] == pytest.approx(found["now:p:happiness"])
    assert -1 < found["now:face:valence"] < 1
    assert found["now:face:unrest"] > 0.3


def test_without_a_camera_there_is_the_clock_and_the_past(access: Access) -> None:
    who = person(access)
    said(access, who, Correction(NOW - HOUR, LEAVE_ME_ALONE, None, 1.0), NOW - HOUR + MINUTE)
    found = looked(access, who).features
    assert not [name for name in found if name.startswith("now:")]
    assert found["told:last"] == 0.5
    assert "clock:hour_sin" in found


def test_a_context_speaks_for_two_hours(access: Access) -> None:
    who = person(access)
    feedback.add_context(access, who, Context(NOW - HOUR, place="home"), NOW)
    assert looked(access, who).features["is:place=home"] == 1.0
    assert looked(access, who).features["now:context_age_h"] == 1.0
    assert "is:place=home" not in looked(access, who, NOW + HOUR + MINUTE).features
    assert "is:place=home" not in looked(access, who, NOW - HOUR - MINUTE).features


def test_answers_count_from_when_they_were_given(access: Access) -> None:
    who = person(access)
    said(access, who, Correction(NOW - HOUR, LEAVE_ME_ALONE, None, 1.0), NOW + HOUR)
    assert looked(access, who, NOW).past_from is None
    assert looked(access, who, NOW + HOUR).past_from == NOW - HOUR


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
@example(seed=18838)  # an answer that is undone later had been given all the same
def test_whatever_comes_later_changes_no_earlier_moment(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)
    folder = tmp_path_factory.mktemp("case")
    access = installation(f"sqlite:///{folder / 'affect.db'}", folder)
    who = talkative(access, targets=OTHERS[:3], days=1, seed=seed)
    moments = [NOW - timedelta(minutes=chance.randrange(2000)) for _ in range(3)]
    before = [looked(access, who, at, target) for at in moments for target in OTHERS[:3]]
    last = max(moments)
    # Later moments, in an order of their own; and earlier moments spoken of only later.
    later = [last + timedelta(seconds=chance.randrange(1, 10_000)) for _ in range(4)]
    for i, at in enumerate(later):
        recorded = max(later) + timedelta(seconds=i + 1)
        store(access, who, [observed(at, chance.choice([*Emotion, None]))], recorded)
        feedback.add_context(access, who, Context(at, place=chance.choice("abc")), recorded)
        spoken_of = at if chance.random() < 0.7 else chance.choice(moments) - timedelta(seconds=7)
        said(access, who, word(chance.choice(OTHERS[:3]), spoken_of, chance), recorded)
    after = [looked(access, who, at, target) for at in moments for target in OTHERS[:3]]
    assert after == before
    close(access)
