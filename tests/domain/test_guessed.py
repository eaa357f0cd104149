"""Which passwords are refused because they are guessed first, and that nothing is asked about their composition."""

from __future__ import annotations

import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain import guessed
from tracker.domain.guessed import LEFT, WORDS, Guess, guess
from tracker.domain.passwords import SHORTEST, WeakPasswordError, demand_strong


def test_the_list_holds_more_than_the_three_thousand_that_fit_our_rule() -> None:
    held = guessed._common()
    assert len(held) == 10_000
    assert all(len(digest) == 6 for digest in held)
    assert hashlib.sha256(b"qwertyuiop").digest()[:6] in held


@pytest.mark.parametrize(
    "password", ["qwertyuiop", "1234567890", "PASSWORD123", "1q2w3e4r5t", "Basketball", "xxxxxxxxxxxx"]
)
def test_what_was_published_after_breaches_is_refused(password: str) -> None:
    assert guess(password, "ada") is Guess.COMMON


@given(st.sampled_from(WORDS), st.text(string.digits + " -_.!", max_size=LEFT - 1))
def test_a_word_of_ours_with_little_else_is_refused(word: str, more: str) -> None:
    assert guess(word.upper() + more, "ada") is not None


@given(
    st.text(string.ascii_lowercase, min_size=6, max_size=20),
    st.text(string.digits, max_size=LEFT - 1),
)
def test_ones_own_name_with_little_else_is_refused(name: str, more: str) -> None:
    assert guess(f"{name}.{more}", name) is not None


@given(st.text(st.characters(exclude_categories=["L", "N"]), min_size=SHORTEST, max_size=80))
def test_signs_alone_are_a_password_like_any_other(password: str) -> None:
    demand_strong(password, "ada")


@given(st.text(min_size=SHORTEST, max_size=200), st.sampled_from(["ada", "", "Kim Özil"]))
def test_whatever_is_typed_gets_an_answer(password: str, name: str) -> None:
    assert guess(password, name) in (None, Guess.COMMON, Guess.ABOUT)


@pytest.mark.parametrize(
    "password", ["correct horse battery", "nur kleine buchstaben", "739201846352", "日本語のパスワードです"]
)
def test_no_kind_of_character_is_demanded(password: str) -> None:
    demand_strong(password, "ada")


def test_a_short_one_is_refused_for_its_length_alone() -> None:
    with pytest.raises(WeakPasswordError) as raised:
        demand_strong("x" * (SHORTEST - 1), "ada")
    assert raised.value.guess is None
