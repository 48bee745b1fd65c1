"""A small domain of another shape: machines in plants. Text keys of two fields, an optional field, labels at once."""

from typing import Any

import numpy as np

from shared_features import (
    Aggregate,
    ApproxDistinct,
    Boolean,
    Condition,
    Count,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    First,
    LabelSource,
    Last,
    Max,
    Mean,
    Std,
    Text,
    Timestamp,
    Window,
    days,
    hours,
    minutes,
)

MACHINE = Entity("machine", keys=("plant", "machine"))
PLANT = Entity("plant", keys=("plant",))

READINGS = EventSource(
    name="readings",
    topic="plant.readings",
    fields=(
        Field("reading", Text(max_length=40)),
        Field("at", Timestamp("rfc3339")),
        Field("plant", Text(max_length=20)),
        Field("machine", Text(max_length=20)),
        Field("celsius", Decimal(decimals=1, low=-80, high=500)),
        Field("humidity", Decimal(decimals=3, low=0, high=1), optional=True),
        Field("firmware", Text(), optional=True),
    ),
    event_id="reading",
    event_time="at",
    tolerated_future=minutes(1),
    unknown_fields="reject",
)

BREAKDOWNS = EventSource(
    name="breakdowns",
    topic="plant.breakdowns",
    fields=(
        Field("report", Text(max_length=40)),
        Field("at", Timestamp("ms")),
        Field("reading", Text(max_length=40)),
        Field("broke", Boolean()),
    ),
    event_id="report",
    event_time="at",
)

MACHINE_HEAT = FeatureGroup(
    name="machine_heat",
    version=3,
    entity=MACHINE,
    sources=(READINGS,),
    aggregates=(
        Aggregate("celsius", Mean(), windows=(minutes(5), hours(1), days(1))),
        Aggregate("celsius", Std(), windows=(hours(1),)),
        Aggregate("celsius", First(), windows=(hours(1),)),
        Aggregate("humidity", Mean(), windows=(hours(1),)),
        Aggregate("humidity", Count(), windows=(hours(1),)),
        Aggregate("firmware", Last(), windows=(days(1),)),
    ),
    shards=2,
)

HOT_PLANT = FeatureGroup(
    name="hot_plant",
    version=1,
    entity=PLANT,
    sources=(READINGS,),
    aggregates=(
        Aggregate(None, Count(), windows=(Window(hours(2), minutes(30)),)),
        Aggregate("machine", ApproxDistinct(), windows=(Window(hours(2), minutes(30)),)),
        Aggregate("celsius", Max(), windows=(days(1),)),
    ),
    where=(Condition("celsius", ">", 60.0),),
    shards=1,
)


def above_mean_1h(celsius: Any, celsius_mean_1h: Any) -> Any:
    """Degrees above the machine's mean of the hour. NaN without history."""
    return np.subtract(celsius, celsius_mean_1h)


def is_new_firmware(firmware: Any, firmware_last_1d: Any) -> Any:
    """1.0 when the firmware is not the last one seen, NaN when either is unknown."""
    unknown = np.isnan(firmware) | np.isnan(firmware_last_1d)
    return np.where(unknown, np.nan, np.where(np.equal(firmware, firmware_last_1d), 0.0, 1.0))


BREAKDOWN = FeatureView(
    name="breakdown",
    version=1,
    source=READINGS,
    features=("celsius", "humidity", MACHINE_HEAT["celsius_mean_1h"], MACHINE_HEAT["celsius_std_1h"],
              MACHINE_HEAT["humidity_mean_1h"], HOT_PLANT, above_mean_1h, is_new_firmware),
    labels=LabelSource(BREAKDOWNS, value="broke", join="reading", delay=minutes(0)),
)  # fmt: skip
