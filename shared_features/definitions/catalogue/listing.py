"""All definitions of a catalogue as plain data: what there is, what it is, and what reads it.

It follows from the definitions alone. No store and no broker is asked.
"""

from __future__ import annotations

from typing import Any

from shared_features.definitions.catalogue.catalogue import Catalogue
from shared_features.definitions.catalogue.description import Description, describe_column, describe_feature
from shared_features.definitions.fields import Field
from shared_features.definitions.groups.feature_group import Feature, FeatureGroup
from shared_features.definitions.sources.event_source import EventSource
from shared_features.definitions.views.feature_view import FeatureView
from shared_features.definitions.views.named_inputs import AS_OF
from shared_features.definitions.views.view_feature import Input, ViewFeature
from shared_features.kernel.event_time import format_duration

Plain = dict[str, Any]


def list_definitions(catalogue: Catalogue) -> Plain:
    """`sources`, `groups` (each part of a group on its own) and `views`, for JSON."""
    return {
        "sources": [_source(each, catalogue) for each in catalogue.sources],
        "groups": [_group(each, catalogue) for each in catalogue.groups],
        "views": [_view(each) for each in catalogue.views],
    }


def _source(source: EventSource, catalogue: Catalogue) -> Plain:
    readers = [group.label for group in catalogue.groups if source in group.sources]
    readers += [view.label for view in catalogue.views if source == view.source or _labels_are_of(view, source)]
    return {
        "name": source.name,
        "topic": source.topic,
        "description": source.description,
        "event_id": source.event_id,
        "event_time": source.event_time,
        "fields": [_field(each) for each in source.fields],
        "read_by": readers,
    }


def _labels_are_of(view: FeatureView, source: EventSource) -> bool:
    return any(each.source == source for each in view.label_sources)


def _field(field: Field) -> Plain:
    return {
        "name": field.name,
        "type": field.type.words,
        "optional": field.optional,
        **_said(Description(field.description, field.unit)),
    }


def _group(group: FeatureGroup, catalogue: Catalogue) -> Plain:
    return {
        "label": group.label,
        "name": group.name,
        "version": group.version,
        "part": group.part,
        "description": group.description,
        "entity": group.entity.name,
        "keys": list(group.entity.keys),
        "sources": [source.name for source in group.sources],
        "where": [f"{each.column} {each.operator} {each.value}" for each in group.where],
        "shards": group.shards,
        "fingerprint": group.fingerprint,
        "features": [_feature(each, catalogue) for each in group.features],
        "read_by": [view.label for view in catalogue.views if group in view.groups],
    }


def _feature(feature: Feature, catalogue: Catalogue) -> Plain:
    return {
        "name": feature.full_name,
        "type": "float64",
        "column": feature.aggregate.column,
        "aggregation": feature.aggregate.aggregation.name,
        "window": format_duration(feature.window.length),
        "hop": format_duration(feature.window.hop),
        **_said(describe_feature(feature)),
        "read_by": [view.label for view in catalogue.views if _reads(view, feature)],
    }


def _reads(view: FeatureView, feature: Feature) -> bool:
    return any(each.feature == feature for column in view.columns for each in column.inputs)


def _view(view: FeatureView) -> Plain:
    return {
        "label": view.label,
        "name": view.name,
        "version": view.version,
        "description": view.description,
        "source": view.source.name,
        "labels": "; ".join(each.title for each in view.label_sources) or None,
        "fingerprint": view.fingerprint,
        "request_fields": [each.name for each in view.request_fields],
        "features": [_column(view, each) for each in view.columns],
    }


def _column(view: FeatureView, column: ViewFeature) -> Plain:
    stored = column.function is None and column.inputs[0].feature is not None
    return {
        "name": column.name,
        "type": "float32" if column.category is None else "category",
        "kind": "on-demand" if column.function is not None else "stored" if stored else "request",
        "inputs": [_input(each) for each in column.inputs],
        **_said(describe_column(view, column)),
    }


def _input(given: Input) -> str:
    return given.field or (AS_OF if given.feature is None else given.feature.full_name)


def _said(description: Description) -> Plain:
    return {"description": description.text, "unit": description.unit}
