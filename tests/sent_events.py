"""What a producer's bytes say, read naively: the steps that have to be stored for them. JSON only."""

import json
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN
from decimal import Decimal as Exact
from typing import Any

from shared_features.definitions import Boolean, Decimal, EventSource, Integer, Text, Timestamp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
US = timedelta(microseconds=1)
UNITS_US = {"us": 1, "ms": 1_000, "s": 1_000_000}


def sent_row(source: EventSource, value: bytes) -> dict[str, Any]:
    """Field -> step, None where it is missing."""
    assert source.format == "json"
    event = json.loads(value, parse_float=Exact)
    return {field.name: _step(field.type, event.get(field.name)) for field in source.fields}


def _step(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, Decimal):
        return int((Exact(value) * 10**kind.decimals).quantize(Exact(1), ROUND_HALF_EVEN))
    if isinstance(kind, Timestamp) and kind.unit == "rfc3339":
        return (datetime.fromisoformat(value) - EPOCH) // US
    if isinstance(kind, Timestamp):
        return value * UNITS_US[kind.unit]
    assert isinstance(kind, Integer | Boolean | Text)
    return value
