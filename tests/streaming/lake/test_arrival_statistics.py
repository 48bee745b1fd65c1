"""When events arrived, by file statistics: spans never leave out an instant, and hold about as many events as asked."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streaming.lake.arrival_statistics import ArrivalStatistics


def of(*files: tuple[int, int, int]) -> ArrivalStatistics:
    """Of files (first, last, count)."""
    return ArrivalStatistics(*(np.array([file[at] for file in files], np.int64) for at in range(3)))


FILES = st.lists(
    st.tuples(st.integers(0, 500), st.integers(0, 200), st.integers(1, 1_000)).map(lambda f: (f[0], f[0] + f[1], f[2])),
    max_size=6,
)


@given(FILES, st.integers(0, 600), st.integers(1, 300), st.integers(1, 2_000))
def test_a_span_moves_on_and_ends_at_the_latest_where_it_has_to(
    files: list[tuple[int, int, int]], low: int, more: int, rows: int
) -> None:
    """A span that does not move on is a pass that never ends. One that goes too far takes events that may change."""
    end = of(*files).span_end(low, low + more, rows)
    assert low < end <= low + more
    if sum(count for _, _, count in files) < rows:
        assert end == low + more


def test_spans_of_files_one_after_another_hold_as_many_events_as_asked() -> None:
    """One event a microsecond: three files of 100, spans of 70 across their borders, and a short rest."""
    statistics = of((0, 99, 100), (200, 299, 100), (100, 199, 100))
    ends, low = [], 0
    while low < 300:
        low = statistics.span_end(low, 300, 70)
        ends.append(low)
    assert ends == [70, 140, 210, 280, 300]


def test_a_file_that_begins_before_the_span_counts_by_its_share() -> None:
    assert of((0, 99, 1_000)).span_end(50, 1_000, 100) == 60


def test_events_of_one_instant_stay_together_however_many_they_are() -> None:
    assert of((7, 7, 10_000)).span_end(7, 100, 10) == 8


def test_whole_files_are_counted_where_they_may_hold_an_event_of_the_span() -> None:
    statistics = of((0, 10, 3), (10, 20, 5), (21, 30, 7))
    assert [statistics.about(*span) for span in ((10, 11), (11, 21), (20, 21), (31, 40), (0, 40))] == [8, 5, 5, 0, 15]


def test_a_table_without_files_has_nothing_and_its_span_is_whole() -> None:
    nothing = ArrivalStatistics.empty()
    assert (nothing.about(0, 10), nothing.span_end(0, 10, 1)) == (0, 10)
