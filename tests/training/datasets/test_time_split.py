import pytest

from shared_features.kernel.event_time import DAY_US, HOUR_US
from training.datasets.time_split import choose_split
from training.errors import DatasetError

START = 20_000 * DAY_US


def test_defaults_are_whole_days_that_end_at_midnight():
    split = choose_split(START + 5, START + 60 * DAY_US + HOUR_US, 7 * DAY_US)
    assert (split.train_us, split.gap_us, split.test_us) == (21 * DAY_US, 7 * DAY_US, 7 * DAY_US)
    assert split.end_us == START + 60 * DAY_US


@pytest.mark.parametrize("days", [0.5, 1, 2, 3.3, 7.9, 8, 15, 21, 30, 90])
@pytest.mark.parametrize("delay", [0, 0.25, 7])
def test_windows_lie_inside_what_is_labelled(days, delay):
    first, last = START + 12345, START + 12345 + round(days * DAY_US)
    if days <= delay:
        with pytest.raises(DatasetError, match="smaller --delay-days"):
            choose_split(first, last, round(delay * DAY_US))
        return
    split = choose_split(first, last, round(delay * DAY_US))
    assert first <= split.start_us < split.train_end_us <= split.test_start_us < split.end_us <= last + 1
    assert split.gap_us == delay * DAY_US


@pytest.mark.parametrize("asked", [(5, 1, 2), (6, 1, 3), (0.5, 0, 0.25), (6.5, 1.5, 2)])
def test_what_is_asked_for_is_given_exactly(asked):
    split = choose_split(START + 99, START + 99 + 10 * DAY_US, 0, *asked)
    assert (split.train_us, split.gap_us, split.test_us) == tuple(each * DAY_US for each in asked)
    assert split.start_us >= START + 99
