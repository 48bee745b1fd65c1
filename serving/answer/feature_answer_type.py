"""The struct of a view's features as clients see them: `FeatureAnswer`, with its groups and features by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from serving.answer.answer_type import by_group, described, narrowed
from serving.answer.feature_answer import FeatureAnswer, InstanceFeatures
from serving.answer.feature_value import FeatureValue
from serving.answer.json_object import json_object
from serving.features.group_view import GroupView
from shared_features.definitions import FeatureView
from shared_features.formats.receipt import Receipt


def feature_answer_type(view: FeatureView) -> type[msgspec.Struct]:
    """The struct `FeatureAnswer` with the groups and features of this view, or of this group, by their names."""
    groups: Any = Literal[tuple(group.part_name for group in view.groups)] if view.groups else str
    kind, other = ("group", "view") if isinstance(view, GroupView) else ("view", "group")
    ages = "Seconds from the newest event of the entity in {} to the instance's instant. null: no event before it."
    times = "Time of the newest event of the entity in {}, microseconds since 1970-01-01 UTC. null: no event."
    freshness = "Seconds that the shards of {} lag behind the request's instant. 0: they are beyond it. null: unknown."
    values = json_object(
        f"{view.name}_features_read", f"The features of {kind} {view.label}, in order.", described(view), FeatureValue
    )
    instance = narrowed(
        InstanceFeatures,
        f"{view.name}_features_instance_answer",
        features=values,
        feature_age_seconds=by_group(view, "features_ages", ages),
        event_time_us=by_group(view, "features_event_times", times, int | None, "microseconds since 1970-01-01 UTC"),
        missing_entities=Sequence[groups],
    )
    called = Annotated[str, Meta(description=f"The {kind} that answered, with its version.", examples=[view.label])]
    types: dict[str, Any] = {
        kind: called,
        "instances": Sequence[instance],  # type: ignore[valid-type]  # built above
        "freshness_seconds": by_group(view, "features_freshness", freshness),
        "receipt": Receipt,
    }
    return narrowed(FeatureAnswer, f"{view.name}_features_answer", without=(other,), **types)
