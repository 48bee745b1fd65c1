"""The page of field types, from their classes."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any

import msgspec

from shared_features.definitions.field_types import (
    MAX_MAGNITUDE,
    Boolean,
    Decimal,
    FieldType,
    Integer,
    Text,
    Timestamp,
)
from tests.docs.reference.table import code, one_line, table

EXAMPLES: tuple[tuple[str, FieldType], ...] = (
    ("Boolean()", Boolean()),
    ("Integer()", Integer()),
    ("Integer(low=1, high=1_000)", Integer(low=1, high=1_000)),
    ("Decimal(decimals=2, low=0, high=100_000)", Decimal(decimals=2, low=0, high=100_000)),
    ("Text()", Text()),
    ("Text(max_length=36)", Text(max_length=36)),
    ('Timestamp("us")', Timestamp("us")),
    ('Timestamp("ms")', Timestamp("ms")),
    ('Timestamp("s")', Timestamp("s")),
    ('Timestamp("rfc3339")', Timestamp("rfc3339")),
)
HEAD = f"""\
# Field types

The types that a `Field` of an event source can have. Every number is kept as a whole number of steps, of magnitude
{MAX_MAGNITUDE:,} at most. An optional field may be null or missing. [Definitions](../definitions.md) shows them in use.

## The classes

"""


def page() -> str:
    classes = [Boolean, Integer, Decimal, Text, Timestamp]
    options = table(
        ("type", "what it is", "options"), [(code(c.__name__), one_line(c.__doc__), _options(c)) for c in classes]
    )
    rows = [_row(text, each) for text, each in EXAMPLES]
    head = (
        "type",
        "a producer and a request write",
        "example in JSON",
        "stored as",
        "a model sees the example as",
        "in a key",
    )
    return f"{HEAD}{options}\n## What each accepts\n\n{table(head, rows)}{FOOT}"


FOOT = """
- **A text is never a feature by itself.** An on-demand function compares it: `category == "shoes"`. Or the
  view has it as a category: `Category("category")`.
- **A value outside its bounds** makes a record a [dead letter](dead-letters.md), and a request a 422.
- **A key** of an entity is one or several of these fields. A key field is required: see
  [a key is never missing](../definitions.md#2-entities-and-feature-groups-what-is-kept-up-to-date).
- A field type of your own is [one class](../definitions.md#a-field-type-of-your-own).
"""


def _options(of: Any) -> str:
    shown = []
    for each in fields(of):
        default = "" if each.default is MISSING else f"={each.default!r}"
        shown.append(code(f"{each.name}{default}"))
    return ", ".join(shown)


def _row(text: str, of: FieldType) -> tuple[str, ...]:
    example = json.dumps(of.example)
    wire = msgspec.json.decode(example.encode(), type=of.wire)
    value = 0.0 if of.storage == "text" else float(of.steps([wire], 1)[0]) / 10**of.step_decimals
    seen = "nothing" if of.storage == "text" else f"{value:.15g}"
    storage = {"integer": "whole number", "boolean": "true or false", "text": "text"}[of.storage]
    return code(text), of.accepts, code(example), storage, seen, of.key_part or "no"
