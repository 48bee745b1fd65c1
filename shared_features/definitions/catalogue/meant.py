"""What the author of a definitions module probably meant, where a name in it is unknown."""

from __future__ import annotations

import linecache
import re
import traceback
from collections.abc import Iterator

from shared_features.arguments import did_you_mean
from shared_features.definitions.field_types import FieldType
from shared_features.definitions.sources.event_source import EventSource
from shared_features.errors import UnknownFieldError
from shared_features.kernel.aggregations import Aggregation

_UNKNOWN = re.compile(
    r"name '(\w+)' (?:is not defined|from 'shared_features')|module 'shared_features' has no attribute '(\w+)'"
)


def field_of_another(error: BaseException) -> str:
    """What to add where a source lacks a field that another source of the module has; else empty."""
    if not isinstance(error, UnknownFieldError):
        return ""
    for other in _sources(error):
        if other.name != error.source and other.has(error.field):
            kind = other.field(error.field).type
            return (
                f". {other.name!r} has it. Add Field({error.field!r}, {kind!r}) to {error.source!r} too: `produce` "
                "fills it from the same file"
            )
    return ""


def meant_names(error: BaseException) -> str:
    """The aggregations, or the field types, that there are, where an unknown name is meant as one; else empty."""
    found = _UNKNOWN.search(str(error)) if isinstance(error, NameError | ImportError | AttributeError) else None
    if found is None:
        return ""
    name = found[1] or found[2]
    line = _line(error)
    for kind, before, root in (("aggregations", "Aggregate(", Aggregation), ("field types", "Field(", FieldType)):
        names = _names(root)
        if name in names:
            return f": add `from shared_features import {name}`"
        near = did_you_mean(name, names)
        if near or (before in line and line.index(before) < line.find(name)):
            return f". There are these {kind}: {', '.join(names)}.{near}"
    return ""


def _names(root: type) -> list[str]:
    """Our own classes under a root, each once: a dataclass with slots leaves the class that it was made of behind."""
    kinds: list[type] = root.__subclasses__()
    return sorted({each.__name__ for each in kinds if each.__module__.startswith("shared_features.")})


def _line(error: BaseException) -> str:
    """The line of code at which it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return linecache.getline(frames[-1].filename, frames[-1].lineno or 0) if frames else ""


def _sources(error: BaseException) -> Iterator[EventSource]:
    """The event sources that the modules had when it was raised."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        yield from (each for each in frame.f_globals.values() if isinstance(each, EventSource))
