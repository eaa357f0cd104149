"""A rater's keys: every map that is taken does one thing a key, and survives being stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.affect import Emotion
from tracker.domain.keymap import KEYS, NAMED, KeyMap, KeyMapError

KEY = st.one_of(st.just(""), st.sampled_from(sorted(NAMED)), st.characters(categories=("L", "N", "P", "S")))
CHANGES = st.dictionaries(st.sampled_from(sorted(KEYS)), KEY, max_size=len(KEYS))


def accepted(changes: dict[str, str]) -> KeyMap | None:
    try:
        return KeyMap().changed(changes)
    except KeyMapError:
        return None


@given(CHANGES, st.booleans())
def test_every_map_that_is_taken_gives_a_key_to_one_action_and_survives_being_stored(
    changes: dict[str, str], on: bool
) -> None:
    made = accepted(changes)
    if made is None:
        return
    used = [made[action] for action in KEYS if made[action]]
    assert len(used) == len(set(used))
    kept = KeyMap(made.keys, on)
    again = KeyMap.of_json(kept.as_json())
    assert again.on is on
    assert {action: again[action] for action in KEYS} == {action: kept[action] for action in KEYS}


@given(st.dictionaries(st.text(max_size=3), st.text(max_size=3)), st.booleans())
def test_what_an_older_version_stored_is_read_or_left_out_but_never_breaks_the_desk(
    stored: dict[str, str], on: bool
) -> None:
    assert KeyMap.of_json({"on": on, "keys": stored}).keys == KEYS


def test_emotions_have_their_digits() -> None:
    assert [KeyMap()[e.value] for e in Emotion] == list("12345678")


@pytest.mark.parametrize("key", ["Tab", "Enter", "Escape", "ab", "\n", "\x00"])
def test_keys_of_the_browser_cannot_be_taken(key: str) -> None:
    with pytest.raises(KeyMapError):
        KeyMap({**KEYS, "undo": key})


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(KeyMapError, match="no action is called 'dance'"):
        KeyMap().changed({"dance": "d"})


def test_two_actions_may_both_have_no_key() -> None:
    made = KeyMap().changed({"undo": "", "help": ""})
    assert (made["undo"], made["help"]) == ("", "")


def test_a_default_that_came_later_yields_to_what_the_rater_chose() -> None:
    """Somebody gave ``x`` to undo before there was anything on ``x``: it stays undo."""
    made = KeyMap.of_json({"keys": {"undo": "x"}})
    assert (made["undo"], made["uncomfortable"]) == ("x", "")
