"""What the values of a column say about its field."""

from datetime import date
from decimal import Decimal as Exact

import pytest

from deploy.project.columns.column import look_at
from shared_features import Boolean, Decimal, Integer, Text, Timestamp


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("a", ["yes", "no", None], Boolean()),
        ("a", [True, False], Boolean()),
        ("a", ["0", "1"], Integer(low=0)),
        ("a", [3.0, None], Integer(low=0)),
        ("a", [-3, 4], Integer()),
        ("a", [3.0, 4.0], Decimal(decimals=2, low=0, high=100)),
        ("a", ["12.50", "-3"], Decimal(decimals=2, low=-1_000, high=1_000)),
        ("a", [Exact("0.001")], Decimal(decimals=3, low=0, high=1)),
        ("a", [0.1234567891234567], Decimal(decimals=9, low=0, high=10)),
        ("a", ["007", "123"], Text(max_length=16)),
        ("a", [2**60], Text(max_length=64)),
        ("a", ["1.5", "ERR"], Text(max_length=16)),
        ("a", ["2026-01-05T10:00:00Z"], Timestamp("rfc3339")),
        ("a", [date(2026, 1, 5)], Timestamp("rfc3339")),
        ("a", ["9999-12-31"], Text(max_length=32)),
        ("event_time", [1_767_000_000], Timestamp("s")),
        ("event_time", [1_767_000_000.25], Timestamp("us")),
        ("ts", ["1767000000123"], Timestamp("ms")),
        ("createdAt", [1_767_000_000_000_000_000], Timestamp("us")),
        ("views", [1_767_000_000], Integer(low=0)),
        ("a", [None, None], None),
        ("a", [["x"], None], None),
    ],
)
def test_the_type_follows_from_the_values(name, values, kind):
    assert look_at(name, name, values).type == kind


def test_a_number_with_a_few_strays_is_a_text_that_says_what_to_do():
    found = look_at("a", "a", ["1.5"] * 99 + ["ERR"])
    assert isinstance(found.type, Text)
    assert "1 are not, such as 'ERR'. If those are mistakes, make it a Decimal" in found.why


def test_what_is_missing_makes_a_column_optional():
    found = look_at("a", "a", ["1", "n/a", None])
    assert (found.type, found.optional, found.missing) == (Integer(low=0), True, 2)
