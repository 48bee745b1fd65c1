"""Which events a group takes and what it takes of them, over plain stored rows: the specification beside the oracle."""

import operator
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from shared_features.definitions import EventSource, FeatureGroup
from tests.oracle import Event, mix

COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq}
US = timedelta(microseconds=1)
Row = Mapping[str, Any]


def rows_of(batch: Any) -> list[Row]:
    """The events of a batch, one dictionary each; None where a value is missing. And when the record was stamped."""
    columns = {name: column.tolist() for name, column in batch.columns.items()}
    for name, valid in batch.valid.items():
        columns[name] = [value if there else None for value, there in zip(columns[name], valid.tolist(), strict=True)]
    columns["record_time_us"] = batch.record_time_us.tolist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def identity(source: EventSource, row: Row) -> tuple[Any, ...]:
    """One event, however often it is delivered: its source, its id, and all that it says."""
    return source.name, *((field.name, row[field.name]) for field in source.fields if row[field.name] is not None)


def entity_key(group: FeatureGroup, row: Row) -> str:
    return "|".join(str(row[name]).replace("\\", "\\\\").replace("|", "\\|") for name in group.entity.keys)


def taken(group: FeatureGroup, source: EventSource, rows: Iterable[Row]) -> Iterator[tuple[int, str, Event]]:
    """(index of the row, key of the entity, event) of each row that the group takes."""
    for index, row in enumerate(rows):
        if _takes(group, source, row):
            named = identity(source, row)
            stored = [row[name] for name in group.columns]
            values = tuple(0 if value is None else code(value) if isinstance(value, str) else value for value in stored)
            valid = tuple(value is not None for value in stored)
            digest = digest_of(named, several=len(group.sources) > 1)
            yield index, entity_key(group, row), Event(row[source.event_time], digest, values, valid, named)


def _takes(group: FeatureGroup, source: EventSource, row: Row) -> bool:
    at_us, record_us = row[source.event_time], row["record_time_us"]
    if not -source.tolerated_past / US <= at_us - record_us <= source.tolerated_future / US:
        return False
    if all(at_us < (record_us - each.length_us) // each.hop_us * each.hop_us for each in group.layout.features):
        return False
    return all(_meets(source, row[each.column], each) for each in group.where)


def _meets(source: EventSource, value: Any, condition: Any) -> bool:
    if value is None:
        return False
    if not isinstance(value, str):
        value = Decimal(value) / 10 ** source.field(condition.column).type.step_decimals
    wanted = condition.value if isinstance(condition.value, str) else Decimal(str(float(condition.value)))
    return value != wanted if condition.operator == "!=" else bool(COMPARE[condition.operator](value, wanted))


@lru_cache(1 << 16)
def digest_of(named: tuple[Any, ...], *, several: bool) -> int:
    """The digest that is stored for an event, word by word: ties of `First` and `Last` are broken by it."""
    source, *fields = named
    word = 1
    for name, value in fields:
        word = _then(word, (text_hash(value) if isinstance(value, str) else mix(int(value) % 2**64)) ^ text_hash(name))
    return _then(word, text_hash(source)) if several else word


def code(text: str) -> int:
    """A text as the number that a group keeps of it."""
    return text_hash(text) % 2**52


@lru_cache(1 << 16)
def text_hash(text: str) -> int:
    raw = text.encode()
    word = mix(len(raw))
    for at in range(0, len(raw), 8):
        word = mix(word ^ int.from_bytes(raw[at : at + 8], "little"))
    return word


def _then(word: int, part: int) -> int:
    return mix((word * 0x9E3779B97F4A7C15 + part) % 2**64)
