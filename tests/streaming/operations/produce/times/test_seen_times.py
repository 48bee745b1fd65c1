"""What rows say of their times: a row far ahead of all others is not the newest one, and a pause is no fault."""

import pytest

from shared_features.kernel.event_time import DAY_US, HOUR_US
from streaming.operations.produce.times.seen_times import SeenTimes, newest_of

BEGAN_US = 1_790_000_000_000_000 // HOUR_US * HOUR_US


def seen(*times_us):
    found = SeenTimes()
    for each in times_us:
        found.note(each)
    return found


def every(step_us, count, began_us=BEGAN_US):
    return [began_us + step_us * at for at in range(count)]


def test_the_newest_row_is_the_newest_to_the_microsecond():
    found = seen(BEGAN_US + 7, BEGAN_US, BEGAN_US + 3)
    assert (found.earliest_us, found.newest) == (BEGAN_US, (BEGAN_US + 7, 0, BEGAN_US + 7))
    assert seen().newest is None


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("ahead_us", [4 * DAY_US, 300 * DAY_US, 26_000 * DAY_US])
def test_one_row_far_ahead_is_a_straggler(place, ahead_us):
    rows = every(HOUR_US // 4, 60 * 96)
    far_us = rows[-1] + ahead_us
    found = seen(*([far_us, *rows] if place == "first" else [*rows, far_us]))
    assert found.newest == (rows[-1], 1, far_us)
    assert found.after(rows[-1]) == (1, far_us)


def test_one_of_a_thousand_may_be_one():
    rows = every(60_000_000, 5_000)
    far = [rows[-1] + each * DAY_US for each in (30, 30, 31, 900)]
    assert seen(*rows, *far).newest == (rows[-1], 4, far[-1])
    many = [rows[-1] + 30 * DAY_US + each for each in range(8)]
    assert seen(*rows, *many).newest == (many[-1], 0, many[-1]), "so many are no mistake"


@pytest.mark.parametrize(
    "rows",
    [
        [*every(60_000_000, 600), BEGAN_US + DAY_US],  # a pause of less than a day
        [*every(DAY_US, 40), BEGAN_US + 45 * DAY_US],  # a pause as there are others
        [*every(30 * DAY_US, 60), BEGAN_US + 1_900 * DAY_US],  # a row a month
        [*every(HOUR_US, 10_500), BEGAN_US + 10_500 * HOUR_US + 10 * DAY_US],  # an outcome ten days after the last row
        [*every(HOUR_US, 12), BEGAN_US + 900 * DAY_US],  # too few rows to tell
    ],
)
def test_a_row_after_a_pause_is_the_newest(rows):
    assert seen(*rows).newest == (rows[-1], 0, rows[-1])


def test_two_files_are_looked_at_together():
    orders, outcomes = seen(*every(HOUR_US, 800)), seen(*every(HOUR_US, 800, BEGAN_US + 20 * DAY_US))
    last_us = BEGAN_US + 20 * DAY_US + 799 * HOUR_US
    assert newest_of([orders, outcomes]) == (last_us, 0, last_us)
    outcomes.note(last_us + 900 * DAY_US)
    assert newest_of([outcomes, orders]) == (last_us, 1, last_us + 900 * DAY_US)
    assert (orders.after(last_us)[0], outcomes.after(last_us)[0]) == (0, 1)
