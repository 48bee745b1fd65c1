"""The struct of a JSON object whose members have names that need not be identifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta


def json_object(name: str, doc: str, descriptions: Mapping[str, str], kind: Any) -> type[msgspec.Struct]:
    """descriptions: member -> what it is. kind: the type of every member."""
    fields = [(f"f{n}", Annotated[kind, Meta(description=each)]) for n, each in enumerate(descriptions.values())]
    outside = {f"f{n}": each for n, each in enumerate(descriptions)}
    return msgspec.defstruct(name, fields, rename=outside, namespace={"__doc__": doc})
