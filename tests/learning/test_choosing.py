"""The rule that the app and the challenge share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracker.learning.choosing import Action, Choice, choose
from tracker.learning.reasons import Reason

UNIT = st.floats(0.0, 1.0, exclude_max=True)
LEFT = st.none() | st.integers(0, 10)


@given(confidence=st.floats(0.5, 1.0), threshold=st.floats(0.5, 1.01), u=UNIT, audits=UNIT, left=LEFT)
def test_everything_is_asked_in_the_warm_up_as_long_as_questions_are_left(
    confidence: float, threshold: float, u: float, audits: float, left: int | None
) -> None:
    choice = choose(confidence, threshold, warming_up=True, u=u, audits=audits, left_today=left)
    assert choice.action is (Action.SILENT if left == 0 else Action.ASK)
    assert not choice.audit


@given(confidence=st.floats(0.5, 1.0), threshold=st.floats(0.5, 1.01), u=UNIT, audits=UNIT, left=LEFT)
def test_afterwards_the_unsure_is_asked_and_the_sure_decided_but_for_the_audits(
    confidence: float, threshold: float, u: float, audits: float, left: int | None
) -> None:
    choice = choose(confidence, threshold, warming_up=False, u=u, audits=audits, left_today=left)
    if confidence < threshold:
        assert choice.action is (Action.SILENT if left == 0 else Action.ASK)
        assert not choice.audit
    elif u < audits and left != 0:
        assert choice == Choice(Action.ASK, Reason.RANDOM, audit=True)
    else:
        assert choice == Choice(Action.DECIDE, Reason.CONFIDENT)
