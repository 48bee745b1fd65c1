"""Two topics of sales with equal fields, a group over both, and returns that are corrected."""

from typing import Any

import numpy as np

from shared_features import (
    Aggregate,
    Boolean,
    Count,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    Integer,
    LabelSource,
    Last,
    Mean,
    Sum,
    Text,
    Timestamp,
    days,
    hours,
    minutes,
)

TILL, WEB = (
    EventSource(
        name=name,
        topic=f"shop.{name}",
        fields=(
            Field("sale", Integer()),
            Field("at", Timestamp("ms")),
            Field("user", Text()),
            Field("plan", Text()),
            Field("amount", Decimal(2, low=0, high=1000)),
            Field("far", Decimal(2, low=-45e12, high=45e12)),
            Field("fine", Decimal(9, low=0, high=4_500_000)),
        ),
        event_id="sale",
        event_time="at",
        tolerated_future=minutes(2),
    )
    for name in ("till", "web")
)
RETURNS = EventSource(
    name="returns",
    topic="shop.returns",
    fields=(
        Field("notice", Text()),
        Field("at", Timestamp("ms")),
        Field("sale", Integer()),
        Field("returned", Boolean()),
    ),
    event_id="notice",
    event_time="at",
)
SPEND = FeatureGroup(
    name="spend",
    version=1,
    entity=Entity("user", keys=("user",)),
    sources=(TILL, WEB),
    aggregates=(
        Aggregate(None, Count(), windows=(hours(1), days(1), days(7))),
        Aggregate("amount", Sum(), windows=(days(1), days(7))),
        Aggregate("amount", Mean(), windows=(days(7),)),
        Aggregate("amount", Last(), windows=(days(1),)),
        Aggregate("far", Last(), windows=(days(1),)),
        Aggregate("fine", Last(), windows=(days(1),)),
        Aggregate("plan", Last(), windows=(days(7),)),
    ),
    shards=2,
)


def far_since_last(far: Any, far_last_1d: Any) -> Any:
    """0 where the request says what the latest sale said."""
    return np.subtract(far, far_last_1d)


def fine_since_last(fine: Any, fine_last_1d: Any) -> Any:
    """0 where the request says what the latest sale said."""
    return np.subtract(fine, fine_last_1d)


def is_gold(plan: Any) -> Any:
    """1.0 for a sale under the plan gold."""
    return np.where(plan == "gold", 1.0, 0.0)


def was_gold(plan_last_7d: Any) -> Any:
    """1.0 where the latest sale of the week was under the plan gold."""
    return np.where(np.equal(plan_last_7d, "gold"), 1.0, 0.0)


RETURN = FeatureView(
    name="return",
    version=1,
    source=TILL,
    features=(
        "amount",
        *(each for each in SPEND.features if not each.is_text),
        far_since_last,
        fine_since_last,
        is_gold,
        was_gold,
    ),
    labels=LabelSource(RETURNS, value="returned", join="sale", delay=minutes(0)),
)
