"""The checksum of a state: it is stored, so its value never changes, and damage within a word always shows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_features.kernel.loops.checksum import checksums_into
from shared_features.kernel.loops.varints import SPARE_BYTES

WORD = (1 << 64) - 1


def checksums(*texts: bytes, spare: int = 0) -> list[int]:
    buffer = np.frombuffer(b"".join(texts) + bytes([spare]) * SPARE_BYTES, np.uint8)
    ends = np.cumsum([0, *map(len, texts)])
    found = np.empty(len(texts), np.uint64)
    checksums_into(buffer, ends, found)
    return [int(each) for each in found]


def naive(text: bytes) -> int:
    """As its docstring says it, in whole numbers of Python."""

    def step(lane: int, word: int) -> int:
        lane = (lane ^ word) * 0x9E3779B185EBCA87 & WORD
        return lane ^ lane >> 32

    def mix(word: int) -> int:
        word = word + 0x9E3779B97F4A7C15 & WORD
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & WORD
        word = (word ^ word >> 27) * 0x94D049BB133111EB & WORD
        return word ^ word >> 31

    lanes = [step(0, 0), 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, -0xC2B2AE3D27D4EB4F & WORD]
    whole = len(text) // 32 * 32
    for at in range(0, whole, 8):
        lane = at // 8 % 4
        lanes[lane] = step(lanes[lane], int.from_bytes(text[at : at + 8], "little"))
    rest = text[whole:]
    for at in range(0, len(rest) // 8 * 8, 8):
        lanes[1] = step(lanes[1], int.from_bytes(rest[at : at + 8], "little"))
    if len(rest) % 8:
        lanes[2] = step(lanes[2], int.from_bytes(rest[len(rest) // 8 * 8 :], "little"))
    a, b, c, d = lanes
    return mix(step(step(step(a ^ len(text), b), c), d))


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=4), st.integers(0, 255))
def test_it_is_what_its_definition_says_whatever_stands_behind(texts: list[bytes], spare: int) -> None:
    assert checksums(*texts, spare=spare) == [naive(text) for text in texts]


def test_it_is_the_one_that_is_stored() -> None:
    found = [f"{each:016x}" for each in checksums(b"", b"a", bytes(range(64)))]
    assert found == ["73bc52176fb1db13", "36ee97b1b4355ee8", "fbc0c196e79208b4"]


@pytest.mark.parametrize("size", [1, 7, 8, 31, 32, 33, 71])
def test_every_flipped_bit_shows_and_so_do_bytes_cut_or_added(size: int) -> None:
    text = bytes(range(100, 100 + size))
    number = int.from_bytes(text, "little")
    damaged = [(number ^ 1 << bit).to_bytes(size, "little") for bit in range(8 * size)]
    found = checksums(text, text + b"\0", text[:-1], *damaged)
    assert found[0] not in found[1:]


def flipped(text: bytes, *places: tuple[int, int]) -> bytes:
    """The text with bits of its words flipped: (word, bit)."""
    number = int.from_bytes(text, "little")
    for word, bit in places:
        number ^= 1 << 64 * word + bit
    return number.to_bytes(len(text), "little")


def words(count: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=8 * count, max_size=8 * count)


@given(words(10))
def test_it_misses_what_its_definition_says_it_misses(text: bytes) -> None:
    """The lanes are words 0 and 4; 1, 5, 8 and 9; 2 and 6; 3 and 7. A stored checksum cannot be made any better."""
    last_of_two_lanes = flipped(text, (4, 63), (9, 63))
    two_of_one_lane = flipped(text, (0, 63), (4, 63), (4, 31))
    whole, *found = checksums(text, last_of_two_lanes, two_of_one_lane)
    assert found == [whole, whole]
    one_less = checksums(flipped(text, (4, 63)), flipped(text, (0, 63), (4, 63)), flipped(text, (0, 63), (4, 31)))
    assert whole not in one_less


@settings(max_examples=5)
@given(words(9))
def test_of_all_pairs_of_flipped_bits_only_those_of_the_last_words_of_two_lanes_go_unseen(text: bytes) -> None:
    bits = np.unpackbits(np.frombuffer(text, np.uint8), bitorder="little")
    first, second = np.triu_indices(bits.size, 1)
    unseen = 0
    for some in np.array_split(np.arange(first.size), 64):
        damaged = np.repeat(bits[None], some.size, axis=0)
        damaged[np.arange(some.size), first[some]] ^= 1
        damaged[np.arange(some.size), second[some]] ^= 1
        found = checksums(text, *map(bytes, np.packbits(damaged, axis=1, bitorder="little")))
        missed = some[[each == found[0] for each in found[1:]]]
        unseen += missed.size
        assert set(first[missed] // 64) <= {4}
        assert set(second[missed] // 64) <= {8}
        assert (first[missed] % 64 == second[missed] % 64).all()
    assert 1 <= unseen <= 20
