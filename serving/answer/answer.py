"""The answer to a prediction request, as structs. The OpenAPI document is derived from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from serving.answer.explanation import Explanation
from serving.answer.feature_value import ShownValue
from serving.request.accepted_values import EXAMPLE_US
from shared_features.formats.receipt import EncodedReceipt

RequestInstant = Annotated[
    int,
    Meta(
        description="The instant of the request, microseconds since 1970-01-01 UTC. Events strictly before this "
        "instant count, whatever has been streamed meanwhile.",
        examples=[EXAMPLE_US],
    ),
]
Freshness = Annotated[
    Mapping[str, float | None],
    Meta(description="How far the stored features lag behind the request's instant."),
]
ReadReceipt = Annotated[EncodedReceipt, Meta(description="Which stored state the answer was made from.")]


class Prediction(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """The answer for one instance, and what the answer was made from. Groups are called by their names."""

    score: Annotated[
        float | UnsetType,
        Meta(
            description="The model's estimate of the probability that the label is 1, from 0 to 1. "
            "Only of a label with two outcomes.",
            examples=[0.12],
        ),
    ] = UNSET
    decision: Annotated[
        bool | UnsetType,
        Meta(
            description="Whether the score reaches the threshold of the model. Only of a model that has one.",
            examples=[True],
        ),
    ] = UNSET
    value: Annotated[
        float | UnsetType,
        Meta(
            description="The model's estimate of the label. Only of a label that is a number.",
            examples=[21.5],
        ),
    ] = UNSET
    class_: Annotated[
        str | int | UnsetType,
        Meta(
            description="The most probable class of the label; of equal ones the first. Only of a label with several "
            "outcomes.",
            examples=["late"],
        ),
    ] = msgspec.field(default=UNSET, name="class")
    probabilities: Annotated[
        Mapping[str, float] | UnsetType,
        Meta(
            description="The model's estimate of the probability of each class, from 0 to 1, under the labels' own "
            "names. Only of a label with several outcomes.",
            examples=[{"on_time": 0.2, "late": 0.7, "lost": 0.1}],
        ),
    ] = UNSET
    feature_age_seconds: Annotated[
        Mapping[str, float | None],
        Meta(
            description="Seconds from the newest event behind the stored features to the instant of the prediction. "
            "null: no such event. Where later events have arrived and the newest that counts is older than the head, "
            "the greatest age that it can have: at most one hop too much. Exact in any case in a group with "
            "Aggregate(None, TimeSinceLast(), ...)."
        ),
    ]
    missing_entities: Annotated[
        Sequence[str],
        Meta(
            description="The feature groups that have no events of this instance's entity. The score is valid: "
            "features of these groups are those of an entity without history."
        ),
    ]
    degraded: Annotated[
        bool,
        Meta(
            description="true: stored features of at least one group could not be used and were taken as missing. "
            "Happens only when the service runs with allow_degraded; otherwise the answer is a 503."
        ),
    ]
    features: Annotated[
        Mapping[str, ShownValue] | UnsetType,
        Meta(
            description="What the model saw, numbers as 32-bit floats. Only when the request sets include_features. "
            "null: missing, or a value of a category that the model was not trained on. "
            'Infinity has no number in JSON and is written as the text "Infinity" or "-Infinity".'
        ),
    ] = UNSET
    as_of_us: Annotated[
        int | UnsetType,
        Meta(
            description="The instant of this prediction, microseconds since 1970-01-01 UTC. Only where the instance "
            "names the time of its event: that time, or the `as_of` of the request if it is earlier.",
            examples=[EXAMPLE_US],
        ),
    ] = UNSET
    explanation: Annotated[
        Explanation | UnsetType,
        Meta(description="Where each feature comes from. Only when the request sets explain."),
    ] = UNSET


class ModelName(msgspec.Struct, gc=False, frozen=True):
    """The model that answered."""

    name: Annotated[
        str,
        Meta(description="The model's name in the registry: the name of its view, unless its definition says another."),
    ]
    version: Annotated[int, Meta(description="The model's version in the registry.", examples=[12])]


class Answer(msgspec.Struct, gc=False, frozen=True):
    """The answer to one request."""

    view: Annotated[str, Meta(description="The view that answered, with its version.")]
    model: Annotated[ModelName, Meta(description="The model that answered.")]
    as_of_us: RequestInstant
    predictions: Annotated[
        Sequence[Prediction], Meta(description="One prediction per instance, in the order of the instances.")
    ]
    degraded: Annotated[bool, Meta(description="true: at least one of the predictions is degraded.")]
    freshness_seconds: Freshness
    receipt: ReadReceipt
    prediction_id: Annotated[
        str | UnsetType,
        Meta(
            description="The id of this answer in the prediction log. Only where the service logs its predictions.",
            examples=["5f0c8e2a91b7d364-1207"],
        ),
    ] = UNSET
