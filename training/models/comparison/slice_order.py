"""The order in which people read slices: numbers from low to high, then texts, and last the rows without a value."""

from __future__ import annotations

import re
from collections.abc import Iterable

MISSING = "missing"
_NUMBER = re.compile(r"(below |from )?(-?\d[\d.]*(?:e[+-]?\d+)?)( to .+)?")


def in_order(names: Iterable[str]) -> list[str]:
    """
    >>> in_order(["20 to 100", "from 100", "missing", "below 3", "3 to 20"])
    ['below 3', '3 to 20', '20 to 100', 'from 100', 'missing']
    """
    return sorted(names, key=_place)


def _place(name: str) -> tuple[int, float, bool, str]:
    number = _NUMBER.fullmatch(name)
    if number is None:
        return (2 if name == MISSING else 1), 0.0, False, name
    return 0, float(number[2]), number[1] != "below ", name
