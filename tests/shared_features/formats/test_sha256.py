from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features.formats import sha256, sha256_loops
from shared_features.formats.sha256 import digests

TEXTS = st.lists(st.binary(max_size=300) | st.integers(0, 2_000).map(lambda size: b"\xa5" * size), max_size=8)


@pytest.fixture
def other_processor(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    sha256._loop_is_right.cache_clear()
    yield monkeypatch
    sha256._loop_is_right.cache_clear()


@given(TEXTS, st.integers(0, 70))
def test_digests_of_texts_in_a_buffer_are_those_of_hashlib(texts: Sequence[bytes], gap: int) -> None:
    assert _digests(texts, gap) == [hashlib.sha256(each).digest() for each in texts]


@given(TEXTS, st.integers(0, 70))
def test_the_way_without_instructions_gives_the_same(texts: Sequence[bytes], gap: int) -> None:
    assert _digests(texts, gap, sha256._by_hashlib) == _digests(texts, gap)


def test_the_loop_hashes_where_the_processor_has_the_instructions() -> None:
    assert sha256._loop_is_right() == sha256_loops.has_instructions()


def test_a_processor_without_the_instructions_is_never_given_the_loop(other_processor: pytest.MonkeyPatch) -> None:
    other_processor.setattr(sha256_loops, "has_instructions", lambda: False)
    other_processor.setattr(sha256_loops, "hash_texts_into", None)
    assert _digests([b"text"], 0) == [hashlib.sha256(b"text").digest()]


def test_a_loop_that_gives_another_digest_is_not_used(other_processor: pytest.MonkeyPatch) -> None:
    def wrong(data: Any, starts: Any, ends: Any, first: Any, state: Any, last: Any, found: Any) -> None:
        found[:] = 0

    other_processor.setattr(sha256_loops, "has_instructions", lambda: True)
    other_processor.setattr(sha256_loops, "hash_texts_into", wrong)
    assert _digests([b"text"], 0) == [hashlib.sha256(b"text").digest()]


def test_a_loop_that_cannot_be_compiled_is_not_used(other_processor: pytest.MonkeyPatch) -> None:
    def unknown(*given: Any) -> None:
        raise RuntimeError("LLVM IR parsing error")

    other_processor.setattr(sha256_loops, "has_instructions", lambda: True)
    other_processor.setattr(sha256_loops, "hash_texts_into", unknown)
    assert _digests([b"text"], 0) == [hashlib.sha256(b"text").digest()]


def _digests(texts: Sequence[bytes], gap: int, by: Any = digests) -> list[bytes]:
    """gap: bytes before each text, so that texts begin anywhere."""
    data = np.frombuffer(b"".join(b"\xff" * gap + each for each in texts) + b"\xff" * gap, np.uint8).copy()
    sizes = np.array(list(map(len, texts)), np.int64)
    ends = np.cumsum(sizes + gap)
    return [each.tobytes() for each in by(data, ends - sizes, ends)]
