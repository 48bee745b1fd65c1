"""No record is lost, and the record alone decides: acceptance, and whose stamp counts."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features.definitions import Field, Timestamp
from shared_features.kernel.event_time import MINUTE_US, SECOND_US, seconds
from streaming.kafka.records.record_reader import CREATE_TIME, LOG_APPEND_TIME, RecordReader, Records, StampRule
from tests.streaming.small_domain import PAYMENTS

NOW_MS = 1_700_000_000_000
LIVE = StampRule("live")


def records(values, stamps_ms=None, stamp_type=LOG_APPEND_TIME):
    count = len(values)
    stamps = np.full(count, NOW_MS, np.int64) if stamps_ms is None else np.array(stamps_ms, np.int64)
    offsets = np.arange(10, 10 + count)
    types = np.full(count, stamp_type, np.int64)
    return Records("payments", 3, offsets, stamps, types, values, lambda row: b"key %d" % row)


def payment(number=1, time_us=NOW_MS * 1000, amount=1.5, **more):
    event = {"id": number, "event_time": time_us, "payer": 7, "shop": "baker", "amount": amount, **more}
    return json.dumps(event, allow_nan=True).encode()


scribbles = (
    st.none()
    | st.binary(max_size=20)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=3), st.lists, max_leaves=5).map(
        lambda value: json.dumps(value).encode()
    )
)
payments = st.builds(
    payment,
    number=st.integers(-1, 2**70),
    time_us=st.integers(NOW_MS * 1000 - SECOND_US, NOW_MS * 1000 + MINUTE_US) | st.integers(-(2**70), 2**70),
    amount=st.floats() | st.integers() | st.text(max_size=2) | st.none(),
    note=st.none() | st.text(max_size=300) | st.integers(),
)
stamps = st.integers(NOW_MS - 2, NOW_MS + 2) | st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.lists(st.tuples(scribbles | payments, stamps), max_size=4), min_size=1, max_size=4), st.booleans())
def test_partitions_that_are_read_at_once_read_as_each_alone(taken, good):
    reader = RecordReader(PAYMENTS, LIVE)
    parts = []
    for number, some in enumerate(taken):
        values = [payment(9) if good else value for value, _ in some]
        stamps_ms = [NOW_MS + row % 3 if good else stamp for row, (_, stamp) in enumerate(some)]
        parts.append(replace(records(values, stamps_ms), partition=number))
    for together, alone in zip(reader.read_all(parts), map(reader.read, parts), strict=True):
        assert (together.offsets.tolist(), together.dead) == (alone.offsets.tolist(), alone.dead)
        assert together.record_time_us == alone.record_time_us
        assert together.events.digest.tolist() == alone.events.digest.tolist()
        assert together.events.record_time_us.tolist() == alone.events.record_time_us.tolist()


def test_few_records_of_several_partitions_are_decoded_at_once(monkeypatch):
    reader, decoded = RecordReader(PAYMENTS, LIVE), list[int]()
    decode = reader._decoder.decode

    def noted(values):
        decoded.append(len(values))
        return decode(values)

    monkeypatch.setattr(reader._decoder, "decode", noted)
    reader.read_all([records([payment(1), payment(2)]), records([payment(3)])])
    assert decoded == [3]


@given(
    st.lists(st.tuples(scribbles | payments, stamps), max_size=12), st.sampled_from([CREATE_TIME, LOG_APPEND_TIME, 0])
)
def test_every_record_comes_out_once(taken, stamp_type):
    given_records = records([value for value, _ in taken], [stamp for _, stamp in taken], stamp_type)
    read = RecordReader(PAYMENTS, LIVE).read(given_records)
    offsets = read.offsets.tolist() + [letter.offset for letter in read.dead]
    assert sorted(offsets) == given_records.offsets.tolist()
    assert len(read.events) == len(read.offsets)
    assert read.events.acceptable.all()
    assert all(letter.reason.endswith(f"(topic payments, partition 3, offset {letter.offset})") for letter in read.dead)


@given(st.integers(0, 2**52), st.integers(0, 100_000), st.text(max_size=20), st.none() | st.text(max_size=256))
def test_a_well_formed_event_comes_through_as_it_was_written(number, cents, shop, note):
    read = RecordReader(PAYMENTS, LIVE).read(records([payment(number, amount=cents / 100, shop=shop, note=note)]))
    assert not read.dead
    found = {name: column.tolist()[0] for name, column in read.events.columns.items()}
    assert found == {"id": number, "event_time": NOW_MS * 1000, "payer": 7, "shop": shop, "amount": cents, "note": note}


def test_a_dead_letter_keeps_position_reason_key_and_value():
    value = payment(amount="2")
    (letter,) = RecordReader(PAYMENTS, LIVE).read(records([payment(), value])).dead
    assert letter.reason == "expected number, got string - at $.amount (topic payments, partition 3, offset 11)"
    assert (letter.offset, letter.key, letter.value) == (11, b"key 1", value)
    assert letter.record_time_us == NOW_MS * 1000 + 999


def test_the_end_of_the_brokers_millisecond_plus_the_tolerance_is_the_last_accepted_instant():
    last_us = NOW_MS * 1000 + 999 + PAYMENTS.tolerated_future_us
    read = RecordReader(PAYMENTS, LIVE).read(records([payment(time_us=last_us), payment(time_us=last_us + 1)]))
    assert read.offsets.tolist() == [10]
    assert read.dead[0].reason.startswith("from the future: 2023-11-14T22:13:26.001")


IN_MILLISECONDS = replace(
    PAYMENTS, fields=(PAYMENTS.fields[0], Field("event_time", Timestamp("ms")), *PAYMENTS.fields[2:])
)


@pytest.mark.parametrize(
    ("source", "sent", "reads", "says"),
    [
        (IN_MILLISECONDS, NOW_MS // 1000, "1970-01-20T16:13:20Z", "in seconds it is 2023-11-14T22:13:20Z"),
        (PAYMENTS, NOW_MS, "1970-01-20T16:13:20Z", "in milliseconds it is 2023-11-14T22:13:20Z"),
        (PAYMENTS, NOW_MS // 1000, "1970-01-01T00:28:20Z", "in seconds it is 2023-11-14T22:13:20Z"),
    ],
)
def test_a_time_in_another_unit_is_a_dead_letter_that_names_the_unit(source, sent, reads, says):
    """It was stored as 1970 and counted nowhere."""
    (letter,) = RecordReader(source, LIVE).read(records([payment(time_us=sent)])).dead
    assert letter.reason == (
        f"from the past: {reads} is more than 10950 d before its record time 2023-11-14T22:13:20.000999Z; {says} - at "
        "$.event_time (topic payments, partition 3, offset 10)"
    )


def test_a_history_of_decades_is_accepted_and_one_instant_beyond_the_bound_is_not():
    oldest_us = NOW_MS * 1000 + 999 - PAYMENTS.tolerated_past_us
    read = RecordReader(PAYMENTS, LIVE).read(records([payment(time_us=oldest_us), payment(time_us=oldest_us - 1)]))
    assert read.offsets.tolist() == [10]
    assert read.dead[0].reason.startswith("from the past: 1993-11-21T22:13:20.000998Z is more than 10950 d before")
    assert "; in " not in read.dead[0].reason


def test_a_source_says_itself_how_old_its_events_may_be():
    fresh = replace(PAYMENTS, tolerated_past=seconds(60))
    endless = replace(PAYMENTS, tolerated_past=timedelta.max)
    times_us = [NOW_MS * 1000 - 61 * SECOND_US, NOW_MS * 1000, -(2**51)]
    taken = records([payment(time_us=time_us) for time_us in times_us])
    assert RecordReader(fresh, LIVE).read(taken).offsets.tolist() == [11]
    assert RecordReader(endless, LIVE).read(taken).offsets.tolist() == [10, 11, 12]


@pytest.mark.parametrize(
    ("rule", "stamp_type", "stamp_ms", "newest_us"),
    [
        (LIVE, LOG_APPEND_TIME, NOW_MS, NOW_MS * 1000 + 999),
        (LIVE, CREATE_TIME, NOW_MS, None),
        (LIVE, 0, -1, None),
        (StampRule("import", NOW_MS * 1000), CREATE_TIME, NOW_MS, NOW_MS * 1000),
        (StampRule("import", NOW_MS * 1000), CREATE_TIME, NOW_MS + 1, None),
        (StampRule("import", NOW_MS * 1000), LOG_APPEND_TIME, NOW_MS + 1, (NOW_MS + 1) * 1000 + 999),
        (StampRule("embedded"), CREATE_TIME, NOW_MS + 1, (NOW_MS + 1) * 1000),
        (StampRule("embedded"), CREATE_TIME, 2**62, None),
    ],
)
def test_only_the_clock_that_the_mode_allows_may_stamp(rule, stamp_type, stamp_ms, newest_us):
    read = RecordReader(PAYMENTS, rule).read(records([payment()], [stamp_ms], stamp_type))
    assert len(read.dead) == (newest_us is None)
    assert read.record_time_us == (-1 if newest_us is None else newest_us)  # a refused stamp moves no maximum
    assert all(letter.record_time_us == -1 for letter in read.dead)
