"""What a feature is: the nouns, as frozen objects that are checked when they are built."""

from shared_features.definitions.catalogue import Catalogue, load_definitions
from shared_features.definitions.event_source import EventSource
from shared_features.definitions.feature_group import (
    Aggregate,
    Condition,
    Entity,
    Feature,
    FeatureGroup,
    Window,
    window,
)
from shared_features.definitions.feature_view import AS_OF, FeatureView, Input, LabelSource, ViewFeature
from shared_features.definitions.fields import Boolean, Decimal, Field, FieldType, Integer, Text, Timestamp
from shared_features.definitions.fingerprint import fingerprint

__all__ = [
    "AS_OF",
    "Aggregate",
    "Boolean",
    "Catalogue",
    "Condition",
    "Decimal",
    "Entity",
    "EventSource",
    "Feature",
    "FeatureGroup",
    "FeatureView",
    "Field",
    "FieldType",
    "Input",
    "Integer",
    "LabelSource",
    "Text",
    "Timestamp",
    "ViewFeature",
    "Window",
    "fingerprint",
    "load_definitions",
    "window",
]
