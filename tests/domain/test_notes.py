"""Notes: what may be one, and that its bytes tell neither its words nor how many they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain import notes
from tracker.domain.notes import NoteError

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=300)


@given(TEXTS.filter(lambda text: text.strip()))
def test_every_text_comes_back_as_it_was_written(text: str) -> None:
    note = notes.checked(text)
    assert note.split() == text.replace("\r", "\n").split()
    assert notes.from_bytes(notes.to_bytes(note)) == note
    assert notes.checked(note) == note


@given(TEXTS.filter(lambda text: text.strip()))
def test_lengths_come_in_steps(text: str) -> None:
    filled = notes.to_bytes(notes.checked(text))
    assert len(filled) % 256 == 0
    assert len(filled) - len(text.strip().encode()) < 256


def test_the_longest_note_is_one_and_one_more_character_is_not() -> None:
    assert notes.checked("ä" * notes.LONGEST) == "ä" * 2000
    with pytest.raises(NoteError, match="has 2,001 characters; it may have 2,000"):
        notes.checked("ä" * (notes.LONGEST + 1))


def test_line_ends_of_a_form_count_once() -> None:
    assert notes.checked("a\r\nb\rc") == "a\nb\nc"
    assert len(notes.checked("a\r\n" * 999 + "ab")) == 2000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (" \n\t ", "is empty"),
        ("a\0b", r"U\+0000"),
        ("bell \a", r"U\+0007"),
        ("half \udcff", r"U\+DCFF"),
        ("escape \x1b[2J", r"U\+001B"),
    ],
)
def test_what_is_no_note_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(NoteError, match=says):
        notes.checked(text)
