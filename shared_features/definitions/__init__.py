"""What a feature is: the nouns, as frozen objects that are checked when they are built."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared_features.definitions.catalogue.catalogue import Catalogue, load_definitions
    from shared_features.definitions.catalogue.description import (
        Description,
        describe_column,
        describe_duration,
        describe_feature,
        describe_field,
        describe_function,
    )
    from shared_features.definitions.catalogue.listing import list_definitions
    from shared_features.definitions.changes.definition_texts import definition_text, source_text
    from shared_features.definitions.changes.differences import difference, events_difference
    from shared_features.definitions.expectations.expectation import Copies, Expect, Newest, Rows
    from shared_features.definitions.field_types import Boolean, Decimal, FieldType, Integer, Text, Timestamp
    from shared_features.definitions.fields import Field
    from shared_features.definitions.fingerprints import fingerprint
    from shared_features.definitions.groups.aggregate import Aggregate, Window, window
    from shared_features.definitions.groups.category import Category, category_field
    from shared_features.definitions.groups.feature_group import Feature, FeatureGroup
    from shared_features.definitions.groups.grown_group import GrownGroup
    from shared_features.definitions.sources.condition import Condition
    from shared_features.definitions.sources.entity import Entity
    from shared_features.definitions.sources.event_source import EventSource
    from shared_features.definitions.sources.label_source import LabelSource
    from shared_features.definitions.sources.later_events import LaterEvents
    from shared_features.definitions.views.feature_view import FeatureView
    from shared_features.definitions.views.function_call import call_function
    from shared_features.definitions.views.function_trial import check_functions
    from shared_features.definitions.views.named_inputs import AS_OF
    from shared_features.definitions.views.view_feature import Input, ViewFeature
else:
    from shared_features.lazy_names import lazy_names

    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "shared_features.definitions.groups.aggregate": "Aggregate Window window",
            "shared_features.definitions.catalogue.catalogue": "Catalogue load_definitions",
            "shared_features.definitions.groups.category": "Category category_field",
            "shared_features.definitions.sources.condition": "Condition",
            "shared_features.definitions.changes.definition_texts": "definition_text source_text",
            "shared_features.definitions.catalogue.description": (
                "Description describe_column describe_duration describe_feature describe_field describe_function"
            ),
            "shared_features.definitions.changes.differences": "difference events_difference",
            "shared_features.definitions.sources.entity": "Entity",
            "shared_features.definitions.sources.event_source": "EventSource",
            "shared_features.definitions.groups.feature_group": "Feature FeatureGroup",
            "shared_features.definitions.views.feature_view": "FeatureView",
            "shared_features.definitions.field_types": "Boolean Decimal FieldType Integer Text Timestamp",
            "shared_features.definitions.fields": "Field",
            "shared_features.definitions.fingerprints": "fingerprint",
            "shared_features.definitions.views.function_call": "call_function",
            "shared_features.definitions.views.function_trial": "check_functions",
            "shared_features.definitions.groups.grown_group": "GrownGroup",
            "shared_features.definitions.sources.label_source": "LabelSource",
            "shared_features.definitions.sources.later_events": "LaterEvents",
            "shared_features.definitions.expectations.expectation": "Copies Expect Newest Rows",
            "shared_features.definitions.catalogue.listing": "list_definitions",
            "shared_features.definitions.views.named_inputs": "AS_OF",
            "shared_features.definitions.views.view_feature": "Input ViewFeature",
        },
    )

__all__ = [
    "AS_OF",
    "Aggregate",
    "Boolean",
    "Catalogue",
    "Category",
    "Condition",
    "Copies",
    "Decimal",
    "Description",
    "Entity",
    "EventSource",
    "Expect",
    "Feature",
    "FeatureGroup",
    "FeatureView",
    "Field",
    "FieldType",
    "GrownGroup",
    "Input",
    "Integer",
    "LabelSource",
    "LaterEvents",
    "Newest",
    "Rows",
    "Text",
    "Timestamp",
    "ViewFeature",
    "Window",
    "call_function",
    "category_field",
    "check_functions",
    "definition_text",
    "describe_column",
    "describe_duration",
    "describe_feature",
    "describe_field",
    "describe_function",
    "difference",
    "events_difference",
    "fingerprint",
    "list_definitions",
    "load_definitions",
    "source_text",
    "window",
]
