"""What a group sees of a batch: its conditions, its horizon, its keys, its values."""

from typing import Any

import numpy as np
import pytest

from shared_features import (
    Aggregate,
    Condition,
    Count,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    Field,
    Text,
    Timestamp,
    days,
)
from shared_features.formats.events import EventBatch
from shared_features.group_events import group_events, horizon_us
from shared_features.kernel.event_time import to_us
from shared_features.kernel.hashing import text_codes
from tests.domains.machines import HOT_PLANT, MACHINE_HEAT
from tests.shared_features.formats.test_events import READING, batch

DAY_US = 86_400_000_000


def test_a_condition_lets_through_what_meets_it_strictly() -> None:
    events = batch([{**READING, "celsius": celsius} for celsius in (599, 600, 601)])
    assert group_events(HOT_PLANT, events).rows.tolist() == [2]


WIDE = Decimal(2, -45e12, 45e12)
SUMS = (4153167045708358, 4153167045708359, 4153167045708360)


@pytest.mark.parametrize(
    ("operator", "value", "met"),
    [
        ("==", 41531670457083.59, [1]),
        (">", 41531670457083.59, [2]),
        (">=", 41531670457083.59, [1, 2]),
        ("!=", 41531670457083.59, [0, 2]),
        ("<", 41531670457083.586, [0]),  # between two steps
        ("==", 41531670457083.586, []),
        ("<=", 41531670457083, []),
        (">", 0.1 + 0.2, [0, 1, 2]),
    ],
)
def test_a_condition_compares_with_the_number_as_it_is_written(operator: Any, value: float, met: list[int]) -> None:
    """In float64 the product of this number and 100 is half a step off, and would meet no event."""
    fields = (Field("id", Text()), Field("at", Timestamp()), Field("sum", WIDE))
    transfers = EventSource("transfers", "transfers", fields, event_id="id", event_time="at")
    group = FeatureGroup(
        "large", 1, Entity("id", ("id",)), (transfers,), (Aggregate(None, Count(), (days(1),)),),
        where=(Condition("sum", operator, value),),
    )  # fmt: skip
    columns = {"id": np.array(["a", "b", "c"], object), "at": np.full(3, 5), "sum": np.array(SUMS)}
    assert group_events(group, EventBatch(transfers, columns, {}, np.full(3, 5))).rows.tolist() == met


def test_too_old_is_decided_by_the_record_and_the_longest_window_alone() -> None:
    record = 10 * DAY_US + 1
    horizon = int(horizon_us(MACHINE_HEAT, np.array([record]))[0])
    assert horizon == 9 * DAY_US
    rows = [{**READING, "at": horizon + delta, "record_time_us": record} for delta in (-1, 0)]
    assert group_events(MACHINE_HEAT, batch(rows)).rows.tolist() == [1]


def test_an_event_from_the_future_is_not_seen() -> None:
    tolerated = to_us(READING_SOURCE.tolerated_future)
    rows = [{**READING, "at": 5 + tolerated + delta, "record_time_us": 5} for delta in (0, 1)]
    assert group_events(MACHINE_HEAT, batch(rows)).rows.tolist() == [0]


def test_values_are_steps_codes_and_marks_of_what_is_missing() -> None:
    events = batch([READING, {**READING, "humidity": None, "firmware": None}])
    seen = group_events(MACHINE_HEAT, events)
    assert seen.keys == ["north|m\\|1"] * 2
    assert seen.values[0].tolist() == [215, 500, text_codes(["a"])[0]]
    assert seen.valid.tolist() == [[True, True, True], [True, False, False]]


READING_SOURCE = MACHINE_HEAT.sources[0]
