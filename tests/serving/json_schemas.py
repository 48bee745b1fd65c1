"""A strict check of a JSON value against a schema of the OpenAPI document.

Stricter than JSON Schema: a member that the schema does not name is a fault, and so is an unknown keyword.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
    "null": type(None),
}  # fmt: skip
SAY_NOTHING = {"title", "description", "examples", "default"}
KNOWN = SAY_NOTHING | {
    "$ref", "anyOf", "type", "enum", "properties", "required", "additionalProperties", "items", "minItems", "maxItems",
    "minimum", "maximum", "maxLength", "format",
}  # fmt: skip


def faults(value: Any, schema: Mapping[str, Any], document: Mapping[str, Any], at: str = "$") -> Iterator[str]:
    """Each part of the value that does not fit the schema, with its place."""
    if unknown := set(schema) - KNOWN:
        yield f"{at}: the schema has keywords {sorted(unknown)} that this check does not know"
    if "$ref" in schema:
        yield from faults(value, resolved(schema, document), document, at)
    if "anyOf" in schema and all(list(faults(value, each, document, at)) for each in schema["anyOf"]):
        yield f"{at}: {value!r} fits nothing of {schema['anyOf']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not in {schema['enum']}"
    if "type" in schema:
        if not isinstance(value, TYPES[schema["type"]]) or (isinstance(value, bool) and schema["type"] != "boolean"):
            yield f"{at}: {value!r} is not of type {schema['type']}"
            return
        yield from _of_type(value, schema, document, at)


def _of_type(value: Any, schema: Mapping[str, Any], document: Mapping[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, dict) and "properties" not in schema:  # names that the document does not know
        for name, each in value.items():
            yield from faults(each, schema["additionalProperties"], document, f"{at}.{name}")
    elif isinstance(value, dict):
        known = schema["properties"]
        yield from (f"{at}.{name}: not described" for name in value if name not in known)
        yield from (f"{at}.{name}: missing" for name in schema["required"] if name not in value)
        for name in value.keys() & known.keys():
            yield from faults(value[name], known[name], document, f"{at}.{name}")
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{at}: {len(value)} items"
        for index, each in enumerate(value):
            yield from faults(each, schema["items"], document, f"{at}[{index}]")
    if isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{at}: {value} is out of bounds"
    if isinstance(value, str):
        if len(value) > schema.get("maxLength", len(value)):
            yield f"{at}: {len(value)} characters"
        if schema.get("format") == "date-time":
            datetime.fromisoformat(value)


def resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema itself, or what it refers to."""
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found
