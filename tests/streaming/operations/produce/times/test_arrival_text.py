"""What --arrival says is a column, a time after the event time, or a time after a column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US
from streaming.operations.produce.times.arrival_text import ArrivalText, arrival_text, written_after


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("noted_at", ArrivalText("noted_at", 0)),
        ("+1h", ArrivalText(None, HOUR_US)),
        ("noted_at+14d", ArrivalText("noted_at", 14 * DAY_US)),
        ("a+b+90min", ArrivalText("a+b", 90 * MINUTE_US)),
        ("seen+late", ArrivalText("seen+late", 0)),
        ("", ArrivalText(None, 0)),
    ],
)
def test_what_is_written_is_what_is_meant(written, meant):
    assert arrival_text(written) == meant


@given(st.integers(0, 400 * 86_400))
def test_a_length_is_read_as_it_was_written(seconds):
    assert arrival_text(written_after(seconds * 1_000_000)) == (None, seconds * 1_000_000)
