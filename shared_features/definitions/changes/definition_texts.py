"""The text of a definition: canonical JSON, as it is stored beside a fingerprint, and read back.

A text leaves out the options that have their defaults; earlier releases wrote them down. Both are read.
"""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from functools import cache
from typing import Any

from shared_features.definitions import field_types, fields
from shared_features.definitions.field_types import FieldType
from shared_features.definitions.fingerprints import canonical, plain_defaults
from shared_features.definitions.groups import aggregate, feature_group
from shared_features.definitions.groups.feature_group import FeatureGroup
from shared_features.definitions.sources import event_source, label_source
from shared_features.definitions.sources.event_source import EventSource
from shared_features.definitions.views import feature_view
from shared_features.definitions.views.feature_view import FeatureView
from shared_features.kernel import aggregations

Plain = Any
"""What JSON gives: a definition is [its class, its fields by name]."""

_MODULES = (aggregate, aggregations, event_source, feature_group, feature_view, field_types, fields, label_source)
_CLASSES = {name: each for module in _MODULES for name, each in vars(module).items() if isinstance(each, type)}


def definition_text(of: FeatureGroup | FeatureView, **also: Any) -> str:
    """A definition as it is stored beside its fingerprint; `also`: what else decides what a stored row means."""
    return canonical({**of.meaning, **also})


def source_text(source: EventSource) -> str:
    """An event source as it is stored beside its events."""
    return source.text


def read_definition(text: str) -> dict[str, Plain]:
    """A stored group or view, with every option that its text leaves out."""
    found: dict[str, Plain] = _complete(json.loads(text))
    if "groups" not in found:
        return _defaults("FeatureGroup") | found
    groups = {name: _defaults("FeatureGroup") | each for name, each in found["groups"].items()}
    return _defaults("FeatureView") | found | {"groups": groups}


def read_source(text: str) -> dict[str, Plain]:
    """A stored event source, with every option that its text leaves out."""
    _, source = _complete(json.loads(text))["source"]
    found: dict[str, Plain] = source
    return found


def _complete(value: Plain) -> Plain:
    """With every option that dataclasses in it leave out."""
    if isinstance(value, dict):
        return {name: _complete(each) for name, each in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
        return [value[0], _defaults(value[0]) | _complete(value[1])]
    return [_complete(each) for each in value]


def definition_class(name: str) -> type | None:
    """The class that a text names; None if this release has none of that name."""
    return _CLASSES.get(name) or {each.__name__: each for each in FieldType.__subclasses__()}.get(name)


@cache
def _defaults(class_name: str) -> dict[str, Plain]:
    known = definition_class(class_name)
    return plain_defaults(known) if known is not None and is_dataclass(known) else {}
