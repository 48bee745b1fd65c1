"""A key is found by its digest alone, whatever a client sends in its place, and each look-up takes the same time."""

from __future__ import annotations

import hmac

import pytest

from shared_features.access import key_ring
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


@pytest.mark.parametrize(
    "given",
    [b"x" * len(KEYS[0]), KEYS[0][:-1] + b"x", KEYS[-1][:-1] + b"x", KEYS[0]],
    ids=["nothing right", "all but the last", "the last key but one byte", "right"],
)
def test_the_work_of_a_look_up_does_not_tell_how_much_of_a_key_is_right(
    given: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One digest of all that was given; only a digest that is known is compared, and that in constant time."""
    digested, compared = list[bytes](), list[tuple[bytes, bytes]]()

    def digest(key: bytes) -> bytes:
        digested.append(key)
        return digest_of(key)

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(key_ring, "digest_of", digest)
    monkeypatch.setattr(key_ring, "compare_digest", compare)
    known = RING.find(given)
    assert (known is not None) is (given in KEYS)
    assert digested == [given]
    assert compared == ([(digest_of(given), digest_of(given))] if known else [])
