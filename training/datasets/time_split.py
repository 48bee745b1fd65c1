"""A split by time: a train window, a gap in which labels become known, a test window.

After Le Borgne, Siblini, Lebichot, Bontempi, *Reproducible Machine Learning for Credit Card Fraud Detection -
Practical Handbook*, chapters 3 and 5: a model that serves on a day cannot have learned from labels younger than
the label delay.
"""

from __future__ import annotations

from shared_features.formats.dataset_manifest import DatasetParameters, TimeSplit
from shared_features.kernel.event_time import DAY_US, floor_to, to_text
from training.errors import DatasetError

DEFAULT_TRAIN_DAYS = 21.0
DEFAULT_TEST_DAYS = 7.0
TRAIN, GAP, TEST = 0, 1, 2
"""Codes of the windows, as `formats.training_run` stores them."""


def choose_split(
    first_us: int, last_us: int, label_delay_us: int, asked: DatasetParameters, known_until_us: int | None = None
) -> TimeSplit:
    """The latest windows that fit between the first and the last labelled event, and end at a UTC midnight if they can.

    Defaults: the gap is the view's label delay; the test window 7 days, or a quarter of what the gap leaves where
    that is shorter; the train window what remains, at most 21 days. Windows of a day and more are whole days.
    known_until_us: every event before it can have its label, so a day is whole where the last labelled event came a
    little before midnight. Raises DatasetError when what was asked for does not fit.
    """
    end_us = _history_end(last_us, known_until_us)
    gap_us = label_delay_us if asked.delay_days is None else _us(asked.delay_days)
    split = _by_date if asked.by_date else _by_length
    return split(first_us, end_us, gap_us, asked)


def _history_end(last_us: int, known_until_us: int | None) -> int:
    """Behind the last labelled event, or as far in its day as labels are known."""
    midnight_us = floor_to(last_us, DAY_US) + DAY_US
    return last_us + 1 if known_until_us is None else max(last_us + 1, min(known_until_us, midnight_us))


def _by_length(first_us: int, last_end_us: int, gap_us: int, asked: DatasetParameters) -> TimeSplit:
    span_us = last_end_us - first_us
    room_us = span_us - gap_us
    if room_us <= 0:
        raise DatasetError(
            f"There is too little history. Labelled events span {_days(span_us)} d, and the gap between training and "
            f"test takes {_days(gap_us)} d. Stream more history, wait for labels, or give a smaller --delay-days."
        )
    test_us = _whole(min(_us(DEFAULT_TEST_DAYS), room_us // 4)) if asked.test_days is None else _us(asked.test_days)
    end_us = floor_to(last_end_us, DAY_US)
    if test_us < DAY_US or end_us - first_us - gap_us - test_us < test_us:
        end_us = last_end_us  # too little to give up a part of a day for whole days
    left_us = end_us - first_us - gap_us - test_us
    train_days = asked.train_days
    train_us = _whole(min(_us(DEFAULT_TRAIN_DAYS), left_us)) if train_days is None else _us(train_days)
    if train_days is not None and end_us - train_us < first_us + gap_us + test_us:
        end_us = last_end_us
    if min(train_us, test_us) <= 0 or end_us - train_us - gap_us - test_us < first_us:
        raise DatasetError(
            f"The windows are too long. Training takes {_days(train_us)} d, the gap {_days(gap_us)} d and the test "
            f"{_days(test_us)} d, and labelled events span {_days(span_us)} d. Give smaller --train-days, --delay-days "
            "or --test-days."
        )
    return TimeSplit(end_us - test_us - gap_us - train_us, train_us, gap_us, test_us)


def _by_date(first_us: int, last_end_us: int, gap_us: int, asked: DatasetParameters) -> TimeSplit:
    """The ends that were asked for; each of the others lies as far from its neighbour as lengths or defaults say."""
    test_to_us = last_end_us if asked.test_to_us is None else asked.test_to_us
    test_us = min(_us(DEFAULT_TEST_DAYS), (test_to_us - first_us - gap_us) // 4)
    test_us = test_us if asked.test_days is None else _us(asked.test_days)
    test_from_us = test_to_us - test_us if asked.test_from_us is None else asked.test_from_us
    train_to_us = test_from_us - gap_us if asked.train_to_us is None else asked.train_to_us
    train_us = _us(DEFAULT_TRAIN_DAYS if asked.train_days is None else asked.train_days)
    train_from_us = max(first_us, train_to_us - train_us) if asked.train_from_us is None else asked.train_from_us
    if not train_from_us < train_to_us <= test_from_us < test_to_us:
        ends = f"{to_text(train_from_us)} to {to_text(train_to_us)}, test {to_text(test_from_us)} to"
        raise DatasetError(
            f"The windows are not one after the other: train {ends} {to_text(test_to_us)}. Give --train-from, "
            "--train-to, --test-from and --test-to in this order."
        )
    return TimeSplit(train_from_us, train_to_us - train_from_us, test_from_us - train_to_us, test_to_us - test_from_us)


def _us(days: float) -> int:
    return round(days * DAY_US)


def _whole(span_us: int) -> int:
    return floor_to(span_us, DAY_US) if span_us >= DAY_US else span_us


def _days(span_us: int) -> str:
    return f"{span_us / DAY_US:.4g}"
