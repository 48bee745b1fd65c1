"""Which column names each event."""

import pytest

from deploy.project.columns.column import look_at
from deploy.project.roles.id_column import guess_id, name_together


def column(name, values):
    return look_at(name, name, values)


NUMBERS = column("order", [f"o{number}" for number in range(40)])
PRICES = column("price", [number + 0.5 for number in range(40)])
CITIES = column("city", ["Lyon", "Nice"] * 20)


def test_it_differs_in_every_row_and_is_no_measure():
    why: dict[str, str] = {}
    assert guess_id([PRICES, CITIES, NUMBERS], "orders", why) is NUMBERS
    assert why["id"] == "its 40 values all differ"


def test_of_several_the_one_that_is_named_after_the_source_is_taken():
    receipt = column("receipt_id", [f"r{number}" for number in range(40)])
    order = column("order_id", [f"o{number}" for number in range(40)])
    found = [guess_id([receipt, order], source, {}) for source in ("orders", "receipts")]
    assert found == [order, receipt]


def test_a_few_repeats_are_said():
    why: dict[str, str] = {}
    again = column("order_id", [*(f"o{number}" for number in range(39)), "o0"])
    assert guess_id([again], "orders", why) is again
    assert why["id"] == "1 of its 40 values repeat an earlier one"


def test_there_is_none_where_values_repeat_or_are_measures():
    assert guess_id([PRICES, CITIES], "orders", {}) is None


@pytest.mark.parametrize(
    ("keys", "hours", "together"),
    [(["a", "a", "b"], [1, 2, 1], True), (["a", "a", "b"], [1, 1, 1], False), ([None, None], [1, 1], False)],
)
def test_key_and_time_name_an_event_together_where_no_two_rows_have_both(keys, hours, together):
    key = column("who", keys)
    time = column("at", [f"2026-03-01T{hour:02}:00:00Z" for hour in hours])
    assert name_together(key, time) is together
