"""Which column is the event time."""

import pytest

from deploy.project.columns.column import look_at
from deploy.project.errors import ProjectError
from deploy.project.roles.time_column import guess_time

ORDERED = ["2026-03-01T10:00:00Z", "2026-03-02T11:00:00Z"]
DELIVERED = ["2026-03-03T10:00:00Z", "2026-03-04T11:00:00Z"]


def column(name, values):
    return look_at(name, name, values)


def test_the_only_time_is_taken():
    why: dict[str, str] = {}
    assert guess_time([column("price", [1, 2]), column("day", ORDERED)], why).name == "day"
    assert why["time"] == "the only column of times"


def test_of_two_times_the_earlier_is_taken_and_the_other_is_named():
    why: dict[str, str] = {}
    assert guess_time([column("handed_over", DELIVERED), column("ordered", ORDERED)], why).name == "ordered"
    assert why["time"] == "of the times, it comes before handed_over"


def test_a_time_that_some_rows_lack_is_not_the_event_time():
    columns = [column("seen", [*ORDERED, None, None]), column("noted", [*DELIVERED, *DELIVERED])]
    assert guess_time(columns, {}).name == "noted"


@pytest.mark.parametrize(
    ("name", "values", "advice"),
    [
        ("clock", [1_767_000_000, 1_767_000_060], "clock looks like s since 1970: --event-time clock"),
        ("day", ["31/12/2026", "30/12/2026"], r"day is written as '31/12/2026'\. Write '2026-12-31T00:00:00'"),
        ("seen", [ORDERED[0], None, None], "seen is a time, and 2 rows lack it"),
        ("17", [1, 2], "has the file a first line with the names of its columns"),
    ],
)
def test_without_a_time_the_refusal_says_what_comes_near(name, values, advice):
    with pytest.raises(ProjectError, match=advice):
        guess_time([column(name, values)], {})
