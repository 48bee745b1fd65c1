"""Two topics of sales with equal fields, a group over both, and returns that are corrected."""

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
    Sum,
    Text,
    Timestamp,
    days,
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
            Field("amount", Decimal(2, low=0, high=1000)),
        ),
        event_id="sale",
        event_time="at",
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
        Aggregate(None, Count(), windows=(days(1),)),
        Aggregate("amount", Sum(), windows=(days(1),)),
        Aggregate("amount", Last(), windows=(days(1),)),
    ),
    shards=1,
)
RETURN = FeatureView(
    name="return",
    version=1,
    source=TILL,
    features=("amount", SPEND),
    labels=LabelSource(RETURNS, value="returned", join="sale", delay=minutes(0)),
)
