"""A comparison goes on beside its caller, and what several find does not depend on how fast each is."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial

import pytest

from training.inference.audit.comparisons import Comparisons
from training.inference.audit.findings import ALTERED_VALUE, CHANGED_CODE, Audited


def test_the_caller_reads_the_next_records_while_some_are_compared() -> None:
    read, found = threading.Event(), Audited()

    def compare(own: Audited) -> None:
        own.equal += read.wait(timeout=60)

    with Comparisons(found, aside=True) as comparisons:
        comparisons.begin(compare)
        read.set()
        comparisons.end()
    assert found.equal == 1


def test_without_threads_a_comparison_has_ended_when_the_caller_has_begun_it() -> None:
    ended = list[Audited]()
    with Comparisons(Audited(), aside=False) as comparisons:
        comparisons.begin(ended.append)
        assert len(ended) == 1
        comparisons.end()


@pytest.mark.parametrize("aside", [False, True])
def test_what_each_finds_is_added_in_their_order_up_to_the_most_differences(aside: bool) -> None:
    found = Audited(most=3, unseen=Counter())

    def compare(number: int, own: Audited) -> None:
        for cause in (ALTERED_VALUE, CHANGED_CODE):
            own.differ(f"{number}", cause, "")
        own.predictions, own.equal = 10, 8
        assert own.unseen is not None
        own.unseen["late event"] += number

    with Comparisons(found, aside=aside) as comparisons:
        for number in (1, 2, 3):
            comparisons.begin(partial(compare, number))
            found.differ("read", ALTERED_VALUE, "")  # of the records that are read meanwhile
        comparisons.end()
    assert [each.id for each in found.differences] == ["read", "1", "1"]
    assert found.by_cause == {ALTERED_VALUE: 6, CHANGED_CODE: 3}
    assert (found.predictions, found.equal, found.unseen) == (30, 24, {"late event": 6})


@pytest.mark.parametrize("aside", [False, True])
def test_what_one_raises_is_raised_before_the_next_begins(aside: bool) -> None:
    begun = list[Audited]()

    def fail(own: Audited) -> None:
        raise ZeroDivisionError

    with Comparisons(Audited(), aside=aside) as comparisons:
        comparisons.begin(fail)
        with pytest.raises(ZeroDivisionError):
            comparisons.begin(begun.append)
        comparisons.end()
    assert begun == []
