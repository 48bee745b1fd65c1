"""A delay is never written shorter than it is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.project.lengths import delay, spelled_length
from shared_features import days, hours, minutes, seconds
from shared_features.kernel.event_time import DAY_US, SECOND_US

WRITTEN = {each.__name__: each for each in (days, hours, minutes, seconds)}


@given(st.integers(0, 400 * DAY_US))
def test_a_written_delay_is_at_least_as_long_and_by_less_than_one_of_its_unit(length_us: int) -> None:
    name, _, number = delay(length_us).rstrip(")").partition("(")
    written: timedelta = WRITTEN[name](int(number))
    more = written - timedelta(microseconds=length_us)
    assert timedelta(0) <= more < WRITTEN[name](1)


@pytest.mark.parametrize(
    ("length_us", "said"),
    [(0, "0 seconds"), (45 * SECOND_US, "45 seconds"), (5_400 * SECOND_US, "1.5 hours"), (7 * DAY_US, "7 days")],
)
def test_a_length_is_said_in_the_unit_that_suits_it(length_us: int, said: str) -> None:
    assert spelled_length(length_us) == said
