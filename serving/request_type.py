"""The struct that a view's requests are decoded into. The OpenAPI document is derived from the same struct."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from serving.accepted_values import EXAMPLE_TIME, EXAMPLE_US, accepted, described, sentence
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


def inner_names(view: FeatureView) -> dict[str, str]:
    """Request field -> attribute of the decoded instance: a field may be called like a keyword of Python."""
    return {field.name: f"f{index}" for index, field in enumerate(view.request_fields)}


def request_type(view: FeatureView, max_instances: int) -> type[msgspec.Struct]:
    """The struct that a request for this view is decoded into."""
    names = inner_names(view)
    instance = msgspec.defstruct(
        f"{view.name}_instance",
        # Required fields first, as a struct wants them; columns are taken by name.
        sorted(((names[each.name], *_annotation(each)) for each in view.request_fields), key=len),
        rename={inside: outside for outside, inside in names.items()},
        namespace={"__doc__": f"What view {view.name} needs to know of the instance to predict."},
        forbid_unknown_fields=True,
        gc=False,
    )
    many = Meta(
        min_length=1,
        description="The instances to predict, one or several. They are answered in this order.",
        extra_json_schema={"maxItems": max_instances},  # more are refused with 413, not with 422
    )
    return msgspec.defstruct(
        f"{view.name}_request",
        [
            ("instances", Annotated[list[instance], many]),  # type: ignore[valid-type]  # built above
            ("as_of", AsOf, None),
            ("include_features", IncludeFeatures, False),
        ],
        namespace={"__doc__": f"A request for predictions of view {view.name}."},
        forbid_unknown_fields=True,
        gc=False,
    )


def _annotation(field: Field) -> tuple[Any, ...]:
    """The type with its bounds and its description, and None as the default of an optional field."""
    annotation = field.type.bounded
    what = described(field)
    description = f"{sentence(what)} " if what else ""
    said = Meta(description=f"{description}Write {accepted(field)}.", examples=[field.type.example])
    return (Annotated[annotation | None, said], None) if field.optional else (Annotated[annotation, said],)
