"""The columns that the first rows of a file show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deploy.project.columns.column import Column, look_at
from deploy.project.columns.field_names import field_names
from deploy.project.columns.written_otherwise import is_like_a_value, writes_commas
from deploy.project.errors import ProjectError
from deploy.project.wishes import Wishes
from shared_features.definitions import Decimal, Integer
from streaming.operations.produce.rows.file_rows import UNREADABLE, Row
from streaming.operations.produce.rows.wire_values import has_decimal_comma, with_point

_NAME = "a field has the name of its member, and a field cannot be called so. Let the producer rename it"


@dataclass(frozen=True)
class SeenColumns:
    """columns: all, in their order. names: column -> field. decimal_comma: whether the file writes numbers with one."""

    columns: tuple[Column, ...]
    names: dict[str, str]
    decimal_comma: bool

    @property
    def taken(self) -> tuple[Column, ...]:
        """Those that a field takes."""
        return tuple(each for each in self.columns if each.type is not None)

    @property
    def left(self) -> tuple[Column, ...]:
        """Those that none takes."""
        return tuple(each for each in self.columns if each.type is None and not self._holds_others(each.name))

    def _holds_others(self, name: str) -> bool:
        """Whether a column is an object that other rows have: its members are columns."""
        return any(each.startswith(f"{name}.") for each in self.names)

    def without(self, columns: Iterable[Column], why: str) -> SeenColumns:
        """No field takes these columns."""
        return self.without_each({each.name: why for each in columns})

    def without_each(self, why: Mapping[str, str]) -> SeenColumns:
        """No field takes these columns. why: column -> the reason."""
        seen = tuple(_untaken(each, why[each.name]) if each.name in why else each for each in self.columns)
        return replace(self, columns=seen)


def seen_columns(rows: Sequence[Row], wishes: Wishes, *, as_written: bool = False) -> SeenColumns:
    """Raises ProjectError where the rows hold no object, no value, or no names.

    as_written: the rows are records of a topic. A field is a member of that very name.
    """
    readable = [row for row in rows if UNREADABLE not in row]
    if not readable:
        what = "no record of the topic is an object" if as_written else "no line of the file is a JSON object"
        raise ProjectError(f"{what}. Give one object per {'record' if as_written else 'line'}")
    names = field_names(dict.fromkeys(name for row in readable for name in row))
    comma = not as_written and any(writes_commas([row.get(name) for row in readable]) for name in names)
    columns = [
        _looked_at(name, field, [row.get(name) for row in readable], as_written, wishes, comma)
        for name, field in names.items()
    ]
    if as_written:
        columns = [each if each.name == each.field or each.is_nested else _untaken(each, _NAME) for each in columns]
    if sum(map(is_like_a_value, names)) * 2 > len(names):
        raise ProjectError(
            f"the names of the columns look like values: {', '.join([*names][:5])}. Write a first line with the names"
        )
    seen = SeenColumns(tuple(columns), names, comma)
    if not seen.taken:
        raise ProjectError(f"no column of the file holds a value. It has {', '.join(names)}. Give a file with events")
    return seen


def _looked_at(name: str, field: str, values: Sequence[Any], as_written: bool, wishes: Wishes, comma: bool) -> Column:
    """comma: the file writes numbers with a decimal comma. A text that only looks so stays as it is."""
    is_time = wishes.is_event_time(name, field)
    if comma and any(map(has_decimal_comma, values)):
        found = look_at(name, field, [with_point(each) for each in values])
        if isinstance(found.type, Decimal | Integer):
            return replace(found, why=f"{found.why}; written with a decimal comma (`--decimal-comma`)")
    return look_at(name, field, values, as_written=as_written, is_time=is_time)


def _untaken(column: Column, why: str) -> Column:
    return replace(column, type=None, why=why)
