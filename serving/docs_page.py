"""The page at /docs: the OpenAPI document for a person, in plain HTML that needs no network."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any

from serving.errors import PROBLEMS, UNEXPECTED

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "pre{background:#f4f4f2;padding:.8rem;overflow:auto}code{font-family:ui-monospace,monospace}"
    "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2rem .6rem;text-align:left}"
)


def docs_page(document: dict[str, Any]) -> bytes:
    """HTML of the whole document; `openapi.json` is linked for tools."""
    schemas = document["components"]["schemas"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        f"<title>{_text(document['info']['title'])}</title><style>{_STYLE}</style>",
        f"<h1>{_text(document['info']['title'])}</h1><p>{_text(document['info']['description'])} ",
        'For tools: <a href="openapi.json">openapi.json</a>.</p>',
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(f"<h2><code>{method.upper()} {_text(path)}</code></h2><p>{_text(operation['summary'])}</p>")
            if "requestBody" in operation:
                parts += _prediction(path, operation, schemas)
    parts += ["<h2>Problems</h2>", _table(("type", "status", "title"), [_problem(each) for each in _PROBLEMS])]
    return "".join(parts).encode()


_PROBLEMS = (*PROBLEMS.values(), UNEXPECTED)


def _prediction(path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    body = operation["requestBody"]["content"]["application/json"]
    request = schemas[body["schema"]["$ref"].rpartition("/")[2]]["properties"]
    answer = schemas[operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]
    command = f"curl -s http://127.0.0.1:8000{path} -d '{json.dumps(body['example'])}'"
    return [
        f"<pre><code>{_text(command)}</code></pre><h3>Request</h3>",
        _fields(request),
        "<h3>Each instance</h3>",
        _fields(request["instances"]["items"]["properties"]),
        "<h3>Answer</h3>",
        _fields(answer["properties"]),
        "<h3>Each prediction</h3>",
        _fields(answer["properties"]["predictions"]["items"]["properties"]),
    ]


def _fields(properties: dict[str, Any]) -> str:
    rows = [
        (f"<code>{_text(name)}</code>", _kind(each), _text(each.get("description", "")))
        for name, each in properties.items()
    ]
    return _table(("name", "type", ""), rows)


def _kind(schema: dict[str, Any]) -> str:
    kinds = schema.get("type", [each.get("type", "text") for each in schema.get("anyOf", [])])
    text = kinds if isinstance(kinds, str) else " or ".join(kinds)
    if "minimum" in schema:
        text += f", {schema['minimum']} to {schema['maximum']}"
    if "maxLength" in schema:
        text += f", at most {schema['maxLength']} characters"
    return _text(text)


def _problem(problem: Any) -> tuple[str, str, str]:
    return f'<code id="{problem.name}">/docs#{problem.name}</code>', str(problem.status), _text(problem.title)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["<tr>" + "".join(f"<{cell}>{value}</{cell}>" for value in row) for cell, row in [("th", head)]]
    lines += ["<tr>" + "".join(f"<td>{value}</td>" for value in row) for row in rows]
    return f"<table>{''.join(lines)}</table>"


def _text(value: Any) -> str:
    return html.escape(str(value))
