"""A leak is told in one line, numbers may differ by a rounding, and a state hides what it pretends."""

from __future__ import annotations

import numpy as np
import pytest

from training.errors import LeakError
from training.proofs.leaks.leak import (
    CLOCK,
    LATER_ROWS,
    STATE,
    LeakReport,
    changed_features,
    different,
    first_of_each,
    require_no_leak,
)

TIMES = np.array([0, 1, 2], np.int64)
WHOLE = {"a": np.array([1.0, np.nan, 3.0]), "b": np.array(["x", None, "z"], object)}


def test_what_differs_is_named_with_its_first_instant() -> None:
    again = {"a": np.array([1.0, np.nan, 4.0]), "b": np.array(["x", None, "z"], object)}
    (leak,) = changed_features(WHOLE, again, TIMES, LATER_ROWS)
    assert leak.describe() == (
        "a changes with rows that come later: as of 1970-01-01T00:00:00.000002Z it is 3, in the trial 4 (1 of 3 rows)"
    )
    assert [each.feature for each in changed_features(WHOLE, {"a": WHOLE["a"]}, TIMES, CLOCK)] == ["b"]
    with pytest.raises(LeakError, match=r"1 leak of the future: a changes .*Compute the feature from what is known"):
        require_no_leak(LeakReport((leak,)))
    require_no_leak(LeakReport())


def test_a_rounding_is_no_leak_but_where_bits_are_promised() -> None:
    values = np.array([1e6, 2.0, np.inf])
    assert not different(values, values + np.array([1e-4, 1e-4, 0])).any()
    assert different(values, values + np.array([1e-4, 1e-4, 0]), 0.0).tolist() == [True, True, False]
    assert different(values, np.array([1e6, np.nan, np.inf])).tolist() == [False, True, False]


def test_what_follows_a_state_is_told_as_that_alone() -> None:
    again = {"a": np.zeros(3), "b": WHOLE["b"]}
    leaks = [leak for cause in (STATE, CLOCK, STATE) for leak in changed_features(WHOLE, again, TIMES, cause)]
    assert [each.cause for each in first_of_each(leaks)] == [STATE]


def test_what_follows_the_clock_is_told_as_that_alone() -> None:
    """A column with the age of a row was accused of the clock, and of eleven other things that it does not read."""
    again = {"a": np.zeros(3), "b": WHOLE["b"]}
    leaks = [leak for cause in (LATER_ROWS, CLOCK, LATER_ROWS) for leak in changed_features(WHOLE, again, TIMES, cause)]
    other = {"a": WHOLE["a"], "b": np.array(["x", None, "y"], object)}
    leaks += changed_features(WHOLE, other, TIMES, LATER_ROWS)
    assert [(each.feature, each.cause) for each in first_of_each(leaks)] == [("a", CLOCK), ("b", LATER_ROWS)]
