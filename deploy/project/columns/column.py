"""A column of a file: what its values in the sample say about the field that takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from decimal import Decimal as Exact
from functools import cached_property
from math import ceil, log10
from typing import Any

from deploy.project.columns.field_names import words
from deploy.project.columns.hints import SIGNED_WORDS, TIME_WORDS
from deploy.project.columns.written_otherwise import number_advice, time_advice
from shared_features.counted import counted
from shared_features.definitions import Boolean, Decimal, Integer, Text, Timestamp
from shared_features.definitions.field_types import FieldType
from shared_features.definitions.field_types.field_type import MAX_MAGNITUDE
from shared_features.kernel.feature_spec import MAX_DECIMALS
from streaming.operations.produce.rows.wire_values import converter, epoch_unit, instant_us

_USUAL_DECIMALS = 6
_MOSTLY = 0.9
_MOST = "most values are numbers"


@dataclass(frozen=True)
class Column:
    """type: None where no field can take the column. values: as the field gets them, None where missing.

    advice: what to write where the texts look like times or numbers that are not read as such; else empty.
    """

    name: str
    field: str
    type: FieldType | None
    values: tuple[Any, ...]
    why: str
    optional: bool = False
    advice: str = ""

    @cached_property
    def counts(self) -> Counter[Any]:
        return Counter(value for value in self.values if value is not None)

    @property
    def words(self) -> list[str]:
        return words(self.name)

    @property
    def is_nested(self) -> bool:
        """Whether it stands in an object inside the object: `http.method`."""
        return "." in self.name

    @property
    def missing(self) -> int:
        return len(self.values) - self.counts.total()

    @property
    def is_required(self) -> bool:
        return not self.missing

    def required(self) -> Column:
        """The same, for a role that no event can be without."""
        return replace(self, optional=False)

    @cached_property
    def instants(self) -> list[int | None]:
        """Of a Timestamp: microseconds since 1970."""
        unit = self.type.unit if isinstance(self.type, Timestamp) else "us"
        return [instant_us(value, UTC, "us" if unit == "rfc3339" else unit) for value in self.values]

    def becomes(self, kind: FieldType, why: str) -> Column:
        """The same column as a field of another type."""
        convert = converter(kind, UTC, "us")
        return replace(self, type=kind, values=tuple(map(convert, self.values)), why=why)


def look_at(name: str, field: str, values: Sequence[Any], *, as_written: bool = False, is_time: bool = False) -> Column:
    """What a column is. Every value of the sample can be sent as the type that is guessed.

    as_written: the values are those of records, which nobody converts: a number in quotes stays a text. is_time: whole
    numbers are times, whatever the name.
    """
    values = [each.total_seconds() if isinstance(each, timedelta) else each for each in values]
    there = [each for each in values if each is not None]
    if not there:
        return Column(name, field, None, tuple(values), "it is empty in every row that was looked at")
    if any(isinstance(each, list | dict | tuple) for each in there):
        return Column(name, field, None, (), "it holds lists or objects, and a field holds one value")
    if as_written and any(isinstance(each, str) for each in there):
        kind, epoch, why = _time(there) or _text(there)
    else:
        kind, epoch, why = _truth(there) or _number(name, values, is_time) or _time(there) or _text(there)
    if as_written and isinstance(kind, Integer) and not all(isinstance(each, int) for each in there):
        numbers = [Exact(str(each)) for each in there]
        kind, epoch, why = _decimal(numbers, min(numbers), max(numbers), signed=min(numbers) < 0)
    convert = converter(kind, UTC, epoch)
    wire = tuple(map(convert, values))
    missing = wire.count(None)
    if missing:
        why += (
            f"; {missing:,} of {counted(len(wire), 'row')} {'lacks' if missing == 1 else 'lack'} it, so it is optional"
        )
    texts = [each for each in there if isinstance(each, str)] if isinstance(kind, Text) else []
    advice = time_advice(name, texts) or number_advice(texts)
    why = f"{why}. {advice}" if advice else why
    return Column(name, field, kind, wire, why, missing > 0, advice or (why if why.startswith(_MOST) else ""))


Guess = tuple[FieldType, str, str]
"""The type, the unit of times that are numbers, and why."""


def _truth(there: Sequence[Any]) -> Guess | None:
    convert = converter(Boolean(), UTC, "us")
    meant = [known for each in there if (known := convert(each)) is not None]
    # 0 and 1 alone are numbers: a count may be 0 or 1 in the first rows of a file.
    named = any(isinstance(each, bool) or (isinstance(each, str) and each.strip().isalpha()) for each in there)
    if not meant or not named or not all(isinstance(each, bool) for each in meant):
        return None
    return Boolean(), "us", f"every value is true or false, {meant.count(True) / len(meant):.0%} are true"


def _number(name: str, values: Sequence[Any], is_time: bool) -> Guess | None:
    convert = converter(Decimal(decimals=0, low=0, high=0), UTC, "us")
    wire = [each for each in map(convert, values) if each is not None]
    if not wire or not all(isinstance(each, int | float | Exact) and not isinstance(each, bool) for each in wire):
        return None
    if any(isinstance(each, str) and _is_code(each.strip()) for each in values):
        return None
    if (unit := epoch_unit(wire)) and (is_time or TIME_WORDS & set(words(name))):
        return _epoch(unit, wire)
    low, high = min(wire), max(wire)
    if max(abs(low), abs(high)) > MAX_MAGNITUDE:
        return None
    floats = [each for each in values if isinstance(each, float)]
    whole = all(each == int(each) for each in wire) and (not floats or None in values)
    signed = low < 0 or bool(SIGNED_WORDS & set(words(name)))  # the first rows may all be of one sign
    if whole:
        bound = Integer() if signed else Integer(low=0)
        return bound, "us", f"whole numbers, {int(low)} to {int(high)} were seen; add `high` if more would be a mistake"
    return _decimal(wire, low, high, signed=signed)


def _is_code(text: str) -> bool:
    """Whether a leading zero has a meaning, as in 00123."""
    return len(text) > 1 and text[0] == "0" and text.isdecimal()


def _epoch(unit: str, wire: Sequence[Any]) -> Guess:
    fine = unit == "ns" or any(each != int(each) for each in wire)
    what = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}[unit]
    return Timestamp("us" if fine else unit), unit, f"by their size, these are {what} since 1970"  # type: ignore[arg-type]


def _decimal(wire: Sequence[Any], low: Any, high: Any, *, signed: bool) -> Guess:
    seen = max(2 if isinstance(each, float) and each == int(each) else _decimals(each) for each in wire)
    most = max(abs(float(low)), abs(float(high)), 1e-9)
    bound = 10 ** max(0, ceil(log10(most * 10)))
    kept = min(seen, _USUAL_DECIMALS if most >= 1 else MAX_DECIMALS)
    while kept and bound * 10**kept > MAX_MAGNITUDE:
        kept -= 1
    bound = min(bound, MAX_MAGNITUDE)
    cut = f", of which {kept} are kept" if kept < seen else ""
    why = f"up to {seen} decimals{cut}, {float(low):.10g} to {float(high):.10g} were seen; the bounds are wider"
    return Decimal(decimals=kept, low=-bound if signed else 0, high=bound), "us", why


def _decimals(number: Any) -> int:
    exponent = Exact(str(number)).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _time(there: Sequence[Any]) -> Guess | None:
    wire = [each for each in map(converter(Timestamp("us"), UTC, "us"), there) if each is not None]
    # Digits alone are not a time: 00123 is a code, and a number needs a name that says so.
    texts_or_times = not any(isinstance(each, int | float | Exact) or _is_numeric(str(each)) for each in there)
    if not texts_or_times or not wire or not all(isinstance(each, int) for each in wire):
        return None
    if max(map(abs, wire)) > MAX_MAGNITUDE:  # such as the year 9999
        return None
    return Timestamp("rfc3339"), "us", "every value is a time"


def _text(there: Sequence[Any]) -> Guess:
    texts = [str(each) for each in map(converter(Text(), UTC, "us"), there)]
    longest = max(map(len, texts))
    room = max(16, 1 << (2 * longest - 1).bit_length())
    characters = "1 character" if longest == 1 else f"{longest} characters"
    why = f"texts, the longest has {characters} ({room} leave room) and {len(set(texts)):,} differ"
    strays = [each for each in texts if not _is_numeric(each)]
    if strays and len(strays) <= (1 - _MOSTLY) * len(texts):
        why = (
            f"{_MOST}, but {len(strays):,} are not, such as {strays[0][:20]!r}. If those are mistakes, "
            f"make it a Decimal: such rows become dead letters"
        )
    return Text(max_length=room), "us", why


def _is_numeric(text: str) -> bool:
    return isinstance(converter(Decimal(decimals=0, low=0, high=0), UTC, "us")(text), Exact)
