import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from tracker.privacy import ciphertext
from tracker.privacy.ciphertext import HALF_BYTES, HEADER_BYTES, DataKey, Derivation, Opener, Sealer
from tracker.privacy.key_errors import KeyUnavailableError

KEY = DataKey(b"12345678", bytes(range(32)))


@pytest.mark.parametrize(
    ("byte", "bound_to", "expected"),
    [
        (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (3, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ],
)
def test_keys_are_derived_as_the_published_vectors_say(byte: int, bound_to: bytes, expected: str) -> None:
    # c2sp.org/XAES-256-GCM, test vectors with both values of the most significant bit
    nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX"
    derived = AESGCM(Derivation(bytes([byte]) * 32)(nonce[:HALF_BYTES]))
    assert derived.encrypt(nonce[HALF_BYTES:], b"XAES-256-GCM", bound_to).hex() == expected


@given(st.binary(max_size=300), st.text(min_size=1, max_size=40), st.data())
def test_what_is_sealed_opens_where_it_was_sealed_and_nowhere_else_nor_with_any_byte_changed(
    plain: bytes, place: str, data: st.DataObject
) -> None:
    sealed = Sealer(KEY, "ada|notes")(plain, place)
    assert Opener(KEY, "ada|notes")(sealed, place) == plain
    assert ciphertext.key_id(sealed) == KEY.id
    at = data.draw(st.integers(0, len(sealed) - 1), label="byte")
    flip = data.draw(st.integers(1, 255), label="bits")
    damaged = bytearray(sealed)
    damaged[at] ^= flip
    for whose, where, what in (
        ("ada|notes", place, bytes(damaged)),
        ("ada|notes", place, sealed[:at]),
        ("ada|notes", place + "1", sealed),
        ("bob|notes", place, sealed),
        ("ada|identity", place, sealed),
    ):
        with pytest.raises(KeyUnavailableError, match="does not open"):
            Opener(KEY, whose)(what, where)


def test_another_key_of_the_same_name_does_not_open_it() -> None:
    sealed = Sealer(KEY, "ada|notes")(b"dear diary", "p")
    with pytest.raises(KeyUnavailableError):
        Opener(DataKey(KEY.id, bytes(32)), "ada|notes")(sealed, "p")


def test_no_nonce_comes_twice_under_a_key() -> None:
    nonces = set()
    for _ in range(50):
        sealer = Sealer(KEY, "ada|notes")
        nonces |= {sealer(b"same", "p")[HEADER_BYTES - 2 * HALF_BYTES : HEADER_BYTES] for _ in range(40)}
    assert len(nonces) == 2000
    assert len({nonce[:HALF_BYTES] for nonce in nonces}) == 50, "each sealer derives a key of its own"
    assert len({nonce[HALF_BYTES:] for nonce in nonces}) == 2000


def test_a_derived_key_seals_no_more_than_the_standard_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ciphertext, "MOST_MESSAGES", 2)
    sealer = Sealer(KEY, "ada|notes")
    sealer(b"1", "p")
    sealer(b"2", "p")
    with pytest.raises(KeyUnavailableError, match="open another"):
        sealer(b"3", "p")
