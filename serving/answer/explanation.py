"""Explanations: where each feature of a prediction comes from, to the events in its window and the key in Redis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from serving.answer.feature_value import FeatureValue
from serving.request.accepted_values import EXAMPLE_US
from shared_features.formats.receipt import ShardReceipt


class ExplainedWindow(msgspec.Struct, gc=False, frozen=True):
    """The window of a stored feature: from_us <= event time < until_us."""

    from_us: Annotated[
        int,
        Meta(
            description="Where the window begins, microseconds since 1970-01-01 UTC: its end minus its length, rounded "
            "down to a multiple of its hop.",
            examples=[EXAMPLE_US],
        ),
    ]
    until_us: Annotated[
        int,
        Meta(
            description="Where the window ends: the instant of the prediction. Events at this instant do not count.",
            examples=[EXAMPLE_US],
        ),
    ]
    events: Annotated[
        int | None,
        Meta(
            description="The number of events of the entity in the window. An event without a value of the feature's "
            "column is among them, see `events_with_value`. null: the stored state could not be used."
        ),
    ]
    newest_event_us: Annotated[
        int | None, Meta(description="The time of the newest event in the window. null: there is none.")
    ]
    newest_event_within_us: Annotated[
        int,
        Meta(
            description="0: `newest_event_us` is exact. Otherwise the newest event lies in a tile, and no feature of "
            "the group (such as the time since the last event) makes tiles keep its time. The event is then not older "
            "than `newest_event_us`, and less than this many microseconds younger."
        ),
    ]
    newest_event_age_seconds: Annotated[
        float | None, Meta(description="Seconds from `newest_event_us` to the instant of the prediction.")
    ]
    events_with_value: Annotated[
        int | UnsetType | None,
        Meta(
            description="How many of the events have a value of the feature's column: the others do not count in its "
            "value. Only of a feature of a column. null: not known, because some of them lie in tiles, and no feature "
            "of the column (such as its mean or its count) makes tiles count them."
        ),
    ] = UNSET


class ExplainedValue(msgspec.Struct, gc=False, frozen=True):
    """A value that the model or an on-demand function saw, and where it comes from."""

    value: Annotated[
        FeatureValue | str,
        Meta(
            description="The value. A feature is a 32-bit float, as the model saw it. An input of an on-demand feature "
            "is a 64-bit float or a text, as the function saw it. null: missing."
        ),
    ]
    origin: Annotated[
        Literal["request", "stored", "on_demand", "instant"],
        Meta(
            description="request: a field of the instance. stored: computed from events, see `group` and `window`. "
            "on_demand: computed by a function from `inputs`. instant: the instant of the prediction."
        ),
    ]
    group: Annotated[
        str | UnsetType, Meta(description="Of a stored feature: its group, as a key of `states` has it.")
    ] = UNSET
    window: Annotated[ExplainedWindow | UnsetType, Meta(description="Of a stored feature: its window.")] = UNSET
    inputs: Annotated[
        Mapping[str, ExplainedValue] | UnsetType,
        Meta(description="Of an on-demand feature: what its function was given, by the name of the field or feature."),
    ] = UNSET
    is_code: Annotated[
        bool | UnsetType,
        Meta(
            description="true: the value is the code of a text, and no field of the instance has that text. The text "
            "itself is not stored."
        ),
    ] = UNSET
    is_unseen: Annotated[
        bool | UnsetType,
        Meta(
            description="true: the value of a category, and the model was not trained on an event that has it. So it "
            "is scored as a missing one."
        ),
    ] = UNSET


class ReadState(msgspec.Struct, gc=False, frozen=True):
    """The stored state of one entity in one group, and where it was read."""

    group: Annotated[str, Meta(description="The feature group, with its version.")]
    entity: Annotated[Mapping[str, int | str], Meta(description="The key fields of the entity.")]
    redis_key: Annotated[str, Meta(description="The key that was read in Redis.")]
    read_from: Annotated[
        Literal["redis", "default"],
        Meta(description="redis: from the key. default: the features have the values of an entity without events."),
    ]
    reason: Annotated[str | UnsetType, Meta(description="Why the features have default values.")] = UNSET
    newest_event_us: Annotated[
        int | None,
        Meta(description="The time of the newest event in the state, also of one that is not before the instant."),
    ] = None
    exact_from_us: Annotated[
        int | None, Meta(description="The first instant as of which the features are exact. null: any instant.")
    ] = None
    head_events: Annotated[int, Meta(description="The number of newest events that are kept one by one.")] = 0
    tiles: Annotated[int, Meta(description="The number of tiles that older events are merged into.")] = 0
    shard: Annotated[
        ShardReceipt | UnsetType,
        Meta(description="The shard that the state belongs to, and the offsets up to which events are in it."),
    ] = UNSET


class Explanation(msgspec.Struct, gc=False, frozen=True):
    """Where each feature of one prediction comes from."""

    features: Annotated[
        Mapping[str, ExplainedValue], Meta(description="The features that the model saw, in the view's order.")
    ]
    states: Annotated[
        Mapping[str, ReadState], Meta(description="The stored state that was read for each feature group.")
    ]
