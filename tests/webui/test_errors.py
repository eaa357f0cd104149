"""What consent does not allow is said to the participant: no operator's command, no name, no code word."""

from datetime import UTC, datetime

import pytest

from tracker.domain.consent import (
    ConsentError,
    ConsentMissingError,
    NotCoveredError,
    PausedError,
    Refusal,
    Scope,
    Use,
)
from tracker.workflows.consenting import EvidenceError
from webui.errors import consent_sentence

AT = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            ConsentMissingError(Refusal("p", Use.STORE_SERIES, (Scope.AFFECT_SERIES, Scope.NOTES)), "ada"),
            "You have not allowed “Keep my series of estimates”, “Keep my notes”; nothing was saved.",
        ),
        (
            ConsentMissingError(Refusal("p", Use.STORE_SERIES, (), (Scope.AFFECT_SERIES,)), "ada"),
            "An operator recorded “Keep my series of estimates” for you",
        ),
        (PausedError("ada", AT), "You paused storing; nothing was saved."),
        (NotCoveredError(AT, AT), "before the time from which you allow storing; nothing was saved."),
        (ConsentError("a permit for ada: affect-tracker --evidence"), "Your consent does not allow this"),
        (EvidenceError("ada needs --evidence"), "Your consent does not allow this"),
    ],
)
def test_a_consent_error_is_said_in_the_participants_words(error: ConsentError, says: str) -> None:
    sentence = consent_sentence(error)
    assert says in sentence
    for theirs in ("affect-tracker", "--", "ada ", "affect_series"):
        assert theirs not in sentence
