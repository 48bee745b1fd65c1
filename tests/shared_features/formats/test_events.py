"""The wall "events": what a digest stands for, and which events a record's own time lets in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features.formats.entity_keys import entity_keys, key_texts, shards_of
from shared_features.formats.events import EventBatch, concatenate, record_time_us
from tests.domains.machines import MACHINE, PLANT, READINGS


def batch(rows: list[dict[str, object]]) -> EventBatch:
    """Readings from dictionaries of already scaled values; None where an optional field is missing."""

    def column(name: str) -> np.ndarray:
        values = [row.get(name) for row in rows]
        if READINGS.field(name).is_text:
            return np.array([*values, None], object)[:-1]
        return np.array([0 if value is None else value for value in values], np.int64)

    optional = [field.name for field in READINGS.fields if field.optional]
    return EventBatch(
        READINGS,
        {field.name: column(field.name) for field in READINGS.fields},
        {name: np.array([row.get(name) is not None for row in rows]) for name in optional},
        np.array([row["record_time_us"] for row in rows], np.int64),
    )


READING = {
    "reading": "r1", "at": 1_000_000, "plant": "north", "machine": "m|1", "celsius": 215,
    "humidity": 500, "firmware": "a", "record_time_us": 2_000_000,
}  # fmt: skip


def test_equal_content_has_an_equal_digest_whatever_the_record_says() -> None:
    twice = batch([READING, {**READING, "record_time_us": 9_000_000}])
    assert twice.digest[0] == twice.digest[1]


def test_every_field_counts_in_the_digest() -> None:
    changed: list[dict[str, object]] = [
        {**READING, "reading": "r2"}, {**READING, "at": 1_000_001}, {**READING, "plant": "south"},
        {**READING, "machine": "m"}, {**READING, "celsius": 216}, {**READING, "humidity": 0},
        {**READING, "humidity": None}, {**READING, "firmware": None}, {**READING, "firmware": ""},
    ]  # fmt: skip
    digests = batch([READING, *changed]).digest
    assert len(set(digests.tolist())) == len(digests)


def test_fields_that_trade_their_contents_do_not_trade_digests() -> None:
    digests = batch([{**READING, "plant": "x", "machine": "y"}, {**READING, "plant": "y", "machine": "x"}]).digest
    assert digests[0] != digests[1]


def test_digests_never_change_between_releases() -> None:
    """They are stored in the online state: another value would let a duplicate through after an upgrade."""
    assert batch([READING, {**READING, "humidity": None}]).digest.tolist() == GOLDEN


GOLDEN = [7186431514333874037, 10767517659885067504]


def test_an_event_is_acceptable_up_to_the_tolerated_future_of_its_own_record() -> None:
    at = 100_000_000
    edge = at + READINGS.tolerated_future_us
    rows = [{**READING, "at": edge, "record_time_us": at}, {**READING, "at": edge + 1, "record_time_us": at}]
    assert batch(rows).acceptable.tolist() == [True, False]


def test_an_event_is_acceptable_down_to_the_tolerated_past_of_its_own_record() -> None:
    at = READINGS.tolerated_past_us + 100
    rows = [{**READING, "at": 100, "record_time_us": at}, {**READING, "at": 99, "record_time_us": at}]
    assert batch(rows).acceptable.tolist() == [True, False]


def test_record_time_is_the_end_of_the_millisecond_the_broker_floored() -> None:
    assert record_time_us(np.array([5, 5]), np.array([True, False])).tolist() == [5999, 5000]


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), min_size=1, unique=True))
def test_different_keys_of_two_fields_are_spelled_differently(pairs: list[tuple[str, str]]) -> None:
    events = batch([{**READING, "plant": plant, "machine": machine} for plant, machine in pairs])
    texts = key_texts(entity_keys(MACHINE, READINGS, events.columns))
    assert len(set(texts)) == len(pairs)


def test_a_key_keeps_its_shard() -> None:
    events = batch([{**READING, "plant": name} for name in ("a", "b", "c", "d", "e", "a")])
    shards = shards_of(entity_keys(PLANT, READINGS, events.columns), 3)
    assert shards[0] == shards[5]
    assert set(shards.tolist()) <= {0, 1, 2}


def test_taking_and_joining_rows_keeps_them() -> None:
    events = batch([{**READING, "reading": str(index)} for index in range(5)])
    joined = concatenate([events.take(np.array([3, 4])), events.take(np.arange(5) < 3)])
    assert joined.columns["reading"].tolist() == ["3", "4", "0", "1", "2"]
    assert joined.digest.tolist() == events.digest[[3, 4, 0, 1, 2]].tolist()
