"""A column that the first rows lack is found where it first appears, and one that no field takes is remembered."""

import json
from dataclasses import replace

import pytest

from shared_features import EventSource, Field, Text, Timestamp
from streaming.errors import RefusedError
from streaming.kafka.decoders.registry import FORMATS, event_format
from streaming.operations.produce.rows.row_encoder import Reading, RowEncoder

NOTES = EventSource(
    name="notes",
    topic="lab.notes",
    fields=(
        Field("note", Text(max_length=20)),
        Field("at", Timestamp("ms")),
        Field("author", Text(max_length=20), optional=True),
        Field("seen_at", Timestamp("ms"), optional=True),
    ),
    event_id="note",
    event_time="at",
)
FIRST = {"note": "a", "at": 1_700_000_000_000}


def test_an_optional_field_that_first_appears_after_the_sample_is_sent():
    encoder = RowEncoder(NOTES, ("note",), [FIRST], Reading({}))
    late = FIRST | {"Author": "eve", "seen_at": 1_700_000_060}
    assert json.loads(encoder.encode(late)[2]) == FIRST | {"author": "eve", "seen_at": 1_700_000_060_000}
    assert json.loads(encoder.encode(FIRST)[2]) == FIRST
    assert encoder.late == []


def test_a_missing_value_does_not_settle_what_a_late_column_means():
    encoder = RowEncoder(NOTES, ("note",), [FIRST], Reading({}))
    encoder.encode(FIRST | {"seen_at": None})
    late = FIRST | {"seen_at": 1_700_000_060}
    assert json.loads(encoder.encode(late)[2])["seen_at"] == 1_700_000_060_000


def test_a_late_column_that_no_field_takes_is_told():
    encoder = RowEncoder(NOTES, ("note",), [FIRST], Reading({}))
    encoder.encode(FIRST | {"colour": "red", "Note": "b"})
    assert encoder.late == ["colour", "Note"]


def test_a_row_is_known_at_its_event_time_or_so_long_after_it_or_after_its_column():
    at_us, hour_us = 1_700_000_000_000_000, 3_600_000_000
    row = FIRST | {"noted": at_us // 1000 + 5_000}
    for reading, known_us in (
        (Reading({}), at_us),
        (Reading({}, known_after_us=hour_us), at_us + hour_us),
        (Reading({}, arrival="noted", known_after_us=hour_us), at_us + 5_000_000 + hour_us),
        (Reading({}, known_after_us=hour_us, moved_us=7), at_us + hour_us + 7),
    ):
        assert RowEncoder(NOTES, ("note",), [row], reading).encode(row)[0] == known_us


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_sent_in_a_format_of_ours_is_what_its_decoder_reads(name):
    source = replace(NOTES, format=name)
    value = RowEncoder(source, ("note",), [FIRST], Reading({})).encode(FIRST)[2]
    decoded = event_format(name).decoder(source).decode([value])
    assert decoded.faults == []
    assert decoded.columns["note"].tolist() == ["a"]
    assert decoded.columns["at"].tolist() == [1_700_000_000_000_000]


def test_a_format_without_an_encoder_is_refused_with_what_to_do():
    source = replace(NOTES, format="tests.streaming.other_formats.csv_domain:CSV")
    with pytest.raises(RefusedError, match="its EventFormat has no `encode`"):
        RowEncoder(source, ("note",), [FIRST], Reading({}))
