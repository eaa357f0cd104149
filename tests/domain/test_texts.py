"""Which texts can be kept: exactly those that UTF-8 can write and PostgreSQL takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.texts import unkeepable


def keeps(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


@given(
    st.text(st.characters(exclude_categories=())) | st.text(st.sampled_from("a\0\ud7ff\ud800\udfff\ue000😀"))
)
def test_every_text_is_kept_that_has_bytes_and_no_zero(text: str) -> None:
    found = unkeepable(text)
    assert (found is None) is keeps(text)
    assert found is None or chr(int(found[2:], 16)) in text
