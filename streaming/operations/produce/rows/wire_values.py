"""From a value of a file to the value that a producer writes for a field.

Only a reading that nobody can doubt is made: "12.50" is a number for a Decimal. Every other value is sent as it is, so
that the decoder of the stream says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal as Exact
from itertools import pairwise
from typing import Any

import msgspec

from shared_features.definitions.field_types import Boolean, Decimal, FieldType, Integer, Text, Timestamp
from shared_features.kernel.event_time import to_text, to_us

Convert = Callable[[Any], Any]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_WITH_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}([.\s']\d{3})+),\d+")
_MISSING = {"", "nan", "null", "none", "na", "n/a", r"\n"}
_TRUTHS = dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True)
_TRUTHS |= dict.fromkeys(("false", "f", "no", "n", "0", "0.0"), False)
_EXACT_FLOAT = 1 << 53
_UNIT_US = {"s": Exact(1_000_000), "ms": Exact(1_000), "us": Exact(1), "ns": Exact("0.001")}
_FROM = (("s", 1e8), ("ms", 1e11), ("us", 1e14), ("ns", 1e17), ("", 1e20))


def converter(kind: FieldType, zone: tzinfo, epoch: str) -> Convert:
    """The conversion for a field. zone: of times that name none. epoch: the unit of times that are numbers."""
    if isinstance(kind, Timestamp):
        return lambda value: _as_timestamp(value, kind.unit, zone, epoch)
    for its_type, convert in ((Integer, _integer), (Decimal, _decimal), (Boolean, _boolean), (Text, _text)):
        if isinstance(kind, its_type):
            return convert
    return lambda value: value


def instant_us(value: Any, zone: tzinfo, epoch: str) -> int | None:
    """The instant that a value names; None where it names none. What is finer than a microsecond is cut."""
    if isinstance(value, str):
        value = value.strip()
        number = _number(value)
        if number is None:
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return None
        else:
            value = number
    if isinstance(value, datetime):
        return to_us(value if value.tzinfo is not None else value.replace(tzinfo=zone))
    if isinstance(value, date):
        return to_us(datetime.combine(value, time(), zone))
    if isinstance(value, bool) or not isinstance(value, int | float | Exact):
        return None
    try:
        return int((Exact(str(value)) * _UNIT_US[epoch]).to_integral_value("ROUND_FLOOR"))
    except (ArithmeticError, ValueError):
        return None


def epoch_unit(values: Iterable[Any]) -> str | None:
    """The unit of numbers that are times, from their size: years 1973 to 5138 overlap in no two units.

    None where they are not numbers, or too small.
    """
    numbers = sorted(abs(float(each)) for each in values if each is not None and _is_number(each))
    middle = numbers[len(numbers) // 2] if numbers else 0.0
    for (unit, least), (_, beyond) in pairwise(_FROM):
        if least <= middle < beyond:
            return unit
    return None


def with_point(value: Any) -> Any:
    """A number that is written with a decimal comma, as a text with a point. Anything else as it is.

    >>> with_point("1.234,50"), with_point("12,5"), with_point("1.5"), with_point("a,b")
    ('1234.50', '12.5', '1.5', 'a,b')
    """
    if isinstance(value, str) and _WITH_COMMA.fullmatch(value.strip()):
        return re.sub(r"[.\s']", "", value.strip()).replace(",", ".")
    return value


def has_decimal_comma(value: Any) -> bool:
    """Whether a value is a text that reads as a number once its comma is a point."""
    return isinstance(value, str) and _WITH_COMMA.fullmatch(value.strip()) is not None


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return _number(value.strip()) is not None
    return isinstance(value, int | float | Exact) and not isinstance(value, bool)


def _number(text: str) -> Exact | None:
    return Exact(text) if _NUMBER.fullmatch(text) and text.isascii() else None


def _as_timestamp(value: Any, unit: str, zone: tzinfo, epoch: str) -> Any:
    if _is_missing(value):
        return None
    found = instant_us(value, zone, epoch)
    try:
        if found is None:
            return _plain(value)
        return to_text(found) if unit == "rfc3339" else found // int(_UNIT_US[unit])
    except OverflowError:
        return _plain(value)


def _integer(value: Any) -> Any:
    if _is_missing(value):
        return None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, str):
        found = _number(value.strip())
        return int(found) if found is not None and _is_short(found) and found == found.to_integral_value() else value
    if isinstance(value, float):
        # Beyond 2**53 a float has lost digits: which whole number was meant cannot be told.
        return int(value) if value.is_integer() and abs(value) < _EXACT_FLOAT else _finite(value)
    if isinstance(value, Exact):
        return int(value) if _is_short(value) and value == value.to_integral_value() else _finite(value)
    return _plain(value)


def _is_short(number: Exact) -> bool:
    return number.is_finite() and number.adjusted() < 30


def _decimal(value: Any) -> Any:
    if _is_missing(value):
        return None
    if isinstance(value, str):
        found = _number(value.strip())
        return value if found is None else found
    return _finite(value) if isinstance(value, float | Exact) else _plain(value)


def _boolean(value: Any) -> Any:
    if _is_missing(value):
        return None
    if isinstance(value, bool):
        return value
    return _TRUTHS.get(str(value).strip().lower(), _plain(value))


def _text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_FLOAT:
        return str(int(value))  # a table with missing values holds whole numbers as floats
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, int | float | Exact) else _plain(value)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in _MISSING)


def _finite(value: Any) -> Any:
    """A number, or the word for an infinite one: JSON has none, and the decoder says so."""
    return value if abs(value) != float("inf") else msgspec.Raw(b"Infinity" if value > 0 else b"-Infinity")


def _plain(value: Any) -> Any:
    """Any other value, as something that can be written."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, datetime | date | time) else value
