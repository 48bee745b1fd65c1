"""The answer to a request for features, as structs. The OpenAPI document is derived from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from serving.answer.answer import Freshness, ReadReceipt, RequestInstant
from serving.answer.feature_value import FeatureValue
from serving.request.accepted_values import EXAMPLE_US


class InstanceFeatures(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """The features of one instance. Groups are called by their names."""

    features: Annotated[
        Mapping[str, FeatureValue],
        Meta(
            description="The features as 32-bit floats, as a model would see them. null: missing. A text is given as "
            'its code, a whole number. Infinity is written as the text "Infinity" or "-Infinity".'
        ),
    ]
    feature_age_seconds: Annotated[
        Mapping[str, float | None],
        Meta(
            description="Seconds from the newest event behind the stored features to the instant of the instance. "
            "null: no such event. As in a prediction."
        ),
    ]
    event_time_us: Annotated[
        Mapping[str, int | None],
        Meta(
            description="The time of that event, microseconds since 1970-01-01 UTC: the instant minus the age. "
            "null: no such event."
        ),
    ]
    missing_entities: Annotated[
        Sequence[str],
        Meta(
            description="The feature groups that have no events of this instance's entity. Their features are those of "
            "an entity without history."
        ),
    ]
    degraded: Annotated[
        bool,
        Meta(
            description="true: stored features of at least one group could not be used and are null. Happens only when "
            "the service runs with allow_degraded; otherwise the answer is a 503."
        ),
    ]
    as_of_us: Annotated[
        int | UnsetType,
        Meta(
            description="The instant of this instance, microseconds since 1970-01-01 UTC. Only where the instance "
            "names the time of its event: that time, or the `as_of` of the request if it is earlier.",
            examples=[EXAMPLE_US],
        ),
    ] = UNSET


class FeatureAnswer(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """The answer to one request for features."""

    view: Annotated[str | UnsetType, Meta(description="The view that answered, with its version. Only of a view.")] = (
        UNSET
    )
    group: Annotated[
        str | UnsetType, Meta(description="The group that answered, with its version. Only of a group.")
    ] = UNSET
    as_of_us: RequestInstant
    instances: Annotated[
        Sequence[InstanceFeatures], Meta(description="One entry per instance, in the order of the instances.")
    ]
    degraded: Annotated[bool, Meta(description="true: at least one of the instances is degraded.")]
    freshness_seconds: Freshness
    receipt: ReadReceipt
