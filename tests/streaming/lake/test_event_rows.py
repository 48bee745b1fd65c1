"""Rows of an events table become columns with positions and arrival times, and rows are taken by a mask."""

import numpy as np

from streaming.lake.event_rows import EventRows
from streaming.lake.events_table import event_rows
from tests.streaming.kafka_log import batch
from tests.streaming.small_domain import PAYMENTS
from tests.taken_events import rows_of

EVENTS = [
    (time_us, {"id": time_us, "event_time": time_us, "payer": 2, "shop": "s", "amount": 3, "note": note})
    for time_us, note in ((5, "a"), (6, None), (7, "c"))
]


def stored() -> EventRows:
    table = event_rows(4, np.array([10, 11, 13]), np.array([100, 200, 300]), batch(PAYMENTS, EVENTS))
    return EventRows.of(PAYMENTS, table)


def test_each_event_has_its_position_and_its_arrival_time() -> None:
    rows = stored()
    assert len(rows) == 3
    assert rows.partition.tolist() == [4, 4, 4]
    assert rows.offset.tolist() == [10, 11, 13]
    assert rows.arrival_us.tolist() == [100, 200, 300]
    assert rows_of(rows.batch) == rows_of(batch(PAYMENTS, EVENTS))


def test_rows_are_taken_with_all_that_belongs_to_them() -> None:
    some = stored().take(np.array([True, False, True]))
    assert some.offset.tolist() == [10, 13]
    assert some.arrival_us.tolist() == [100, 300]
    assert rows_of(some.batch) == rows_of(batch(PAYMENTS, [EVENTS[0], EVENTS[2]]))


def test_without_rows_all_columns_are_empty() -> None:
    empty = EventRows.empty(PAYMENTS)
    assert (len(empty), len(empty.batch), empty.offset.size) == (0, 0, 0)
    assert empty.partition.dtype == np.dtype(np.int32)
