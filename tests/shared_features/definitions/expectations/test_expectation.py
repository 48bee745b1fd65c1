"""An expectation that cannot be is refused with what to write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared_features import Copies, DefinitionError, Expect, Newest, Rows


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Expect("celsius"), r"Expect\('celsius'\): nothing is expected; give low, high, values or"),
        (lambda: Expect("celsius", low=3, high=2), "low is 3, above high, which is 2; swap"),
        (lambda: Expect("celsius", low=float("nan"), high=2), "low is nan, above high"),
        (lambda: Expect("celsius", low=3, values=(4,)), "a range and values are given; give one"),
        (lambda: Expect("celsius", missing_share=20), "missing_share is 20; give 0 or more and less than 1"),
        (lambda: Expect("celsius", max=3), "no option 'max'"),  # type: ignore[call-arg]  # what is refused
        (lambda: Rows(at_least=0), "at_least=0.*give 1 or more"),
        (lambda: Rows(at_least=5, at_most=4), "at_most=4"),
        (lambda: Newest(within=timedelta(0)), r"give more than zero, such as days\(2\)"),
        (lambda: Copies(at_most=-1), "give 0 or more"),
        (lambda: Rows(every=timedelta(0)), r"give more than zero, such as hours\(1\)"),
    ],
)
def test_an_expectation_that_cannot_be_is_refused(build: Callable[[], object], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        build()
