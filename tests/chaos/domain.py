"""The domain of the chaos harness: sensors of machines in plants, over windows of seconds, so that a run of half a
minute reaches every rule. Its topics carry a suffix, so that each run has topics of its own on one broker.
"""

import os

from shared_features.definitions import (
    Aggregate,
    Boolean,
    Condition,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    Text,
    Timestamp,
    Window,
)
from shared_features.kernel.aggregations import ApproxDistinct, Count, First, Last, Max, Mean, Std, Sum, TimeSinceLast
from shared_features.kernel.event_time import seconds

TOPIC_SUFFIX = "CHAOS_TOPIC_SUFFIX"
TOLERATED_FUTURE = seconds(2)
HEAD = seconds(1)
_SUFFIX = os.environ.get(TOPIC_SUFFIX, "none")

READINGS = EventSource(
    name="readings",
    topic=f"readings.{_SUFFIX}",
    fields=(
        Field("id", Text(max_length=20)),
        Field("at", Timestamp("ms")),
        Field("plant", Text(max_length=10)),
        Field("machine", Text(max_length=10)),
        Field("heat", Decimal(decimals=2, low=-100, high=1000)),
        Field("note", Text(), optional=True),
    ),
    event_id="id",
    event_time="at",
    tolerated_future=TOLERATED_FUTURE,
    unknown_fields="reject",
)
INSPECTIONS = EventSource(
    name="inspections",
    topic=f"inspections.{_SUFFIX}",
    fields=(
        Field("id", Text(max_length=20)),
        Field("at", Timestamp("ms")),
        Field("plant", Text(max_length=10)),
        Field("good", Boolean()),
    ),
    event_id="id",
    event_time="at",
    tolerated_future=TOLERATED_FUTURE,
)

_LONG, _FINE = Window(seconds(30), seconds(5)), Window(seconds(8), seconds(1))

MACHINE_HEAT = FeatureGroup(
    name="machine_heat",
    version=1,
    entity=Entity("machine", keys=("plant", "machine")),
    sources=(READINGS,),
    aggregates=(
        Aggregate("heat", Sum(), (_LONG, _FINE)),
        Aggregate("heat", Std(), (_LONG,)),
        Aggregate("heat", First(), (_FINE,)),
        Aggregate("note", Last(), (_LONG,)),
        Aggregate("note", ApproxDistinct(), (_LONG,)),
        Aggregate(None, TimeSinceLast(), (_LONG,)),
    ),
    shards=2,
    head=HEAD,
)
PLANT_LOAD = FeatureGroup(  # of both topics
    name="plant_load",
    version=2,
    entity=Entity("plant", keys=("plant",)),
    sources=(READINGS, INSPECTIONS),
    aggregates=(Aggregate(None, Count(), (_LONG, _FINE)),),
    shards=1,
    head=HEAD,
)
PLANT_CARE = FeatureGroup(  # updated by one topic, read on the other; its states are soon forgotten
    name="plant_care",
    version=1,
    entity=Entity("plant", keys=("plant",)),
    sources=(INSPECTIONS,),
    aggregates=(Aggregate("good", Mean(), (Window(seconds(4), seconds(1)),)),),
    shards=1,
    head=HEAD,
)
HOT_PLANT = FeatureGroup(
    name="hot_plant",
    version=1,
    entity=Entity("plant", keys=("plant",)),
    sources=(READINGS,),
    aggregates=(Aggregate("heat", Max(), (_FINE,)),),
    where=(Condition("heat", ">", 60.0),),
    shards=1,
    head=HEAD,
)
VIEW = FeatureView(
    name="chaos",
    version=1,
    source=READINGS,
    features=(
        "heat",
        *(each for each in MACHINE_HEAT.features if not each.is_text),
        PLANT_LOAD,
        PLANT_CARE,
        HOT_PLANT,
    ),
)
