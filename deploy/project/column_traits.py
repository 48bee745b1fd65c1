"""What a column looks like, by its values and by its name: an id, a truth, mostly there."""

from __future__ import annotations

from deploy.project.column import Column
from deploy.project.hints import ID_WORDS
from shared_features.definitions import Boolean, Decimal, Integer, Text

NEARLY = 0.95


def is_truth(column: Column) -> bool:
    return isinstance(column.type, Boolean | Integer | Decimal) and set(column.counts) == {0, 1}


def is_named(column: Column, hints: set[str]) -> bool:
    return bool(hints & set(column.words))


def is_id(column: Column, source: str) -> bool:
    return is_named(column, ID_WORDS | {source, source.removesuffix("s")}) or column.words[-1:] == ["id"]


def is_like_an_id(column: Column) -> bool:
    """Whether its values, not its name, say so: each is one word, and none repeats."""
    return isinstance(column.type, Text) and differing(column) == 1 and not any(" " in each for each in column.counts)


def is_mostly_there(column: Column) -> bool:
    return column.missing <= (1 - NEARLY) * len(column.values)


def differing(column: Column) -> float:
    """The share of its values that no earlier one repeats."""
    return len(column.counts) / column.counts.total()


def middle_us(column: Column) -> int:
    instants = sorted(each for each in column.instants if each is not None)
    return instants[len(instants) // 2]
