"""A field type is one class: a type that nobody knows goes through the stream, the lake, training and a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from serving.errors import InvalidRequestError
from serving.request.request_body import RequestBody
from shared_features import (
    Aggregate,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    Max,
    Text,
    Timestamp,
    days,
)
from shared_features.definitions import describe_field, difference, events_difference
from shared_features.definitions.changes.definition_texts import definition_text
from shared_features.definitions.field_types import FieldType
from shared_features.errors import DefinitionError
from shared_features.feature_matrix import request_floats
from shared_features.formats.events import EventBatch
from streaming.kafka.decoders.registry import decoder_of
from streaming.lake.events_table import event_batch, event_rows
from training.datasets.offline_store import event_columns


@dataclass(frozen=True, slots=True)
class ClockTime(FieldType):
    """A time of day, written as in "09:30" and kept as minutes since midnight."""

    latest: int = 24 * 60 - 1

    @property
    def wire(self) -> Any:
        return Annotated[str, msgspec.Meta(pattern=r"^\d\d:\d\d$")]

    @property
    def schema_says_all(self) -> bool:
        return False

    @property
    def blank(self) -> Any:
        return "00:00"

    def column(self, values: Iterable[Any], count: int) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        minutes = np.fromiter((60 * int(value[:2]) + int(value[3:]) for value in values), np.int64, count)
        return minutes, minutes > self.latest

    def refusal(self, value: Any) -> str:
        return f"later than minute {self.latest} of the day: {value}"

    @property
    def words(self) -> str:
        return "Time of day"

    @property
    def accepts(self) -> str:
        return 'a time of day such as "09:30"'

    @property
    def example(self) -> Any:
        return "09:30"


SHOPS = EventSource(
    "shops",
    "shops",
    (
        Field("id", Text()),
        Field("event_time", Timestamp()),
        Field("opens", ClockTime()),
        Field("closes", ClockTime(), optional=True),
    ),
    event_id="id",
)
SHOP = FeatureGroup("shop", 1, Entity("shop", ("id",)), (SHOPS,), (Aggregate("opens", Max(), (days(1),)),))
VIEW = FeatureView("shops", 1, SHOPS, ("opens", "closes", SHOP))
GOOD = b'{"id":"a","event_time":5,"opens":"09:30","closes":"18:00"}'
OPEN = b'{"id":"b","event_time":6,"opens":"00:01"}'
LATE = GOOD.replace(b"18:00", b"25:00")


def batch() -> EventBatch:
    decoded = decoder_of(SHOPS).decode([GOOD, OPEN])
    return EventBatch(SHOPS, decoded.columns, decoded.valid, np.array([5, 6], np.int64))


def test_the_stream_reads_it_and_says_what_is_no_value() -> None:
    assert batch().columns["opens"].tolist() == [570, 1]
    assert batch().valid["closes"].tolist() == [True, False]
    faults = decoder_of(SHOPS).decode([LATE, GOOD.replace(b'"09:30"', b"9")]).faults
    assert [each.reason for each in faults] == [
        "later than minute 1439 of the day: 25:00 - at $.closes",
        "expected string, got integer - at $.opens",
    ]


def test_the_lake_keeps_it_and_training_reads_the_same() -> None:
    rows = event_rows(0, np.array([0, 1], np.int64), np.array([5, 6], np.int64), batch())
    again = event_batch(SHOPS, rows)
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    columns, valid = event_columns(SHOPS, frame, ["opens", "closes"])
    for name in ("opens", "closes"):
        assert again.columns[name].tolist() == columns[name].tolist() == batch().columns[name].tolist()
    assert again.valid["closes"].tolist() == valid["closes"].tolist() == [True, False]
    assert again.digest.tolist() == batch().digest.tolist()


def test_a_request_takes_what_the_stream_takes() -> None:
    body = RequestBody(VIEW, 2)
    request = body.columns(body.decode(b'{"instances":[%s,%s]}' % (asked(GOOD), asked(OPEN))).instances)
    wanted = request_floats(SHOPS, batch().columns, batch().valid)
    for name, found in request_floats(SHOPS, request.columns, request.valid).items():
        assert found.tobytes() == wanted[name].tobytes()
    with pytest.raises(InvalidRequestError) as caught:
        body.decode(b'{"instances":[%s]}' % asked(LATE))
    assert caught.value.extra["path"] == "$.instances[0].closes"
    assert 'expected a time of day such as "09:30"' in str(caught.value)


def asked(event: bytes) -> bytes:
    """What a request says of an event: the view's own fields."""
    names = {field.name for field in VIEW.request_fields}
    return msgspec.json.encode({name: each for name, each in msgspec.json.decode(event).items() if name in names})


def test_people_read_what_it_says_of_itself() -> None:
    assert str(describe_field(SHOPS.field("opens"))) == "Time of day"
    schema = str(msgspec.json.schema(RequestBody(VIEW, 2).type))
    assert r"^\\d\\d:\\d\\d$" in schema
    assert 'Write a time of day such as "09:30".' in schema


def test_its_options_are_part_of_the_meaning() -> None:
    early = replace(SHOPS, fields=(*SHOPS.fields[:2], Field("opens", ClockTime(latest=720)), SHOPS.fields[3]))
    now = replace(SHOP, sources=(early,))
    assert now.fingerprint != SHOP.fingerprint
    assert "field opens: latest 1439 -> 720" in difference(definition_text(SHOP), now)
    assert events_difference(SHOPS.text, early) == ""  # no stored minute means something else


def test_a_field_without_a_type_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"type is the class ClockTime; write ClockTime\(\)"):
        Field("opens", ClockTime)  # type: ignore[arg-type]  # the class, where an object of it is meant
