"""The clock is another one for a while and the true one afterwards, wherever a module has it from."""

from __future__ import annotations

import datetime
import functools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from time import time_ns
from typing import Any, ClassVar, Self

import pydantic
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


class Linked:
    def __init__(self, behind: Any) -> None:
        self.behind = behind


class HasNoClass:
    @property
    def __class__(self) -> Any:
        raise RuntimeError("not now")

    @__class__.setter
    def __class__(self, kind: Any) -> None:
        raise RuntimeError("not now")


class Checked(pydantic.BaseModel):
    """It takes nothing but the true clock."""

    model_config = pydantic.ConfigDict(validate_assignment=True)
    now: Any = time.time

    @pydantic.field_validator("now")
    @classmethod
    def is_true(cls, now: Any) -> Any:
        if now.__name__ != "time":
            raise ValueError("not the true clock")
        return now


class CheckedAfterwards(pydantic.BaseModel):
    """It takes what it is given, and complains then."""

    model_config = pydantic.ConfigDict(validate_assignment=True)
    now: Any = time.time

    @pydantic.model_validator(mode="after")
    def is_true(self) -> Self:
        if self.now.__name__ != "time":
            raise ValueError("not the true clock")
        return self


class Freezes:
    frozen = False

    def __init__(self) -> None:
        self.now = time.time

    def __setattr__(self, name: str, value: Any) -> None:
        if self.frozen:
            raise RuntimeError("frozen")
        super().__setattr__(name, value)


class Counting(list[Any]):
    """A row that counts how often its entries are gone through."""

    read = 0

    def __iter__(self) -> Iterator[Any]:
        Counting.read += len(self)
        return super().__iter__()


IN_NODES = Linked(time.time)
IN_DICTS: dict[str, Any] = {"now": time.time}
for _ in range(3_000):
    IN_NODES = Linked(IN_NODES)
    IN_DICTS = {"inside": IN_DICTS}
HAS_NO_CLASS, FREEZES = HasNoClass(), Freezes()
CHECKED, CHECKED_AFTERWARDS = Checked(), CheckedAfterwards()
ROWS = {number: Counting([float(number)] * 200) for number in range(5_000)}
BEHIND_THE_ROWS = {"now": time.time}


def innermost(holder: Any) -> Any:
    while isinstance(holder, Linked | dict):
        holder = holder.behind if isinstance(holder, Linked) else next(iter(holder.values()))
    return holder


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
    "linked objects": lambda: innermost(IN_NODES)(),
    "nested dicts": lambda: innermost(IN_DICTS)(),
    "behind a table": lambda: BEHIND_THE_ROWS["now"](),
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


def test_what_cannot_be_looked_at_or_set_is_left_alone() -> None:
    with clock_at(NOON_US):
        assert CHECKED.now is CHECKED_AFTERWARDS.now
        assert CHECKED.now is not time.time, "the true one stays"
        assert IN_A_DICT["now"]() == NOON_US / 1e6, "all else stands"
    assert CHECKED.now is CHECKED_AFTERWARDS.now is time.time


def test_one_that_can_no_longer_be_set_keeps_no_other_from_the_true_clock() -> None:
    with clock_at(NOON_US):
        assert IN_A_LIST[0]["now"]() == NOON_US / 1e6
        FREEZES.frozen = True
    assert time.time() != NOON_US / 1e6
    assert all(abs(tell() - time.time()) < 3_600 for tell in CLOCKS.values())


def test_a_table_in_rows_is_not_gone_through() -> None:
    Counting.read = 0
    with clock_at(NOON_US):
        pass
    assert Counting.read <= 100_000, "of 1,000,000"
