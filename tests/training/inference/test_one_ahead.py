from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from training.inference.one_ahead import one_ahead


def test_the_next_item_is_made_while_the_last_one_is_used() -> None:
    made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    found = one_ahead(items())
    assert next(found) == 1
    assert made.wait(60), "nobody asked for it yet"
    assert list(found) == [2]


def test_an_error_comes_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second row")

    found = one_ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="the second row"):
        next(found)


def test_nothing_is_made_behind_what_nobody_uses() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(9):
            made.append(number)
            yield number

    found = one_ahead(items())
    assert next(found) == 0
    found.close()  # type: ignore[attr-defined]  # it is a generator
    assert made in ([0, 1], [0])
