from dataclasses import replace

import pytest

from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.kernel.event_time import DAY_US, HOUR_US
from training.datasets.time_split import choose_split
from training.errors import DatasetError

START = 20_000 * DAY_US
DEFAULTS = DatasetParameters()


def test_defaults_are_whole_days_that_end_at_midnight():
    split = choose_split(START + 5, START + 60 * DAY_US + HOUR_US, 7 * DAY_US, DEFAULTS)
    assert (split.train_us, split.gap_us, split.test_us) == (21 * DAY_US, 7 * DAY_US, 7 * DAY_US)
    assert split.end_us == START + 60 * DAY_US


@pytest.mark.parametrize("days", [0.5, 1, 2, 3.3, 7.9, 8, 15, 21, 30, 90])
@pytest.mark.parametrize("delay", [0, 0.25, 7])
def test_windows_lie_inside_what_is_labelled(days, delay):
    first, last = START + 12345, START + 12345 + round(days * DAY_US)
    if days <= delay:
        with pytest.raises(DatasetError, match="smaller --delay-days"):
            choose_split(first, last, round(delay * DAY_US), DEFAULTS)
        return
    split = choose_split(first, last, round(delay * DAY_US), DEFAULTS)
    assert first <= split.start_us < split.train_end_us <= split.test_start_us < split.end_us <= last + 1
    assert split.gap_us == delay * DAY_US


@pytest.mark.parametrize("asked", [(5, 1, 2), (6, 1, 3), (0.5, 0, 0.25), (6.5, 1.5, 2)])
def test_what_is_asked_for_is_given_exactly(asked):
    split = choose_split(START + 99, START + 99 + 10 * DAY_US, 0, DatasetParameters(None, *asked))
    assert (split.train_us, split.gap_us, split.test_us) == tuple(each * DAY_US for each in asked)
    assert split.start_us >= START + 99


def test_a_day_is_whole_when_its_labels_are_known_though_its_last_event_came_before_midnight():
    """The last of the labelled events at 23:59:52, and a cutoff at midnight: the last day was lost."""
    last, midnight = START + 30 * DAY_US - 8_000_000, START + 30 * DAY_US
    split = choose_split(START, last, DAY_US, DEFAULTS, known_until_us=midnight)
    assert split.end_us == midnight
    assert choose_split(START, last, DAY_US, DEFAULTS, known_until_us=last + 1).end_us == midnight - DAY_US


def test_windows_by_date_are_given_exactly_and_the_others_follow_from_lengths():
    ends = [START + day * DAY_US for day in (3, 10, 17, 24)]
    asked = replace(DEFAULTS, train_from_us=ends[0], train_to_us=ends[1], test_from_us=ends[2], test_to_us=ends[3])
    split = choose_split(START + 5, START + 60 * DAY_US, 2 * DAY_US, asked)
    assert [split.start_us, split.train_end_us, split.test_start_us, split.end_us] == ends
    only = replace(DEFAULTS, train_days=6, test_from_us=START + 20 * DAY_US, test_to_us=ends[3])
    split = choose_split(START + 5, START + 60 * DAY_US, 2 * DAY_US, only)
    assert [(each - START) / DAY_US for each in (split.start_us, split.train_end_us)] == [12, 18]


def test_windows_that_overlap_are_refused():
    asked = DatasetParameters(train_to_us=START + 9 * DAY_US, test_from_us=START + 8 * DAY_US)
    with pytest.raises(DatasetError, match="not one after the other"):
        choose_split(START, START + 60 * DAY_US, 0, asked)
