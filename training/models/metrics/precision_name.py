"""The name of entity precision, which has the number of entities that are looked at each day."""

from __future__ import annotations

import re
from collections.abc import Iterable

PRECISION_AT_K = "precision_at_K_per_day"
"""How a message names it; a user gives a number in the place of K."""
_PRECISION_AT_K = re.compile(r"precision_at_([1-9]\d{0,8})_per_day")


def k_of(metric: str) -> int | None:
    """How many entities of a day entity precision looks at; None: the metric is another one."""
    found = _PRECISION_AT_K.fullmatch(metric)
    return None if found is None else int(found[1])


def named_ks(metrics: Iterable[str]) -> tuple[int, ...]:
    """How many entities of a day these metrics look at, each number once."""
    found = (k_of(name) for name in metrics)
    return tuple(sorted({each for each in found if each is not None}))


def precision_at(k: int) -> str:
    """The name of entity precision at k."""
    return PRECISION_AT_K.replace("K", str(k))
