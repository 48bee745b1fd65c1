"""What a field of a request accepts: in words, and by an example."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared_features.definitions import Boolean, Decimal, FeatureView, Field, Integer, Timestamp, describe_field
from shared_features.kernel.event_time import SECOND_US, to_us

EXAMPLE_TIME = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
EXAMPLE_US = to_us(EXAMPLE_TIME)

A_TIME = f'a time with an offset such as "{EXAMPLE_TIME.isoformat()}" (RFC 3339)'
_UNITS = {"us": "microseconds", "ms": "milliseconds", "s": "seconds"}


def accepted(field: Field) -> str:
    """The values that the field accepts, as the end of "write ..."."""
    return _of_type(field) + (", or null" if field.optional else "")


def _of_type(field: Field) -> str:
    kind = field.type
    if isinstance(kind, Integer):
        return f"a whole number from {kind.low} to {kind.high}"
    if isinstance(kind, Decimal):
        decimals = _counted(kind.decimals, "decimal")
        return f"a number from {kind.low:.15g} to {kind.high:.15g}, rounded to {decimals} (half to even)"
    if isinstance(kind, Boolean):
        return "true or false"
    if isinstance(kind, Timestamp):
        return A_TIME if kind.unit == "rfc3339" else f"a whole number of {_UNITS[kind.unit]} since 1970-01-01 UTC"
    return f"a text of at most {_counted(kind.max_length, 'character')}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def described(field: Field) -> str:
    """What the field is, as its definition says. Empty where the definition says nothing."""
    return str(describe_field(field)) if field.description or field.unit else ""


def example_value(field: Field) -> Any:
    """A value that the field accepts."""
    kind = field.type
    if isinstance(kind, Integer):
        return max(kind.low, min(kind.high, 42))
    if isinstance(kind, Decimal):
        return round(max(kind.low, min(kind.high, 25.5)), kind.decimals)
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, Timestamp):
        divisors = {"us": 1, "ms": 1000, "s": SECOND_US}
        return EXAMPLE_TIME.isoformat() if kind.unit == "rfc3339" else EXAMPLE_US // divisors[kind.unit]
    return "example"[: kind.max_length]


def example_request(view: FeatureView) -> dict[str, Any]:
    """A whole request that the view accepts."""
    instance = {field.name: example_value(field) for field in view.request_fields}
    return {"instances": [instance], "include_features": True}


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
