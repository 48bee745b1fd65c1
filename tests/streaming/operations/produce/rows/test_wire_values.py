"""What a value of a file becomes: one row per reading, and what nobody can read stays as it is."""

from datetime import UTC, date, datetime
from decimal import Decimal as Exact
from zoneinfo import ZoneInfo

import pytest

from shared_features import Boolean, Decimal, Integer, Text, Timestamp
from streaming.operations.produce.rows.wire_values import converter, epoch_unit, instant_us

PRICE = Decimal(2, low=0, high=1000)
AT_US = 1_700_000_000_123_456
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (Integer(), "12", 12),
        (Integer(), "007", 7),
        (Integer(), "3.0", 3),
        (Integer(), 3.0, 3),
        (Integer(), 3.5, 3.5),
        (Integer(), True, 1),
        (Integer(), "9007199254740993", 9007199254740993),
        (Integer(), 9007199254740993, 9007199254740993),
        (Integer(), 2.0**53, 2.0**53),
        (Integer(), "", None),
        (Integer(), "1,5", "1,5"),
        (PRICE, "0.57499999999999999999", Exact("0.57499999999999999999")),
        (PRICE, "12,50", "12,50"),
        (PRICE, "NaN", None),
        (PRICE, 0.1, 0.1),
        (PRICE, Exact("12.50"), Exact("12.50")),
        (Boolean(), 0, False),
        (Boolean(), 1.0, True),
        (Boolean(), "Yes", True),
        (Boolean(), "maybe", "maybe"),
        (Boolean(), 2, 2),
        (Text(), 3.0, "3"),
        (Text(), 12, "12"),
        (Text(), "NA", "NA"),
        (Text(), " x ", " x "),
    ],
)
def test_a_value_becomes_what_its_field_takes_or_stays_as_it_is(kind, value, wanted):
    found = converter(kind, UTC, "us")(value)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("value", "epoch", "wanted_us"),
    [
        ("2023-11-14T22:13:20.123456Z", "us", AT_US),
        ("2023-11-14 23:13:20.123456+01:00", "us", AT_US),
        ("1700000000.123456", "s", AT_US),
        (1_700_000_000_123, "ms", AT_US - 456),
        (AT_US, "us", AT_US),
        (AT_US * 1000 + 999, "ns", AT_US),
        (datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC), "us", AT_US),
        (-1, "ns", -1),
        ("14/11/2023", "us", None),
        (True, "us", None),
    ],
)
def test_a_time_is_the_instant_that_it_names(value, epoch, wanted_us):
    assert instant_us(value, UTC, epoch) == wanted_us


def test_a_time_without_a_zone_is_of_the_given_zone():
    assert instant_us("2024-07-01T02:00:00", BERLIN, "us") == instant_us("2024-07-01T00:00:00Z", UTC, "us")
    assert instant_us(date(2024, 1, 1), BERLIN, "us") == instant_us("2023-12-31T23:00:00Z", UTC, "us")


@pytest.mark.parametrize(("unit", "wanted"), [("s", 1_700_000_000), ("ms", 1_700_000_000_123), ("us", AT_US)])
def test_a_time_is_written_in_the_unit_of_its_field(unit, wanted):
    assert converter(Timestamp(unit), UTC, "us")(AT_US) == wanted


def test_a_time_is_written_as_text_where_the_field_takes_text():
    assert converter(Timestamp("rfc3339"), UTC, "s")("1700000000") == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ([1_700_000_000, None], "s"),
        (["1700000000123"], "ms"),
        ([AT_US], "us"),
        ([AT_US * 1000], "ns"),
        ([0, 86_400], None),
        (["2024-01-01"], None),
    ],
)
def test_the_unit_of_a_number_follows_from_its_size(values, unit):
    assert epoch_unit(values) == unit
