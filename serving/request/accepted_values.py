"""What a field of a request accepts: in words, and by an example."""

from __future__ import annotations

from typing import Any

from shared_features.definitions import FeatureView, Field, Timestamp, describe_field

EXAMPLE_US: int = Timestamp("us").example
EXAMPLE_TIME: str = Timestamp("rfc3339").example
A_TIME = Timestamp("rfc3339").accepts


def accepted(field: Field) -> str:
    """The values that the field accepts, as the end of "write ..."."""
    return field.type.accepts + (", or null" if field.optional else "")


def described(field: Field) -> str:
    """What the field is, as its definition says. Empty where the definition says nothing."""
    return str(describe_field(field)) if field.description or field.unit else ""


def example_request(view: FeatureView, *, only_features: bool = False) -> dict[str, Any]:
    """A whole request that the view accepts. only_features: one that wants no prediction."""
    instance = {field.name: field.type.example for field in view.request_fields}
    return {"instances": [instance]} if only_features else {"instances": [instance], "include_features": True}


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
