"""`python -m streaming catalogue`: what the definitions hold. It asks no broker and no store."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared_features.definitions import list_definitions, load_definitions
from streaming.errors import EXIT_OK
from streaming.operations.saying import say
from streaming.settings import StreamingSettings

Found = dict[str, Any]
"""One definition, or one field or feature of it, as `list_definitions` gives it."""


def run(settings: StreamingSettings, options: Namespace) -> int:
    """The exit code. A contradiction in the definitions is refused, as every program refuses it."""
    found = list_definitions(load_definitions(settings.definitions))
    say(json.dumps(found, indent=2) if options.json else "\n".join(_lines(found)))
    return EXIT_OK


def _lines(found: Found) -> Iterator[str]:
    for source in found["sources"]:
        yield from _head("source", source["name"], source, f"topic {source['topic']}")
        columns = {"field": _name, "type": _type, "description": _description}
        yield from _table(columns, source["fields"])
    for group in found["groups"]:
        of = f"of {group['entity']} ({', '.join(group['keys'])}), from {', '.join(group['sources'])}"
        where = f", where {' and '.join(group['where'])}" if group["where"] else ""
        yield from _head("group", group["label"], group, of + where)
        columns = {"feature": _name, "window": _window, "description": _description, "read by": _readers}
        yield from _table(columns, group["features"])
    for view in found["views"]:
        labels = f", labels from {view['labels']}" if view["labels"] else ""
        yield from _head("view", view["label"], view, f"on {view['source']}{labels}")
        columns = {"feature": _name, "kind": _kind, "description": _description}
        yield from _table(columns, view["features"])


def _head(kind: str, name: str, found: Found, facts: str) -> Iterator[str]:
    yield f"{kind} {name}: {facts}"
    if found["description"]:
        yield f"  {found['description']}"
    if "read_by" in found:
        yield f"  read by: {_readers(found)}"


def _table(columns: Mapping[str, Callable[[Found], str]], found: list[Found]) -> Iterator[str]:
    rows = [tuple(columns), *(tuple(text(each) for text in columns.values()) for each in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "    " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    yield ""


def _name(found: Found) -> str:
    return str(found["name"])


def _kind(found: Found) -> str:
    return str(found["kind"])


def _type(found: Found) -> str:
    return f"{found['type']}, optional" if found["optional"] else str(found["type"])


def _window(found: Found) -> str:
    return f"{found['window']} by {found['hop']}"


def _description(found: Found) -> str:
    return f"{found['description']} [{found['unit']}]".lstrip() if found["unit"] else str(found["description"])


def _readers(found: Found) -> str:
    return ", ".join(found["read_by"]) or "nothing"
