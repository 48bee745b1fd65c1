"""The clock is another one for a while and the true one afterwards, wherever a module has it from."""

from __future__ import annotations

import datetime
import functools
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC
from time import time_ns
from typing import Any, ClassVar

import pytest

from training.proofs.leaks.held_clock import LATER_US, NOON_US, clock_at


def ago(now: Callable[[], float], then: float = 0.0) -> float:
    return now() - then


def by_default(now: Callable[[], float] = time.time) -> float:
    return now()


def by_keyword(*, now: Callable[[], float] = time.time) -> float:
    return now()


def closed_over() -> Callable[[], float]:
    now = time.time
    return lambda: now()


@functools.lru_cache
def kept_in_a_wrapper(now: Callable[[], float] = time.time) -> float:
    return now()


class Watch:
    now: ClassVar[Any] = time.time

    def __init__(self) -> None:
        self.mine = time.time

    @staticmethod
    def tell(now: Callable[[], float] = time.time) -> float:
        return now()


from_partial = functools.partial(ago, time.time)
from_a_named_argument = functools.partial(ago, now=time.time)
from_a_closure = closed_over()
IN_A_TUPLE = (time.time, 1)
IN_A_DICT = {"now": time.time}
IN_A_LIST = [{"now": time.time}]
WATCH = Watch()
told_by_a_method = datetime.datetime.now
A_TABLE = list(range(100_000))

CLOCKS: dict[str, Callable[[], float]] = {
    "partial": lambda: from_partial(),
    "named argument of a partial": lambda: from_a_named_argument(),
    "default": lambda: by_default(),
    "default of a keyword": lambda: by_keyword(),
    "closure": lambda: from_a_closure(),
    "wrapped": lambda: kept_in_a_wrapper.__wrapped__(),
    "class": lambda: Watch.now(),
    "object": lambda: WATCH.mine(),
    "static method": lambda: Watch.tell(),
    "tuple": lambda: IN_A_TUPLE[0](),
    "dict": lambda: IN_A_DICT["now"](),
    "list": lambda: IN_A_LIST[0]["now"](),
    "name": lambda: time_ns() / 1e9,
    "method": lambda: told_by_a_method(UTC).timestamp(),
}


_FIRST_TIMES = """
import datetime
import polars as pl
from training.proofs.leaks.held_clock import NOON_US, clock_at

true = datetime.datetime(2020, 1, 1), datetime.date(2020, 1, 1)
with clock_at(NOON_US):
    for each in (*true, datetime.datetime(2020, 1, 1), datetime.date(2020, 1, 1)):
        assert pl.select(pl.lit(each)).item() == each
        assert pl.Series([each]).is_in([each]).all()
for each in true:
    assert pl.select(pl.lit(each)).item() == each
"""


def test_polars_takes_times_while_the_clock_stands_and_afterwards() -> None:
    """In a process of its own: Polars keeps the classes of the first times that it is given."""
    subprocess.run([sys.executable, "-c", _FIRST_TIMES], check=True, timeout=120)


@pytest.mark.parametrize("way", CLOCKS)
def test_a_clock_stands_still_wherever_it_was_taken(way: str) -> None:
    tell = CLOCKS[way]
    with clock_at(NOON_US):
        assert tell() == NOON_US / 1e6
    with clock_at(LATER_US):
        assert tell() == LATER_US / 1e6
    assert abs(tell() - time.time()) < 3_600, "the true one afterwards"


def test_the_clock_is_another_one_for_a_while() -> None:
    true, kind = time.time, datetime.datetime
    with clock_at(NOON_US):
        assert time.time() == NOON_US / 1e6
        assert time.time_ns() == NOON_US * 1000
        assert datetime.datetime.now(UTC).isoformat() == "2024-10-04T12:00:00+00:00"
        assert datetime.date(2020, 1, 1).year == 2020
        assert isinstance(kind(2020, 1, 1, tzinfo=UTC), datetime.datetime)
    with clock_at(LATER_US):
        assert datetime.datetime.now(UTC).year == 2025
    assert time.time is true
    assert datetime.datetime is kind
