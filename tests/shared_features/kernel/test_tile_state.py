"""What a state holds is a function of which events it saw, not of their order, their batches or its neighbours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features.formats.entity_state import encode_states
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US
from shared_features.kernel.loops.lanes import LANES
from shared_features.kernel.replay import APPLIED, DUPLICATE, PRUNED, apply, read, settle
from shared_features.kernel.tile_state import NEVER_US, TileState
from tests.oracle import Event
from tests.shared_features.kernel.engine import apply_events, columns
from tests.strategies import ORIGIN_US, WINDOWS, event_streams, layout, layouts

SOME = Event(ORIGIN_US, 7, (100, 3), (True, True))


@given(layouts(), event_streams())
def test_a_copy_of_an_event_changes_nothing(layout, events) -> None:
    state = TileState(layout)
    slots = state.add(1)
    apply_events(state, slots[0], events)
    before = encode_states(state, slots, 0)
    assert APPLIED not in apply_events(state, slots[0], events)
    assert encode_states(state, slots, 0) == before


@given(layouts(), event_streams())
def test_each_event_is_applied_once(layout, events) -> None:
    state = TileState(layout)
    (slot,) = state.add(1)
    outcomes = apply_events(state, slot, events)
    applied = [event.digest for event, outcome in zip(events, outcomes, strict=True) if outcome == APPLIED]
    assert len(applied) == len(set(applied))
    assert {event.digest for event, outcome in zip(events, outcomes, strict=True) if outcome == DUPLICATE} <= set(
        applied
    )


@given(layouts(), st.lists(event_streams(max_size=12), min_size=1, max_size=6), st.randoms())
def test_entities_do_not_touch_each_other(layout, streams, random) -> None:
    """Mixed into one batch, after neighbours came and went: the bytes of each as if it were alone."""
    state = TileState(layout)
    gone = state.add(3)
    for slot in gone:
        apply_events(state, slot, streams[0])
    state.release(gone[:2])
    state.clear(gone[2:])
    slots = state.add(len(streams))
    mixed = [(slot, event) for slot, events in zip(slots, streams, strict=True) for event in events]
    random.shuffle(mixed)
    apply(state, [slot for slot, _ in mixed], *columns([event for _, event in mixed]))
    for slot, events in zip(slots, streams, strict=True):
        alone = TileState(layout)
        only = alone.add(1)
        apply_events(alone, only[0], events)
        assert encode_states(state, [slot], 0) == encode_states(alone, only, 0)
    assert state.size == len(streams) + 1


def test_outcomes_are_named() -> None:
    state = TileState(layout(WINDOWS[:1]))
    (slot,) = state.add(1)
    old = SOME._replace(event_time_us=ORIGIN_US - DAY_US, digest=8)
    assert apply_events(state, slot, [SOME, SOME, old]) == [APPLIED, DUPLICATE, PRUNED]


def test_one_id_with_two_contents_counts_twice() -> None:
    features = layout(WINDOWS[:1])
    state = TileState(features)
    (slot,) = state.add(1)
    assert apply_events(state, slot, [SOME, SOME._replace(digest=9)]) == [APPLIED, APPLIED]
    assert read(state, [slot], ORIGIN_US + 1)[0, 0] == 2


def test_pools_grow_and_are_compacted_while_events_come() -> None:
    """Many entities growing in turns move again and again; the memory stays a small multiple of what is held."""
    features = layout(((30 * DAY_US, HOUR_US),))
    state = TileState(features)
    slots = state.add(50)
    times = ORIGIN_US + HOUR_US * np.repeat(np.arange(300), 50)
    count = len(times)
    values = np.stack([np.arange(count) % 997, np.arange(count) % 13], axis=1)
    for start in range(0, count, 1_000):
        part = slice(start, start + 1_000)
        outcome = apply(
            state,
            np.tile(slots, 300)[part],
            times[part],
            np.arange(count, dtype=np.uint64)[part],
            values[part],
            np.ones((len(times[part]), 2), np.bool_),
        )
        assert (outcome == APPLIED).all()
    one_row = state.pools.rows.itemsize * state.pools.rows.shape[1]
    assert state.nbytes < 8 * count * (one_row + 40)
    alone = TileState(features)
    only = alone.add(1)
    apply(alone, np.zeros(300, np.int64), times[7::50], np.arange(7, count, 50), values[7::50], np.ones((300, 2)))
    assert encode_states(state, slots[7:8], 0) == encode_states(alone, only, 0)


@given(layouts(), st.lists(event_streams(), min_size=3, max_size=3), st.permutations(range(3)), event_streams())
def test_a_part_holds_of_its_entities_what_the_whole_holds(layout, streams, order, later) -> None:
    """And continues from there; the whole stays as it is."""
    whole = TileState(layout)
    for slot, stream in zip(whole.add(3), streams, strict=True):
        apply_events(whole, slot, stream)
    chosen = order[:2]
    before = encode_states(whole, chosen, 0)
    part = whole.part(chosen)
    assert encode_states(part, [0, 1], 0) == before
    assert part.size == 2
    assert part.add(1).tolist() == [2]
    for slot in range(3):
        apply_events(part, slot, later)
    assert encode_states(whole, chosen, 0) == before
    for slot in chosen:
        apply_events(whole, slot, later)
    assert encode_states(part, [0, 1], 0) == encode_states(whole, chosen, 0)


def test_a_part_takes_no_memory_for_the_others() -> None:
    state = TileState(layout())
    slots = state.add(1_000)
    for start in range(0, 1_000, 100):
        apply_events(state, slots[start], [SOME._replace(digest=digest) for digest in range(200)])
    assert state.part(slots[:10]).nbytes < state.nbytes / 5
    assert state.part([]).nbytes < 100


def test_the_newest_event_time_is_known_per_slot() -> None:
    state = TileState(layout())
    slots = state.add(2)
    apply_events(state, slots[1], [SOME, SOME._replace(event_time_us=ORIGIN_US - MINUTE_US, digest=8)])
    assert state.newest_us(slots).tolist() == [NEVER_US, ORIGIN_US]
    state.clear(slots)
    assert state.newest_us(slots).tolist() == [NEVER_US, NEVER_US]


def test_a_slot_that_was_never_dealt_is_refused() -> None:
    state = TileState(layout())
    state.add(2)
    with pytest.raises(IndexError, match=r"slots lie in 0\.\.1"):
        read(state, [2], ORIGIN_US)
    with pytest.raises(IndexError):
        apply_events(state, -1, [SOME])


def test_columns_of_different_shapes_are_refused() -> None:
    state = TileState(layout())
    with pytest.raises(ValueError, match="column 'digest' of the events has shape"):
        apply(state, state.add(1), [ORIGIN_US], [1, 2], [[0, 0]], [[True, True]])


def test_pools_of_rows_have_words_to_spare_behind_them_however_they_grew() -> None:
    """A row is loaded eight words at a time, also the last one."""
    state = TileState(layout())
    for _ in range(3):
        for pool in (state.pools.rows, state.pools.events):
            assert pool.base is not None
            assert pool.base.size - pool.size >= LANES - 1
        slots = state.add(200)
        at = np.arange(200) * 86_400_000_000
        apply(state, slots, at, np.arange(200, dtype=np.uint64), np.ones((200, 2)), np.ones((200, 2), np.bool_))
        settle(state, slots)
