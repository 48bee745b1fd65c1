"""A span is told once, when it is over for every partition, and only if the process saw it whole."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from shared_features.kernel.event_time import SECOND_US
from streaming.archive.expectations.spans import Spans

EVERY = timedelta(seconds=10)


def at(*seconds: float) -> np.ndarray:
    return np.array([round(second * SECOND_US) for second in seconds], np.int64)


def test_a_span_is_told_once_when_the_watermark_has_passed_its_end() -> None:
    spans = Spans(EVERY, since_us=9 * SECOND_US)
    spans.count(at(10, 11, 19.9, 25))
    assert spans.close(int(at(19.9)[0])) == []
    assert spans.close(int(at(20)[0])) == [3]
    spans.count(at(20))
    assert spans.close(int(at(49)[0])) == [2, 0]
    assert spans.close(int(at(49)[0])) == []


def test_a_span_that_had_begun_before_the_start_is_left_out() -> None:
    spans = Spans(EVERY, since_us=12 * SECOND_US)
    spans.count(at(13, 25))
    assert spans.close(int(at(30)[0])) == [1]


def test_where_nothing_was_stored_the_first_event_begins() -> None:
    spans = Spans(EVERY, since_us=-1)
    assert spans.close(int(at(1e6)[0])) == []
    spans.count(at(1e9 + 5, 1e9 + 12))
    assert spans.close(int(at(1e9 + 21)[0])) == [1]


def test_many_spans_that_end_at_once_are_bounded() -> None:
    spans = Spans(EVERY, since_us=0)
    spans.count(at(1e9))
    assert spans.close(int(at(1e9 + 10)[0])) == [0] * 999 + [1]
