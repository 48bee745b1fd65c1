"""Run in a fresh environment, by its path: the kernel is compiled there and computes one value."""

from __future__ import annotations

import numpy as np

from shared_features import Aggregate, Decimal, Entity, EventSource, FeatureGroup, Field, Integer, Sum, Timestamp, days
from shared_features.formats.events import EventBatch
from shared_features.group_events import group_events
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState

_DAY_US = 86_400_000_000


def sum_of_the_last_day() -> float:
    """Of three readings, 1.25 and 2.50 lie within the day before `as_of`."""
    source = EventSource(
        name="readings",
        topic="readings",
        fields=(
            Field("reading_id", Integer()),
            Field("event_time", Timestamp()),
            Field("sensor_id", Integer()),
            Field("value", Decimal(2, low=-100, high=100)),
        ),
        event_id="reading_id",
        event_time="event_time",
    )
    sensor = Entity(name="sensor", keys=("sensor_id",))
    group = FeatureGroup(
        name="sensor_readings",
        version=1,
        entity=sensor,
        sources=(source,),
        aggregates=(Aggregate("value", Sum(), windows=(days(1),)),),
    )
    as_of_us = 20_000 * _DAY_US
    time_us = as_of_us - np.array([2 * _DAY_US, 3_600_000_000, 1])
    columns = {
        "reading_id": np.arange(3),
        "event_time": time_us,
        "sensor_id": np.full(3, 7),
        "value": np.array([400, 125, 250]),
    }
    events = group_events(group, EventBatch(source, columns, {}, time_us))
    state = TileState(group.layout)
    slot = state.add(1)
    apply(state, np.repeat(slot, 3), events.event_time_us, events.digest, events.values, events.valid)
    return float(read(state, slot, np.array([as_of_us]))[0, 0])


if __name__ == "__main__":
    value = sum_of_the_last_day()
    if value != 3.75:
        raise SystemExit(f"The kernel computed {value}; it should be 3.75.")
    print("the kernel computed 3.75")
