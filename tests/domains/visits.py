"""Visits of a clinic: what becomes of one depends on names. A text, true or false, a whole number and a stored text."""

from shared_features import (
    Aggregate,
    Boolean,
    Category,
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
    Text,
    Timestamp,
    days,
    hours,
)

PATIENT = Entity("patient", keys=("patient",))

VISITS = EventSource(
    name="visits",
    topic="clinic.visits",
    fields=(
        Field("visit", Text(max_length=36)),
        Field("at", Timestamp("ms")),
        Field("patient", Integer(low=0, high=1_000_000)),
        Field("ward", Text(max_length=400), optional=True),
        Field("urgent", Boolean()),
        Field("floor", Integer(low=0, high=20)),
        Field("hours", Decimal(decimals=1, low=0, high=1_000)),
    ),
    event_id="visit",
    event_time="at",
)

RETURNED = EventSource(
    name="returned",
    topic="clinic.returned",
    fields=(
        Field("notice", Text(max_length=36)),
        Field("told", Timestamp("ms")),
        Field("visit", Text(max_length=36)),
        Field("again", Boolean()),
    ),
    event_id="notice",
    event_time="told",
)

PATIENT_VISITS = FeatureGroup(
    name="patient_visits",
    version=1,
    entity=PATIENT,
    sources=(VISITS,),
    aggregates=(
        Aggregate(None, Count(), windows=(days(1),)),
        Aggregate("ward", Last(), windows=(days(7),)),
    ),
    shards=1,
)

COMES_AGAIN = FeatureView(
    name="comes_again",
    version=1,
    source=VISITS,
    features=(
        "hours",
        Category("ward", at_most=8),
        PATIENT_VISITS["count_1d"],
        Category("urgent"),
        Category(PATIENT_VISITS["ward_last_7d"]),
        Category("floor"),
    ),
    labels=LabelSource(RETURNED, value="again", join="visit", delay=hours(2)),
)
