"""A key is found by its digest alone, whatever a client sends in its place, and each look-up takes the same time."""

from __future__ import annotations

import statistics
import time

import pytest

from shared_features.access.api_keys import PREDICT, ApiKey, digest_of
from shared_features.access.key_ring import KeyRing, given_key

KEYS = [f"millrace_{number:043d}".encode() for number in range(200)]
RING = KeyRing(ApiKey(f"k{at}", frozenset({PREDICT}), digest_of(key), 2.0) for at, key in enumerate(KEYS))


def test_each_key_is_found_and_nothing_else_is() -> None:
    for at, key in enumerate(KEYS):
        found = RING.find(key)
        assert found is not None
        assert found.name == f"k{at}"
    for given in (
        b"",
        b" ",
        KEYS[0][:-1],
        KEYS[0] + b"x",
        KEYS[0].upper(),
        digest_of(KEYS[0]),
        b"\xff\x00",
        b"x" * 60_000,
    ):
        assert RING.find(given) is None
    assert RING.find(digest_of(KEYS[0]).hex().encode()) is None
    assert KeyRing([]).find(KEYS[0]) is None


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ([(b"host", b"a"), (b"authorization", b"Bearer abc")], b"abc"),
        ([(b"authorization", b"bearer  abc ")], b"abc"),
        ([], b""),
        ([(b"authorization", b"")], b""),
        ([(b"authorization", b"Bearer")], b""),
        ([(b"authorization", b"Bearer ")], b""),
        ([(b"authorization", b"abc")], b""),
        ([(b"authorization", b"Token abc")], b""),
        ([(b"x-api-key", b"abc"), (b"cookie", b"authorization=abc")], b""),
        ([(b"authorization", b"Bearer abc"), (b"authorization", b"Bearer abc")], b""),
        ([(b"authorization", b""), (b"authorization", b"Bearer abc")], b""),
    ],
)
def test_a_key_stands_in_one_authorization_header(headers: list[tuple[bytes, bytes]], key: bytes) -> None:
    assert given_key(headers) == key


def test_a_key_that_stays_keeps_what_is_left_of_its_limit() -> None:
    before = RING.find(KEYS[0])
    assert before is not None
    assert before.requests is not None
    assert before.requests.take(2, 10.0) == 0.0
    again = KeyRing([ApiKey("k0", frozenset({PREDICT}), digest_of(KEYS[0]), 2.0)], RING).find(KEYS[0])
    assert again is before
    wider = KeyRing([ApiKey("k0", frozenset({PREDICT}), digest_of(KEYS[0]), 5.0)], RING).find(KEYS[0])
    assert wider is not None
    assert wider is not before


def processor_ns(given: bytes, times: int = 2_000) -> float:
    began = time.process_time_ns()
    for _ in range(times):
        RING.find(given)
    return (time.process_time_ns() - began) / times


def test_the_time_of_a_look_up_does_not_tell_how_much_of_a_key_is_right() -> None:
    """A comparison byte by byte of 52 bytes would differ by less than what one look-up takes, and by far less than a
    wrong algorithm: this finds a scan of all keys, and a hash that is slow for what is nearly right.
    """
    wrong = {
        "nothing right": b"x" * len(KEYS[0]),
        "all but the last": KEYS[0][:-1] + b"x",
        "the last key but one byte": KEYS[-1][:-1] + b"x",
        "right": KEYS[0],
    }
    took = {name: statistics.median(processor_ns(each) for _ in range(15)) for name, each in wrong.items()}
    assert max(took.values()) < 1.5 * min(took.values()) + 300, took
    assert max(took.values()) < 20_000, took
