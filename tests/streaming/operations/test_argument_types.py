"""Arguments of the command line: what is taken, and what is refused with what to give."""

import argparse
from datetime import date

import pytest

from shared_features.kernel.event_time import HOUR_US
from streaming.operations.argument_types import at_least, day, instant, position
from tests.streaming.operations.stored_world import START_US


def test_an_instant_is_a_time_or_microseconds() -> None:
    for text in ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01", str(START_US)):
        assert instant(text) == START_US
    assert instant("2026-01-01T00:00:00.000001") == START_US + 1
    assert instant("2026-01-01T00:00:00-01:00") == START_US + HOUR_US


@pytest.mark.parametrize("unit", [1000, 1_000_000])
def test_an_instant_in_another_unit_is_not_one_of_1970(unit: int) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"it is 2026-01-01T00:00:00Z. Give microseconds"):
        instant(str(START_US // unit))


def test_a_position_may_have_colons_in_its_topic() -> None:
    assert position("a:b:3:88") == ("a:b", 3, 88)
    for wrong in ("a", "a:3", ":3:88", "a:x:88", "a:3:-1"):
        with pytest.raises(argparse.ArgumentTypeError, match=r"is not a position; give TOPIC:PARTITION:OFFSET"):
            position(wrong)


def test_days_and_counts_are_whole() -> None:
    assert day("2026-03-01") == date(2026, 3, 1)
    assert at_least(0)("0") == 0
    with pytest.raises(argparse.ArgumentTypeError, match=r"'1\.3\.2026' is not a day"):
        day("1.3.2026")
    for wrong in ("0", "-1", "1.5", "x"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not a whole number of at least 1"):
            at_least(1)(wrong)
