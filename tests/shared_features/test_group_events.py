"""What a group sees of a batch: its conditions, its horizon, its keys, its values."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features.definitions import (
    Aggregate,
    Condition,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    Field,
    Integer,
    Text,
    Timestamp,
)
from shared_features.formats.entity_keys import key_texts
from shared_features.formats.events import EventBatch
from shared_features.group_events import group_events, horizon_us
from shared_features.kernel.aggregations import Count, Last, Sum
from shared_features.kernel.event_time import days, to_us
from shared_features.kernel.hashing import text_codes
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from tests import taken_events
from tests.domains.machines import HOT_PLANT, MACHINE_HEAT
from tests.shared_features.formats.test_events import READING, batch
from tests.streaming import kafka_log

DAY_US = 86_400_000_000
READING_SOURCE = MACHINE_HEAT.sources[0]


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


TILL, WEB = (
    EventSource(
        name=name,
        topic=f"shop.{name}",
        fields=(
            Field("id", Integer()),
            Field("at", Timestamp()),
            Field("user", Text()),
            Field("amount", Integer()),
            Field("note", Text(), optional=True),
        ),
        event_id="id",
        event_time="at",
    )
    for name in ("till", "web")
)
OVER_BOTH = FeatureGroup(
    name="spend",
    version=1,
    entity=Entity("user", keys=("user",)),
    sources=(TILL, WEB),
    aggregates=(
        Aggregate(None, Count(), windows=(days(1),)),
        Aggregate("amount", Sum(), windows=(days(1),)),
        Aggregate("amount", Last(), windows=(days(1),)),
    ),
)
AT_US = 20_000 * DAY_US


def sales(source: EventSource, *sold: dict[str, Any]) -> EventBatch:
    events = [{"id": 7, "at": AT_US, "user": "same", "amount": 5, **each} for each in sold]
    return kafka_log.batch(source, [(AT_US, each) for each in events])


def read_both(group: FeatureGroup, *batches: EventBatch) -> list[float]:
    state = TileState(group.layout)
    (slot,) = state.add(1)
    for each in batches:
        seen = group_events(group, each)
        apply(state, [slot] * len(seen), seen.event_time_us, seen.digest, seen.values, seen.valid)
    return list(map(float, read(state, [slot], AT_US + 1)[0]))


def test_two_sources_that_say_the_same_tell_of_two_events() -> None:
    assert read_both(OVER_BOTH, sales(TILL, {}, {}), sales(WEB, {})) == [2.0, 10.0, 5.0]


def test_a_copy_within_a_source_counts_once_though_the_group_has_two() -> None:
    assert read_both(OVER_BOTH, sales(TILL, {}, {}), sales(TILL, {})) == [1.0, 5.0, 5.0]


def test_a_group_of_one_source_keeps_the_digests_that_its_states_hold() -> None:
    alone = replace(OVER_BOTH, sources=(TILL,))
    events = sales(TILL, {}, {"amount": 6})
    assert group_events(alone, events).digest.tolist() == events.digest.tolist()


fields = st.fixed_dictionaries(
    {
        "id": st.integers(-(2**40), 2**40),
        "at": st.integers(AT_US - 2 * DAY_US, AT_US + 600_000_000),
        "user": st.text(max_size=20),
        "amount": st.integers(-9, 9),
        "note": st.none() | st.text(max_size=9),
    }
)


@given(st.lists(fields, max_size=8), st.sampled_from([(TILL,), (TILL, WEB)]), st.integers(-3, 3))
def test_a_group_takes_what_a_naive_reading_of_the_rows_takes(
    sold: list[dict[str, Any]], sources: tuple[EventSource, ...], more_than: int
) -> None:
    group = replace(OVER_BOTH, sources=sources, where=(Condition("amount", ">", more_than),))
    events = sales(TILL, *sold)
    seen = group_events(group, events)
    wanted = list(taken_events.taken(group, TILL, taken_events.rows_of(events)))
    assert seen.rows.tolist() == [row for row, _, _ in wanted]
    assert key_texts(seen.keys) == [key for _, key, _ in wanted]
    named = [event for _, _, event in wanted]
    assert seen.event_time_us.tolist() == [event.event_time_us for event in named]
    assert seen.digest.tolist() == [event.digest for event in named]
    assert seen.values.tolist() == [list(event.values) for event in named]
    assert seen.valid.tolist() == [list(event.valid) for event in named]
