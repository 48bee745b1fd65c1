"""MessagePack (https://msgpack.org): one map per record. A time may be RFC 3339 text or a timestamp of MessagePack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shared_features.definitions import EventSource
from streaming.kafka.decoders.event_decoder import EventFormat
from streaming.kafka.decoders.struct_decoder import StructDecoder, reason


def _decoder(source: EventSource) -> StructDecoder:
    return StructDecoder(source, lambda event: msgspec.msgpack.Decoder(event).decode, _reason)


def _reason(value: bytes | None, error: Exception) -> str:
    return reason(value, error, "MessagePack")


def _fields(value: bytes) -> Mapping[str, Any] | None:
    try:
        plain = msgspec.msgpack.decode(value)
    except (ValueError, RecursionError):
        return None
    return plain if isinstance(plain, Mapping) else None


MESSAGEPACK = EventFormat(_decoder, _fields, msgspec.msgpack.Encoder(decimal_format="number").encode)
