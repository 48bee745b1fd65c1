"""How texts, comments and types stand in a module of Python that is written for a person."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from deploy.project.columns.column import Column
from shared_features.definitions import Boolean, Decimal, Integer, Text, Timestamp

_WIDTH = 116


def literal(value: str) -> str:
    """A text in double quotes, whatever it holds: what JSON escapes, Python reads alike."""
    return json.dumps(value, ensure_ascii=False)


def plain(value: str) -> str:
    """A name from outside, in a comment or a docstring: on one line, and without what would end it."""
    return _one_line(value).replace("\\", "/").replace('"', "'")


def comment(text: str, indent: int = 0) -> Iterator[str]:
    """The lines of a comment."""
    for line in textwrap.wrap(_one_line(text), _WIDTH - indent, break_long_words=True, break_on_hyphens=False):
        yield f"{' ' * indent}# {line}"


def _one_line(text: str) -> str:
    """Without control characters, too: Python refuses a module with a null in a comment."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def spelled(column: Column) -> str:
    """The type of its field."""
    kind = column.type
    if isinstance(kind, Decimal):
        return f"Decimal(decimals={kind.decimals}, low={kind.low:_}, high={kind.high:_})"
    if isinstance(kind, Integer):
        return "Integer(low=0)" if kind.low == 0 else "Integer()"
    if isinstance(kind, Text):
        return f"Text(max_length={kind.max_length})"
    return f'Timestamp("{kind.unit}")' if isinstance(kind, Timestamp) else f"{Boolean.__name__}()"
