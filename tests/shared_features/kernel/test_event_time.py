"""Time is whole microseconds, UTC, before 1970 too."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features.kernel.event_time import days, floor_to, format_duration, hours, minutes, to_datetime, to_us


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_comes_back(instant: datetime) -> None:
    assert to_datetime(to_us(instant)) == instant


def test_a_zone_is_taken_into_account_and_missing_is_refused() -> None:
    east = timezone(timedelta(hours=2))
    assert to_us(datetime(1970, 1, 1, 2, tzinfo=east)) == 0
    with pytest.raises(ValueError, match="no time zone"):
        to_us(datetime(2024, 1, 1))  # noqa: DTZ001  # that it is refused is the point


@given(st.integers(-(10**17), 10**17), st.integers(1, 10**13))
def test_a_floor_is_the_last_multiple_not_after(time_us: int, hop_us: int) -> None:
    floor = floor_to(time_us, hop_us)
    assert floor % hop_us == 0
    assert floor <= time_us < floor + hop_us


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (days(7), "7d"),
        (hours(1), "1h"),
        (hours(36), "36h"),
        (minutes(5), "5m"),
        (timedelta(seconds=90), "90s"),
        (timedelta(milliseconds=3), "3ms"),
        (timedelta(microseconds=1), "1us"),
        (timedelta(0), "0s"),
    ],
)
def test_a_duration_is_named_in_its_largest_whole_unit(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text
