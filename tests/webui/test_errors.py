"""What consent does not allow is said to the participant: no operator's command, no name, no code word."""

from datetime import UTC, datetime
from typing import NoReturn

import pytest

from tests.webui import walking
from tests.webui.site import Site
from tracker.domain.consent import (
    ConsentError,
    ConsentMissingError,
    NotCoveredError,
    PausedError,
    Refusal,
    Scope,
    Use,
)
from tracker.domain.members import Role
from tracker.domain.people import UnknownParticipantError
from tracker.privacy.key_errors import KeyDestroyedError
from tracker.workflows import erasure
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


@pytest.mark.parametrize("error", [UnknownParticipantError("0" * 32), KeyDestroyedError("a key is gone")])
def test_who_is_erased_while_they_ask_is_logged_out_and_it_is_no_error_of_ours(
    lite: Site, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    ada = lite.person()
    visitor = lite.logged_in()

    def erased() -> NoReturn:
        erasure.erase_person(lite.access, ada, lite.now)
        raise error

    monkeypatch.setitem(lite.app.view_functions, "mydata.page", erased)
    answer = visitor.get("/my-data")
    assert (answer.status_code, str(error) in answer.text) == (401, False)
    assert "Log in first." in answer.text
    assert visitor.get("/my-data").location == "/login"


def test_of_whom_a_rater_asks_may_be_erased_meanwhile(lite: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> NoReturn:
        raise UnknownParticipantError("0" * 32)

    visitor = walking.with_session(lite, walking.member(lite.access, "kim", Role.RATER))
    monkeypatch.setitem(lite.app.view_functions, "rate.series_list", gone)
    answer = visitor.get("/rate/series")
    assert (answer.status_code, "0" * 32 in answer.text) == (404, False)
