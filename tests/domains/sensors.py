"""Sensors that measure a temperature. The question is a number: what will it be in half an hour?

No field names an event: sensor and time together do, so a label joins on both.
"""

from shared_features import (
    Aggregate,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    LabelSource,
    Last,
    Mean,
    Text,
    TimeSinceLast,
    Timestamp,
    days,
    hours,
    minutes,
)

SENSOR = Entity("sensor", keys=("sensor",))

MEASURED = EventSource(
    name="measured",
    topic="weather.measured",
    fields=(
        Field("sensor", Text(max_length=16)),
        Field("at", Timestamp("rfc3339")),
        Field("celsius", Decimal(decimals=2, low=-80, high=80)),
        Field("humidity", Decimal(decimals=1, low=0, high=100), optional=True),
    ),
    event_id="at",
    event_time="at",
)

LATER = EventSource(
    name="later",
    topic="weather.later",
    fields=(
        Field("sensor", Text(max_length=16)),
        Field("at", Timestamp("rfc3339")),
        Field("known", Timestamp("rfc3339")),
        Field("celsius_in_30min", Decimal(decimals=2, low=-80, high=80), description="What it was then.", unit="°C"),
    ),
    event_id="at",
    event_time="known",
)

SENSOR_HEAT = FeatureGroup(
    name="sensor_heat",
    version=1,
    entity=SENSOR,
    sources=(MEASURED,),
    aggregates=(
        Aggregate("celsius", Last(), windows=(hours(6),)),
        Aggregate("celsius", Mean(), windows=(hours(6), days(1))),
        Aggregate(None, TimeSinceLast(), windows=(days(1),)),
    ),
    shards=2,
)

WEATHER = FeatureView(
    name="weather",
    version=1,
    source=MEASURED,
    features=("celsius", "humidity", SENSOR_HEAT),
    labels=LabelSource(LATER, value="celsius_in_30min", join=("sensor", "at"), delay=minutes(30)),
)
