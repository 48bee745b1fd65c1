"""`python -m streaming catalogue`: what the definitions hold. It asks no broker and no store."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import Any

from shared_features.definitions import list_definitions, load_definitions
from streaming.errors import EXIT_OK
from streaming.operations.saying import say
from streaming.settings import StreamingSettings


def run(settings: StreamingSettings, options: Namespace) -> int:
    """The exit code. A contradiction in the definitions is refused, as every program refuses it."""
    found = list_definitions(load_definitions(settings.definitions))
    say(json.dumps(found, indent=2) if options.json else "\n".join(_lines(found)))
    return EXIT_OK


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for source in found["sources"]:
        yield from _head("source", source["name"], source, f"topic {source['topic']}")
        rows = [(each["name"], _type(each), _unit(each)) for each in source["fields"]]
        yield from _table(("field", "type", "description"), rows)
    for group in found["groups"]:
        of = f"of {group['entity']} ({', '.join(group['keys'])}), from {', '.join(group['sources'])}"
        where = f", where {' and '.join(group['where'])}" if group["where"] else ""
        yield from _head("group", group["label"], group, of + where)
        rows = [(each["name"], f"{each['window']} by {each['hop']}", _unit(each), *_readers(each))
                for each in group["features"]]  # fmt: skip
        yield from _table(("feature", "window", "description", "read by"), rows)
    for view in found["views"]:
        labels = f", labels from {view['labels']}" if view["labels"] else ""
        yield from _head("view", view["label"], view, f"on {view['source']}{labels}")
        rows = [(each["name"], each["kind"], _unit(each)) for each in view["features"]]
        yield from _table(("feature", "kind", "description"), rows)


def _head(kind: str, name: str, found: dict[str, Any], facts: str) -> Iterator[str]:
    yield f"{kind} {name}: {facts}"
    if found["description"]:
        yield f"  {found['description']}"
    if "read_by" in found:
        yield f"  read by: {', '.join(found['read_by']) or 'nothing'}"


def _type(field: dict[str, Any]) -> str:
    return f"{field['type']}, optional" if field["optional"] else str(field["type"])


def _unit(found: dict[str, Any]) -> str:
    return f"{found['description']} [{found['unit']}]".lstrip() if found["unit"] else str(found["description"])


def _readers(found: dict[str, Any]) -> tuple[str]:
    return (", ".join(found["read_by"]) or "nothing",)


def _table(head: Sequence[str], rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        yield "    " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    yield ""
