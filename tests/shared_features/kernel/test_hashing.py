"""Hashes are stored and compared across processes: they are golden, and they tell contents apart."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features.kernel.hashing import combine, hash_bytes, hash_integers, hash_texts, text_code, text_codes
from shared_features.kernel.loops.compiled import compiled
from shared_features.kernel.loops.hashes import unmix64
from tests.oracle import mix


@compiled
def _unmix(hashes, words):
    for i in range(hashes.size):
        words[i] = unmix64(hashes[i])


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=20))
def test_integers_hash_by_splitmix64_one_to_one(numbers: list[int]) -> None:
    values = np.array(numbers, np.int64)
    hashes = hash_integers(values)
    assert hashes.tolist() == [mix(number % 2**64) for number in numbers]
    words = np.empty(len(numbers), np.uint64)
    _unmix(hashes, words)
    assert words.view(np.int64).tolist() == numbers


def test_hashes_are_golden() -> None:
    texts = ["", None, "a", "abcdefgh", "abcdefghi", "grün"]
    assert hash_integers(np.array([0])).tolist() == [0xE220A8397B1DCDAF]
    assert hash_texts(texts).tolist() == [
        16294208416658607535,
        11939460484893655800,
        6774081908283191102,
        9245128965073422038,
        14690935847201975099,
        11512506776509250804,
    ]
    assert text_codes(["a"]).tolist() == [668068717965118]
    assert combine(np.array([1], np.uint64), np.array([2], np.uint64)).tolist() == [13819372491320860226]


@given(st.lists(st.text(max_size=20) | st.none(), max_size=8, unique=True))
def test_different_texts_have_different_hashes(texts: list[str | None]) -> None:
    assert len(set(hash_texts(texts).tolist())) == len(texts)
    assert len(set(text_codes(texts).tolist())) == len(texts)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8))
def test_a_text_code_is_exact_as_a_double(texts: list[str]) -> None:
    codes = text_codes(texts)
    assert codes.astype(np.float64).astype(np.int64).tolist() == codes.tolist()
    assert (codes >= 0).all()


@given(st.text(max_size=40))
def test_one_text_has_the_code_that_it_has_among_others(text: str) -> None:
    assert text_code(text) == text_codes([text])[0]


def test_trailing_zero_bytes_and_the_order_of_parts_count() -> None:
    zeros = hash_bytes(np.zeros(6, np.uint8), np.array([0, 1, 3, 6]))
    assert len(set(zeros.tolist())) == 3
    one, two = hash_integers(np.array([1])), hash_integers(np.array([2]))
    assert combine(one, two) != combine(two, one)
