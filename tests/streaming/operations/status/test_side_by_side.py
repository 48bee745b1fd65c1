"""What stands side by side: all of a table where there is room, else parts that each name their rows."""

from hypothesis import given
from hypothesis import strategies as st

from streaming.operations.status.side_by_side import side_by_side

GAP = 2


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=12),
    st.one_of(st.none(), st.integers(1, 120)),
    st.sets(st.integers(0, 11)),
)
def test_every_column_stands_once_below_its_rows_names_and_no_part_is_too_wide(widths, width, breaks):
    parts = side_by_side(widths, GAP, width, breaks)
    assert [column for part in parts for column in part[1:]] == list(range(1, len(widths)))
    assert all(part[0] == 0 for part in parts)
    for part in parts:
        taken = sum(widths[column] for column in part) + GAP * (len(part) - 1)
        assert width is None or taken <= width or len(part) <= 2


def test_a_break_is_taken_only_where_one_part_does_not_do():
    assert side_by_side([5, 4, 4, 4], GAP, 23, breaks=[1, 2]) == [[0, 1, 2, 3]]
    assert side_by_side([5, 4, 4, 4], GAP, 22, breaks=[2]) == [[0, 1], [0, 2, 3]]
