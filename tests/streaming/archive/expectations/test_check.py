"""Each expectation of a source finds what it is about, exactly up to its bounds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared_features import Copies, Expect, Newest, Rows, minutes, seconds
from shared_features.definitions.expectations.expectation import Expectation
from shared_features.kernel.event_time import SECOND_US
from streaming.archive.expectations.arrived import Arrived, Reached
from streaming.archive.expectations.check import checks_of
from streaming.archive.expectations.finding import Finding
from tests.streaming.archive.expectations.arrivals import payments
from tests.streaming.small_domain import PAYMENTS

START_US = 1_000 * SECOND_US
END = Reached(START_US + 20 * SECOND_US, START_US + 20 * SECOND_US)


def found(expectation: Expectation, *seen: Arrived, every: int = 1, reached: Reached = END) -> Finding | None:
    source = replace(PAYMENTS, expectations=(expectation,))
    (check,) = checks_of(source, every, since_us=START_US - 1)
    for each in seen:
        check.see(each, each)
    return check.look(reached)


def paid(*amounts: int, notes: int = 0, first: int = 0) -> Arrived:
    times = [START_US + number for number in range(len(amounts))]
    note = ["x" if row < notes else None for row in range(len(amounts))]
    return payments(*times, amount=list(amounts), note=note, first=first)


@pytest.mark.parametrize(
    ("expectation", "met", "says"),
    [
        (Expect("amount", low=0.05, high=0.09), True, "amount from 0.05 to 0.09: 0 of 4 sampled events are outside"),
        (Expect("amount", low=0.06), False, "amount from 0.06: 1 of 4 sampled events are outside, such as 0:10"),
        (Expect("amount", values=(0.05,)), False, "3 of 4 sampled events have another value, such as 0:11, 0:12, 0:13"),
        (Expect("note", values=("x",)), True, "0 of 4 sampled events have another value"),
        (Rows(at_least=4, at_most=4, every=seconds(10)), False, "at most 4 every 10 s: 0 events came"),
        (Rows(at_most=3, every=seconds(20)), False, "at least 1 row and at most 3 every 20 s: 4 events came"),
        (Rows(at_least=4, every=seconds(20)), True, "4 events came"),
        (Newest(within=seconds(21)), True, "newest event within 21 s of the newest arrival time: it happened 0.3 min"),
        (Newest(within=seconds(19)), False, "it happened 0.3 min before"),
        (Copies(every=seconds(20)), True, "at most 0 copies of events every 20 s: 0 copies in the sample"),
    ],
)
def test_an_expectation_is_met_exactly_up_to_its_bounds(expectation: Expectation, met: bool, says: str) -> None:
    finding = found(expectation, paid(5, 6, 7, 9, notes=2, first=10))
    assert finding is not None
    assert says in str(finding)
    assert (finding.met, finding.failures > 0) == (met, not met)


def test_copies_in_the_sample_stand_for_those_of_all_events() -> None:
    copies = (paid(5, 6), paid(5, 6), paid(5))
    finding = found(Copies(at_most=299, every=seconds(20)), *copies, every=100)
    assert finding is not None
    assert str(finding).endswith("3 copies in the sample, about 300 of all events")
    assert not finding.met
    assert (found(Copies(at_most=300, every=seconds(20)), *copies, every=100) or finding).met


def test_a_share_waits_until_it_says_something() -> None:
    share = Expect("note", missing_share=0.5)
    assert found(share, paid(*[5] * 99)) is None
    finding = found(share, paid(*[5] * 99), paid(5, notes=1))
    assert finding is not None
    assert (finding.met, finding.checks, finding.failures) == (False, 100, 99)
    assert (found(share, paid(*[5] * 100, notes=50)) or finding).met


def test_a_look_begins_again_after_what_it_found() -> None:
    (check,) = checks_of(replace(PAYMENTS, expectations=(Expect("amount", low=1, warn=True),)), 1, -1)
    check.see(paid(5), paid(5))
    first = check.look(END)
    assert first is not None
    assert (first.met, first.warn) == (False, True)
    assert check.look(END) is None


def test_a_quiet_topic_gets_old_by_its_marks_and_a_job_that_catches_up_does_not() -> None:
    """The arrival time before the start stands for an event, so a restart does not make a quiet topic young."""
    (check,) = checks_of(replace(PAYMENTS, expectations=(Newest(within=minutes(1)),)), 1, START_US)
    minute_us = 60 * SECOND_US
    for age_us, met in ((minute_us, True), (minute_us + 1, False)):
        finding = check.look(Reached(0, START_US + age_us))
        assert finding is not None
        assert finding.met is met
    late = payments(START_US + 2 * minute_us)
    check.see(late, late)
    young = check.look(Reached(0, START_US + 3 * minute_us))
    assert young is not None
    assert young.met


def test_without_any_event_nothing_is_said_of_the_newest() -> None:
    (check,) = checks_of(replace(PAYMENTS, expectations=(Newest(within=timedelta(minutes=1)),)), 1, -1)
    assert check.look(Reached(-1, -1)) is None
