"""What a column looks like, by its values and by its name: an id, a truth, mostly there."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.project.columns.column import Column
from deploy.project.columns.hints import ID_WORDS
from shared_features.definitions import Boolean, Decimal, Integer, Text
from shared_features.kernel.event_time import DAY_US

NEARLY = 0.95


def is_truth(column: Column) -> bool:
    return isinstance(column.type, Boolean | Integer | Decimal) and set(column.counts) == {0, 1}


def is_named(column: Column, hints: set[str]) -> bool:
    return bool(hints & set(column.words))


def is_id(column: Column, source: str) -> bool:
    return is_named(column, ID_WORDS | {source, source.removesuffix("s")}) or column.words[-1:] == ["id"]


def is_like_an_id(column: Column) -> bool:
    """Whether its values, not its name, say so: each is one word and none repeats, or they number the rows."""
    if isinstance(column.type, Integer):
        return _numbers_the_rows(column)
    return isinstance(column.type, Text) and differing(column) == 1 and not any(" " in each for each in column.counts)


def _numbers_the_rows(column: Column) -> bool:
    """As the first column of many tables does: each number from the first to the last, once."""
    return not column.missing and len(column.values) > 1 and _is_a_row(sorted(column.values))


def _is_a_row(numbers: Sequence[int]) -> bool:
    return numbers[0] in (0, 1) and list(numbers) == list(range(numbers[0], numbers[0] + len(numbers)))


def is_mostly_there(column: Column) -> bool:
    return column.missing <= (1 - NEARLY) * len(column.values)


def differing(column: Column) -> float:
    """The share of its values that no earlier one repeats."""
    return len(column.counts) / column.counts.total()


def is_of_instants(column: Column) -> bool:
    """Of a column of times: whether it tells more than a day of each row, or one day of all."""
    instants = {each for each in column.instants if each is not None}
    return len(instants) > 1 and any(each % DAY_US for each in instants)


def middle_us(column: Column) -> int:
    instants = sorted(each for each in column.instants if each is not None)
    return instants[len(instants) // 2]
