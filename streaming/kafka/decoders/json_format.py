"""JSON: one object per record."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from shared_features.definitions import EventSource
from streaming.kafka.decoders.event_decoder import EventFormat
from streaming.kafka.decoders.struct_decoder import StructDecoder, reason

_MOST_SHOWN = 40
_NOT_A_NUMBER = re.compile(rb'"(\w+)"\s*:\s*(-?(?:NaN|Infinity|nan|inf)\b)')


def _decoder(source: EventSource) -> StructDecoder:
    return StructDecoder(source, lambda event: msgspec.json.Decoder(event).decode, _reason)


def _reason(value: bytes | None, error: Exception) -> str:
    said = reason_of(value, error)
    return f"{said}{_inside(value)}" if value and said.startswith("missing required field") else said


def _inside(value: bytes) -> str:
    """That values stand in objects inside the object, which this format does not look into."""
    fields = _fields(value) or {}
    objects = [name for name, each in fields.items() if isinstance(each, Mapping)]
    if not objects:
        return ""
    return f'; {objects[0][:_MOST_SHOWN]} is an object: give the source format="nested_json" to read what is in it'


def reason_of(value: bytes | None, error: Exception) -> str:
    """Why a value is not an event."""
    malformed = isinstance(error, msgspec.DecodeError) and not isinstance(error, msgspec.ValidationError)
    if value and malformed and (number := _NOT_A_NUMBER.search(value)):
        return f"expected number, got {number.group(2).decode()} - at $.{number.group(1).decode()}"
    return reason(value, error, "JSON")


def _fields(value: bytes) -> Mapping[str, Any] | None:
    try:
        plain = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return plain if isinstance(plain, Mapping) else None


JSON = EventFormat(_decoder, _fields, msgspec.json.Encoder(decimal_format="number").encode)
