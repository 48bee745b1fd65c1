"""Depth: how much the tests try. Little by default; with `TEST_DEPTH=deep` all of it, which CI does as well.

A test that is marked `deep` runs at that depth alone. It is a long one whose parts are run by default as well, in
shorter tests, or a further case of a long test.
"""

import os
from collections.abc import Container, Iterable
from typing import Any

import pytest

VARIABLE = "TEST_DEPTH"
QUICK, DEEP = "quick", "deep"


def depth() -> str:
    """What the environment asks for; ValueError where it asks for something else."""
    found = os.environ.get(VARIABLE) or QUICK
    if found not in (QUICK, DEEP):
        raise ValueError(f"{VARIABLE} is {found!r}. Set it to {QUICK!r} or {DEEP!r}")
    return found


def searched(quick: int, deep: int) -> int:
    """How many examples of a law to try."""
    return deep if depth() == DEEP else quick


def seeds(quick: int, deep: int) -> list[Any]:
    """For `parametrize`: so many by default, so many in all. The further ones are tests of their own, marked deep."""
    return cases(range(deep), quick=range(quick))


def cases(of: Iterable[Any], quick: Container[Any]) -> list[Any]:
    """For `parametrize`: those of `quick` by default. The others are marked deep."""
    return [case if case in quick else pytest.param(case, marks=pytest.mark.deep) for case in of]


def left_out(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests that are too long for the depth that is asked for."""
    return [] if depth() == DEEP else [item for item in items if item.get_closest_marker(DEEP)]


def said_of(count: int) -> str:
    """What the run says at its end about the tests that it left out."""
    tests = "1 long test or further case was" if count == 1 else f"{count} long tests and further cases were"
    return f"{tests} left out. They run with: {VARIABLE}={DEEP} ./run test -m {DEEP}"
