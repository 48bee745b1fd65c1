"""Batches come in their order, however many threads read them, and never more than so many wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from training.inference.audit.log_batches.read_ahead import read_ahead


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_what_is_read_comes_in_the_order_of_the_batches(threads: int) -> None:
    assert list(read_ahead(str, range(20), 4, threads)) == list(map(str, range(20)))


def test_a_batch_is_read_while_the_one_before_is_with_the_caller() -> None:
    read_second = threading.Event()

    def read(number: int) -> int:
        if number == 1:
            read_second.set()
        return number

    found = read_ahead(read, range(3), 2, 1)
    assert next(found) == 0
    assert read_second.wait(60)
    assert list(found) == [1, 2]


def test_no_more_than_the_bound_are_taken_before_the_first_is_asked_for() -> None:
    taken = list[int]()

    def batches() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            yield number

    found = read_ahead(int, batches(), 3, 2)
    assert next(found) == 0
    assert taken == [0, 1, 2]
    found.close()
    assert taken == [0, 1, 2]


def test_what_reading_raises_comes_where_the_batch_would() -> None:
    def read(number: int) -> int:
        if number == 1:
            raise ValueError("the second")
        return number

    found = read_ahead(read, range(5), 3, 2)
    assert next(found) == 0
    with pytest.raises(ValueError, match="the second"):
        next(found)
