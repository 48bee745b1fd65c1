"""What the first rows show: which columns a field takes, which none takes, and what makes the rows useless."""

import pytest

from deploy.project.errors import ProjectError
from deploy.project.seen_columns import seen_columns
from deploy.project.wishes import Wishes
from shared_features import Decimal, Text
from streaming.operations.produce.rows.file_rows import UNREADABLE

ROWS = [{"Order ID": "o1", "price": 1.5, "tags": ["a"]}, {"Order ID": "o2", "price": 2.5, "tags": ["b"]}]


def names(columns):
    return [each.name for each in columns]


def test_a_column_without_a_type_is_left():
    seen = seen_columns(ROWS, Wishes())
    assert names(seen.taken) == ["Order ID", "price"]
    assert names(seen.left) == ["tags"]
    assert seen.names == {"Order ID": "order_id", "price": "price", "tags": "tags"}


def test_in_a_topic_a_member_whose_name_no_field_can_have_is_left():
    seen = seen_columns(ROWS, Wishes(), as_written=True)
    assert names(seen.left) == ["Order ID", "tags"]
    assert "Let the producer rename it" in seen.left[0].why


def test_an_object_is_not_left_where_its_members_are_columns():
    seen = seen_columns([{"id": "a", "http": None, "http.status": 200}, {"id": "b", "http": {}}], Wishes())
    assert names(seen.left) == []


def test_columns_are_taken_out_with_the_reason():
    seen = seen_columns(ROWS, Wishes())
    less = seen.without(seen.taken[1:], "it is an outcome")
    assert names(less.taken) == ["Order ID"]
    assert [each.why for each in less.left if each.name == "price"] == ["it is an outcome"]
    assert names(seen.taken) == ["Order ID", "price"]


def test_a_decimal_comma_is_read_where_the_numbers_have_one_and_never_in_a_topic():
    rows = [{"id": f"r{number}", "price": f"{number},50"} for number in range(9)]
    seen = seen_columns(rows, Wishes())
    assert seen.decimal_comma
    assert isinstance(seen.taken[1].type, Decimal)
    assert "`--decimal-comma`" in seen.taken[1].why
    of_topic = seen_columns(rows, Wishes(), as_written=True)
    assert not of_topic.decimal_comma
    assert isinstance(of_topic.taken[1].type, Text)


@pytest.mark.parametrize(
    ("rows", "as_written", "reason"),
    [
        ([{UNREADABLE: "x"}], False, "no line of the file is a JSON object. Give one object per line"),
        ([{UNREADABLE: "x"}], True, "no record of the topic is an object. Give one object per record"),
        ([{"1.5": "2.5", "7": "8"}], False, "look like values: 1.5, 7. Write a first line with the names"),
        ([{"a": None, "b": None}], False, "no column of the file holds a value. It has a, b"),
    ],
)
def test_rows_without_objects_names_or_values_are_refused(rows, as_written, reason):
    with pytest.raises(ProjectError, match=reason.replace(".", r"\.")):
        seen_columns(rows, Wishes(), as_written=as_written)
