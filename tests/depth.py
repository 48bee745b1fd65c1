"""Depth: how long the tests search. Short by default; with `TEST_DEPTH=deep` long, which CI does as well."""

import os

VARIABLE = "TEST_DEPTH"
QUICK, DEEP = "quick", "deep"


def depth() -> str:
    """What the environment asks for; ValueError where it asks for something else."""
    found = os.environ.get(VARIABLE) or QUICK
    if found not in (QUICK, DEEP):
        raise ValueError(f"{VARIABLE} is {found!r}. Set it to {QUICK!r} or {DEEP!r}")
    return found


def searched(quick: int, deep: int) -> int:
    """How many examples, seeds or schedules to try."""
    return deep if depth() == DEEP else quick
