"""A bare number is seconds; whatever else a setting holds is left to the settings themselves."""

from datetime import timedelta

import pytest

from shared_features.settings.durations import in_seconds


@pytest.mark.parametrize(("text", "duration"), [("90", timedelta(seconds=90)), ("0.5", timedelta(milliseconds=500))])
def test_a_bare_number_is_seconds(text, duration):
    assert in_seconds(text) == duration


@pytest.mark.parametrize("value", ["PT10M", "01:30:00", "soon", "", timedelta(days=1), 90, None])
def test_everything_else_stays_as_it_is(value):
    assert in_seconds(value) is value
