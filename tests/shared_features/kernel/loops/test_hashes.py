"""Words are mixed one to one, and a hash of bytes depends on every byte and on how many there are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features.kernel.hashing import combine, hash_bytes, hash_integers
from shared_features.kernel.loops.compiled import compiled
from shared_features.kernel.loops.hashes import mix64, unmix64

I64 = st.integers(-(1 << 63), (1 << 63) - 1)


@compiled
def _there_and_back(words, found):
    for i in range(words.size):
        found[i] = unmix64(mix64(words[i]))


def hash_of(text: bytes) -> int:
    return int(hash_bytes(np.frombuffer(text, np.uint8), np.array([0, len(text)], np.int64))[0])


@given(st.lists(I64, min_size=1))
def test_a_mixed_word_can_be_taken_back(words: list[int]) -> None:
    found = np.empty(len(words), np.uint64)
    _there_and_back(np.array(words, np.int64), found)
    assert found.view(np.int64).tolist() == words


def test_the_first_word_of_splitmix64_is_that_of_its_authors() -> None:
    """The generator that is seeded by 0 gives this number first; stored states depend on it."""
    assert hash_integers(np.zeros(1, np.int64)).tolist() == [0xE220_A839_7B1D_CDAF]


@given(st.binary(max_size=40), st.data())
def test_a_changed_byte_and_a_further_zero_byte_change_the_hash(text: bytes, data: st.DataObject) -> None:
    assert hash_of(text) != hash_of(text + b"\0")
    if text:
        at = data.draw(st.integers(0, len(text) - 1))
        changed = text[:at] + bytes([text[at] ^ data.draw(st.integers(1, 255))]) + text[at + 1 :]
        assert hash_of(text) != hash_of(changed)


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_a_slice_has_the_hash_that_it_has_alone(texts: list[bytes]) -> None:
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    hashes = hash_bytes(np.frombuffer(b"".join(texts), np.uint8), offsets)
    assert hashes.tolist() == [hash_of(text) for text in texts]


@given(I64, I64)
def test_the_order_of_parts_counts(one: int, other: int) -> None:
    hashes = hash_integers(np.array([one, other], np.int64))
    swapped = combine(hashes, hashes[::-1])
    assert (swapped[0] == swapped[1]) == (one == other)
