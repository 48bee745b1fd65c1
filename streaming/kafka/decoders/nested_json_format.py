"""JSON whose objects hold objects: `{"http": {"method": "GET"}}` is the field `http_method`.

The values inside stay as they are written, so no digit of a number is lost. An object without another one inside is
read as plain JSON is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from shared_features.definitions import EventSource
from streaming.kafka.decoders.event_decoder import EventFormat
from streaming.kafka.decoders.field_spelling import spelling
from streaming.kafka.decoders.json_format import JSON, reason_of
from streaming.kafka.decoders.struct_decoder import StructDecoder

NAME = "nested_json"
_NAMES_KEPT = 10_000
_OBJECT = ord("{")
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def flat(value: bytes, name_of: Callable[[str], str] = spelling) -> bytes:
    """The same values in one object. name_of: the name for a path such as `http.method`.

    Raises msgspec.MsgspecError for what is not JSON, and ValueError for two values of one name.
    """
    found: dict[str, msgspec.Raw] = {}
    for path, raw in _values(_object(value), ""):
        name = name_of(path) if "." in path else path
        if name in found:
            raise ValueError(f"two values for the field {name}, one of them at $.{path}")
        found[name] = raw
    return _encode(found)


def _values(of: Mapping[str, msgspec.Raw], under: str) -> Iterator[tuple[str, msgspec.Raw]]:
    for name, raw in of.items():
        if memoryview(raw)[0] == _OBJECT:
            yield from _values(_object(raw), f"{under}{name}.")
        else:
            yield f"{under}{name}", raw


def _decoder(source: EventSource) -> StructDecoder:
    fields = {spelling(field.name): field.name for field in source.fields}

    @lru_cache(_NAMES_KEPT)
    def name_of(path: str) -> str:
        return fields.get(spelling(path), spelling(path))

    def typed(event: type) -> Callable[[Any], Any]:
        decode: Callable[[Any], Any] = msgspec.json.Decoder(event).decode
        return lambda value: decode(value if not value or value.count(b"{") == 1 else flat(value, name_of))

    return StructDecoder(source, typed, reason_of)


def _fields(value: bytes) -> Mapping[str, Any] | None:
    try:
        plain = json.loads(flat(value))
    except (ValueError, RecursionError):
        return None
    return plain if isinstance(plain, Mapping) else None


NESTED_JSON = EventFormat(_decoder, _fields, JSON.encode)
