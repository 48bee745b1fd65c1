"""Names of fields for the columns of a file: a column may be called anything, a field is a Python identifier."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping

from shared_features.definitions.sources.event_source import RESERVED_FIELDS
from streaming.kafka.decoders.field_spelling import spelling

_TAKEN = {*RESERVED_FIELDS, "as_of_us", "np"}
"""Columns of every events table, and names that mean something else in an on-demand function."""


def field_names(columns: Iterable[str]) -> dict[str, str]:
    """Column -> field. Names differ by more than case. A column whose name is that of a field keeps it.

    >>> field_names(["Order ID", "order_id", "class", "2nd"])
    {'Order ID': 'order_id_2', 'order_id': 'order_id', 'class': 'class_', '2nd': 'field_2nd'}
    """
    asked = list(columns)
    given: dict[str, str] = {}
    used: set[str] = set()
    for column in sorted(asked, key=lambda each: _identifier(each) != each):
        wanted = _identifier(column)
        name, number = wanted, 2
        while name.casefold() in used:
            name, number = f"{wanted.rstrip('_')}_{number}", number + 1
        used.add(name.casefold())
        given[column] = name
    return {column: given[column] for column in asked}


def mapped(fields: Mapping[str, str]) -> dict[str, str]:
    """Field -> column, where `produce` does not find the column by its name: those that --map must name."""
    spelled = [spelling(column) for column in fields]
    found = {}
    for column, field in fields.items():
        alone = spelled.count(spelling(field)) == 1 and spelling(column) == spelling(field)
        if column != field and (field in fields or not alone):
            found[field] = column
    return found


def words(name: str) -> list[str]:
    """The words inside a name, small.

    >>> words("customerId"), words("ORDER_ID"), words("user.id")
    (['customer', 'id'], ['order', 'id'], ['user', 'id'])
    """
    return [each.lower() for each in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)]


def _identifier(column: str) -> str:
    name = column if column.isidentifier() and "__" not in column else re.sub(r"\W+|__+", "_", column.lower())
    name = name if name == column else name.strip("_")
    if not name.isidentifier():
        name = f"field_{name}".rstrip("_")
    if keyword.iskeyword(name):
        return f"{name}_"
    return f"{name}_field" if name.casefold() in _TAKEN else name
