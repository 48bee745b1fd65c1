"""Parcels on their way. What becomes of one is a text, one of two texts, or a whole number that counts nothing."""

from shared_features import (
    Aggregate,
    Count,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    Integer,
    LabelSource,
    Mean,
    Text,
    Timestamp,
    days,
    hours,
)

CARRIER = Entity("carrier", keys=("carrier",))

SENT = EventSource(
    name="sent",
    topic="parcels.sent",
    fields=(
        Field("parcel", Text(max_length=36)),
        Field("at", Timestamp("ms")),
        Field("carrier", Text(max_length=16)),
        Field("kilometres", Decimal(decimals=1, low=0, high=20_000)),
        Field("kilograms", Decimal(decimals=2, low=0, high=100)),
    ),
    event_id="parcel",
    event_time="at",
)

ENDED = EventSource(
    name="ended",
    topic="parcels.ended",
    fields=(
        Field("parcel", Text(max_length=36)),
        Field("ended", Timestamp("ms")),
        Field("outcome", Text(max_length=16), description="What became of the parcel."),
        Field("late", Text(max_length=3)),
        Field("stars", Integer(low=1, high=5), description="What the receiver says."),
    ),
    event_id="parcel",
    event_time="ended",
)

CARRIER_WORK = FeatureGroup(
    name="carrier_work",
    version=1,
    entity=CARRIER,
    sources=(SENT,),
    aggregates=(
        Aggregate("kilometres", Mean(), windows=(hours(6), days(1))),
        Aggregate(None, Count(), windows=(hours(6),)),
    ),
    shards=2,
)

FEATURES = ("kilometres", "kilograms", CARRIER_WORK)

OUTCOME = FeatureView(
    name="outcome",
    version=1,
    source=SENT,
    features=FEATURES,
    labels=LabelSource(ENDED, value="outcome", join="parcel", delay=hours(2)),
)

ARRIVED_LATE = FeatureView(
    name="arrived_late",
    version=1,
    source=SENT,
    features=FEATURES,
    labels=LabelSource(ENDED, value="late", join="parcel", delay=hours(2), classes=("no", "yes")),
)

STARS = FeatureView(
    name="stars",
    version=1,
    source=SENT,
    features=FEATURES,
    labels=LabelSource(ENDED, value="stars", join="parcel", delay=hours(2), task="multiclass"),
)

MARKED = FeatureView(
    name="marked",
    version=1,
    source=SENT,
    features=FEATURES,
    labels=LabelSource(ENDED, value="stars", join="parcel", delay=hours(2), classes=(5, 4, 1)),
)
