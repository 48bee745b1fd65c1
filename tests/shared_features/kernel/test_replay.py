"""A read at t sees the updates with an effect up to t: no later arrival, and nothing that had not happened."""

from typing import Any, cast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features.formats.entity_state import encode_states
from shared_features.kernel.aggregations import Sum
from shared_features.kernel.event_time import DAY_US, HOUR_US
from shared_features.kernel.feature_spec import Column, FeatureSpec
from shared_features.kernel.layout import Layout
from shared_features.kernel.loops.steps import order_by_entity, take_steps
from shared_features.kernel.replay import replay
from shared_features.kernel.tile_state import TileState
from tests.oracle import Event
from tests.shared_features.kernel.engine import apply_events, assert_same_features, columns, expected
from tests.strategies import event_streams, instants, layouts

DELAYS = st.integers(-HOUR_US, 3 * HOUR_US) | st.sampled_from([0, 1, DAY_US])


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[tuple[int, int, Event]], list[tuple[int, int]]]:
    """Updates (entity, effect, event), late or early, and reads (entity, instant), both in any order."""
    updates, reads = [], []
    for entity in range(draw(st.integers(1, 2))):
        events = draw(event_streams(max_size=20))
        effects = [max(event.event_time_us + draw(DELAYS), event.event_time_us + 1) for event in events]
        updates += [(entity, effect, event) for effect, event in zip(effects, events, strict=True)]
        edges = st.sampled_from(effects) if effects else instants()
        reads += [(entity, at) for at in draw(st.lists(instants() | edges, max_size=8))]
    return draw(st.permutations(updates)), draw(st.permutations(reads))


def replayed(state: TileState, updates: list, reads: list) -> np.ndarray:  # type: ignore[type-arg]  # of several types
    return replay(
        state,
        [entity for entity, _, _ in updates],
        [effect for _, effect, _ in updates],
        *columns([event for _, _, event in updates]),
        read_slots=[entity for entity, _ in reads],
        read_at_us=[at for _, at in reads],
    )


@given(layouts(), histories())
def test_a_read_sees_exactly_the_effects_up_to_it(layout: Layout, history) -> None:
    """Also: a finished tile never leaks what it got after the read."""
    updates, reads = history
    state = TileState(layout)
    state.add(2)
    for found, (entity, at) in zip(replayed(state, updates, reads), reads, strict=True):
        seen = [event for owner, effect, event in updates if owner == entity and effect <= at]
        assert_same_features(layout, found, expected(layout, seen, at))


@given(layouts(), histories(), st.permutations(range(6)))
def test_reads_may_be_as_of_another_instant_than_that_which_says_what_they_see(layout: Layout, history, places) -> None:
    """Also: places in a life of a shard are no times."""
    updates, reads = history
    state = TileState(layout)
    state.add(2)
    reads = [
        (entity, max([at, *(event.event_time_us for owner, _, event in updates if owner == entity)]) + 1)
        for entity, at in reads
    ]
    first = [places[number % 6] for number in range(len(updates))]
    at = [number % 6 for number in range(len(reads))]
    found = replay(
        state,
        [entity for entity, _, _ in updates],
        first,
        *columns([event for _, _, event in updates]),
        read_slots=[entity for entity, _ in reads],
        read_at_us=at,
        as_of_us=[as_of for _, as_of in reads],
    )
    for values, (entity, as_of), place in zip(found, reads, at, strict=True):
        seen = [event for (owner, _, event), of in zip(updates, first, strict=True) if owner == entity and of <= place]
        assert_same_features(layout, values, expected(layout, seen, as_of))


@given(layouts(), histories())
def test_the_state_afterwards_has_all_updates(layout: Layout, history) -> None:
    updates, reads = history
    state, other = TileState(layout), TileState(layout)
    slots = state.add(2)
    replayed(state, updates, reads)
    for slot in other.add(2):
        apply_events(other, slot, [event for owner, _, event in updates if owner == slot])
    assert encode_states(state, slots, 0) == encode_states(other, slots, 0)


@given(layouts(), histories(), instants())
def test_spans_of_time_one_after_another_are_the_whole(layout: Layout, history, cut: int) -> None:
    updates, reads = history
    whole, parts = TileState(layout), TileState(layout)
    whole.add(2), parts.add(2)
    wanted = replayed(whole, updates, reads)
    found = np.full_like(wanted, -1.0)
    for early in (True, False):
        chosen = [i for i, (_, at) in enumerate(reads) if (at < cut) is early]
        some = [update for update in updates if (update[1] < cut) is early]
        found[chosen] = replayed(parts, some, [reads[i] for i in chosen])
    np.testing.assert_array_equal(found, wanted)


@given(layouts(), histories(), st.integers(0, 40))
def test_later_effects_change_no_earlier_value(layout: Layout, history, kept: int) -> None:
    """The leak gate: cut the stream anywhere, what was read before the cut stays."""
    updates, reads = history
    first = sorted(updates, key=lambda update: update[1])[:kept]
    cut = max([effect for _, effect, _ in first], default=0)
    early = [read for read in reads if read[1] < cut]
    one, other = TileState(layout), TileState(layout)
    one.add(2), other.add(2)
    np.testing.assert_array_equal(replayed(one, first, early), replayed(other, updates, early))


def test_columns_that_cannot_be_written_do_not_compile_the_loop_again() -> None:
    """Arrow's columns are such. Another type of array is another half a minute of a compiler, in every process."""
    layout = Layout((Column("amount", 0),), (FeatureSpec("sum", Sum(), 0, HOUR_US, 1),), 0)
    given = [np.zeros(1, np.int64), np.ones(1, np.int64), np.zeros(1, np.int64), np.ones(1, np.uint64)]
    given += [np.array([[7]]), np.array([[True]]), np.zeros(1, np.int64), np.full(1, 2)]

    def read() -> list[int]:
        state = TileState(layout)
        state.add(1)
        assert replay(state, *given).tolist() == [[7.0]]
        return [len(cast(Any, loop).signatures) for loop in (take_steps, order_by_entity)]

    compiled = read()
    for each in given:
        each.setflags(write=False)
    assert read() == compiled
