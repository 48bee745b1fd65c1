"""Events go to their table and come back: every value to the bit, and a missing one as missing."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from shared_features.definitions import Boolean, EventSource, Field, Integer, Text
from shared_features.formats.offline_tables import ARRIVAL_DATE, ARRIVAL_TIME, OFFSET, PARTITION
from streaming.lake.events_table import dates, event_batch, event_rows, events_schema, int64, stored_type
from tests.streaming.kafka_log import batch
from tests.streaming.small_domain import PAYMENTS
from tests.taken_events import rows_of

WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
PAYMENT = st.fixed_dictionaries(
    {
        "id": st.integers(0, 2**52),
        "event_time": st.integers(-(2**52), 2**52),
        "payer": st.integers(0, 2**52),
        "shop": WORDS,
        "amount": st.integers(0, 100_000),
        "note": st.none() | WORDS,
    }
)


@given(st.lists(st.tuples(st.integers(0, 2**52), PAYMENT), max_size=6), st.integers(0, 9))
def test_what_is_stored_comes_back_with_the_same_values_and_digests(
    events: list[tuple[int, dict[str, Any]]], partition: int
) -> None:
    stored = batch(PAYMENTS, events)
    offsets, arrival_us = np.arange(len(events)) + 7, np.arange(len(events)) * 86_400_000_000
    table = event_rows(partition, offsets, arrival_us, stored)
    assert table.schema == events_schema(PAYMENTS)
    back = event_batch(PAYMENTS, table)
    assert rows_of(back) == rows_of(stored)
    assert back.digest.tolist() == stored.digest.tolist()
    assert int64(table, OFFSET).tolist() == offsets.tolist()
    assert int64(table, ARRIVAL_TIME).tolist() == arrival_us.tolist()
    assert set(table.column(PARTITION).to_pylist()) <= {partition}


def test_the_day_of_an_arrival_is_that_of_utc_also_before_1970() -> None:
    times = [datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC), datetime(2024, 3, 1, tzinfo=UTC)]
    times_us = [int(each.timestamp()) * 1_000_000 + each.microsecond for each in times]
    found = dates(np.array([*times_us, -1, 0], np.int64)).to_pylist()
    assert found == ["2024-02-29", "2024-03-01", "1969-12-31", "1970-01-01"]
    assert events_schema(PAYMENTS).field(ARRIVAL_DATE).type == pa.string()


def test_a_field_that_was_added_later_is_missing_in_older_rows() -> None:
    """As a reader of Delta gives it: a column of nulls. Its digest is that of the event before the field was added."""
    event = {"id": 1, "event_time": 5, "payer": 2, "shop": "s", "amount": 3, "note": "n"}
    old = event_rows(0, np.array([0]), np.array([5]), batch(PAYMENTS, [(5, event)]))
    grown = replace(PAYMENTS, fields=(*PAYMENTS.fields, Field("till", Integer(), optional=True)))
    back = event_batch(grown, old.append_column("till", pa.nulls(1, pa.int64())))
    assert rows_of(back)[0]["till"] is None
    assert back.digest.tolist() == event_batch(PAYMENTS, old).digest.tolist()


def test_a_column_tells_the_kind_of_its_field() -> None:
    source = EventSource("s", "s", PAYMENTS.fields, event_id="id")
    kinds = {each.name: type(stored_type(each.type)) for each in events_schema(source)}
    assert (kinds["id"], kinds["amount"], kinds["shop"]) == (Integer, Integer, Text)
    assert type(stored_type(pa.bool_())) is Boolean
