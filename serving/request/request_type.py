"""The struct that a view's requests are decoded into. The OpenAPI document is derived from the same struct."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from serving.request.accepted_values import EXAMPLE_TIME, EXAMPLE_US, accepted, described, sentence
from serving.request.predict_path import EXPLAINED_AT_MOST
from shared_features.definitions import FeatureView, Field, Timestamp

AsOf: Any = Annotated[
    Timestamp("us").bounded | Timestamp("rfc3339").bounded | None,
    Meta(
        description="The instant of the request: microseconds since 1970-01-01 UTC, or a time with an offset "
        "(RFC 3339). Events strictly before this instant count. Left out or null: the server's clock.",
        examples=[EXAMPLE_US, EXAMPLE_TIME],
    ),
]
IncludeFeatures = Annotated[
    bool, Meta(description="true: each prediction also lists the features that the model saw. Default: false.")
]
Explain = Annotated[
    bool,
    Meta(
        description="true: each prediction also says where each of its features comes from: the window, the number of "
        f"events in it, and the key in Redis. Then at most {EXPLAINED_AT_MOST} instances. Default: false."
    ),
]


def inner_names(view: FeatureView) -> dict[str, str]:
    """Request field -> attribute of the decoded instance: a field may be called like a keyword of Python."""
    return {field.name: f"f{index}" for index, field in enumerate(instance_fields(view))}


def instance_fields(view: FeatureView) -> tuple[Field, ...]:
    """The fields of an instance: the view's request fields and, if it is not among them, the time of its event."""
    event_time = view.source.field(view.source.event_time)
    return (*view.request_fields, *(() if event_time in view.request_fields else (replace(event_time, optional=True),)))


def request_type(view: FeatureView, max_instances: int, *, only_features: bool = False) -> type[msgspec.Struct]:
    """The struct that a request for this view is decoded into. only_features: the request wants no prediction."""
    names = inner_names(view)
    begin, wanted = (f"{view.name}_features", "features") if only_features else (view.name, "predictions")
    instance = msgspec.defstruct(
        f"{begin}_instance",
        # Required fields first, as a struct wants them; columns are taken by name.
        sorted(((names[each.name], *_annotation(view, each)) for each in instance_fields(view)), key=len),
        rename={inside: outside for outside, inside in names.items()},
        namespace={"__doc__": f"What view {view.name} needs to know of the instance, for its {wanted}."},
        forbid_unknown_fields=True,
        gc=False,
    )
    many = Meta(
        min_length=1,
        description=f"The instances that {wanted} are wanted of, one or several. They are answered in this order.",
        extra_json_schema={"maxItems": max_instances},  # more are refused with 413, not with 422
    )
    said = [("include_features", IncludeFeatures, False), ("explain", Explain, False)]
    return msgspec.defstruct(
        f"{begin}_request",
        [
            ("instances", Annotated[list[instance], many]),  # type: ignore[valid-type]  # built above
            ("as_of", AsOf, None),
            *([] if only_features else said),
        ],
        namespace={"__doc__": f"A request for {wanted} of view {view.name}."},
        forbid_unknown_fields=True,
        gc=False,
    )


_NAMES_ITS_EVENT = (
    "The time of the event that the instance is about, which may have been sent to the stream already. "
    "That event, and all at or after its time, do not count."
)


def _annotation(view: FeatureView, field: Field) -> tuple[Any, ...]:
    """The type with its bounds and its description, and None as the default of an optional field."""
    annotation = field.type.bounded
    what = described(field)
    description = f"{sentence(what)} " if what else ""
    if field.name == view.source.event_time:
        description += f"{_NAMES_ITS_EVENT} "
    said = Meta(description=f"{description}Write {accepted(field)}.", examples=[field.type.example])
    return (Annotated[annotation | None, said], None) if field.optional else (Annotated[annotation, said],)
