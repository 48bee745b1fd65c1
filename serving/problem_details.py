"""What a client is told instead of a prediction: problem details as in RFC 9457."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType


class ProblemDetails(msgspec.Struct, frozen=True, gc=False):
    """Why there is no prediction. Problem details as in RFC 9457, with members that some types add."""

    type: Annotated[
        str,
        Meta(description="The kind of problem, as a link to its row on the docs page.", examples=["/docs#no-model"]),
    ]
    title: Annotated[str, Meta(description="The kind of problem in a few words. The same for every answer of a type.")]
    status: Annotated[int, Meta(description="The HTTP status of the answer.", examples=[422])]
    detail: Annotated[str, Meta(description="What is wrong, what was found, and what to do.")]
    path: Annotated[
        str | UnsetType,
        Meta(
            description="Types invalid-request and early-instant: where the problem is in the body.",
            examples=["$.instances[0].field"],
        ),
    ] = UNSET
    fields: Annotated[
        Sequence[str] | UnsetType, Meta(description="Type invalid-request: the fields that belong at that place.")
    ] = UNSET
    views: Annotated[
        Sequence[str] | UnsetType, Meta(description="Type unknown-view: the views that this service answers for.")
    ] = UNSET
    groups: Annotated[
        Sequence[str] | UnsetType, Meta(description="Type unknown-group: the feature groups that can be read.")
    ] = UNSET
    limit: Annotated[
        int | UnsetType, Meta(description="Type too-many-instances: the most instances, or bytes, of one request.")
    ] = UNSET
    exact_from_us: Annotated[
        int | UnsetType,
        Meta(
            description="Types early-instant, clock-behind: the first instant that can be had, microseconds since 1970."
        ),
    ] = UNSET
    group: Annotated[
        str | UnsetType,
        Meta(description="Types catching-up, unreadable-state, early-instant and clock-behind: the group concerned."),
    ] = UNSET
