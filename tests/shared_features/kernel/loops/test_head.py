"""The head of an entity: what is in it, what leaves it, and that neither order nor a full pool can be seen."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features.formats.entity_state import encode_states
from shared_features.kernel.aggregations import Count, Sum
from shared_features.kernel.event_time import HOUR_US, MINUTE_US
from shared_features.kernel.loops.events import TIME
from shared_features.kernel.loops.segments import LENGTH, START
from shared_features.kernel.replay import APPLIED, DUPLICATE, PRUNED, apply, read, settle
from shared_features.kernel.tile_state import TileState
from tests.oracle import Event
from tests.shared_features.kernel.engine import apply_events, assert_same_features, expected
from tests.strategies import ORIGIN_US, SOME_HEAD_US, event_streams, layout, layouts

AT = ORIGIN_US - ORIGIN_US % HOUR_US
HOURLY = layout(((24 * HOUR_US, HOUR_US),), (Count(), Sum()))


def payment(after_us: int, digest: int, amount: int = 100) -> Event:
    return Event(AT + after_us, digest, (amount, 0), (True, True))


def counted(state: TileState, slot: int, as_of: int) -> float:
    names = [feature.name for feature in HOURLY.features]
    return float(read(state, [slot], as_of)[0, names.index(f"None_count_{24 * HOUR_US}_{HOUR_US}")])


def single(state: TileState, slot: int) -> list[int]:
    """The times of the events in the head, once the entity is settled."""
    settle(state, [slot])
    segment = state.pools.heads[slot]
    times: list[int] = state.pools.events[segment[START] : segment[START] + segment[LENGTH], TIME].tolist()
    return times


@given(layouts(), event_streams())
def test_the_head_holds_what_is_not_older_than_its_length_before_the_newest_event(layout, events) -> None:
    state = TileState(layout)
    (slot,) = state.add(1)
    apply_events(state, slot, events)
    newest = max((event.event_time_us for event in events), default=0)
    wanted = {event.digest: event.event_time_us for event in events if event.event_time_us >= newest - layout.head_us}
    assert single(state, slot) == sorted(wanted.values())


@given(layouts(), event_streams(), st.lists(st.integers(0, 40)), st.data())
def test_when_an_entity_is_settled_shows_nowhere(layout, events, cuts, data) -> None:
    """What fell behind the head is put into tiles now or later: same outcomes, same values, same bytes."""
    late, often = TileState(layout), TileState(layout)
    (slot,), (other,) = late.add(1), often.add(1)
    stops = [*sorted(cuts), len(events)]
    for start, stop in pairwise([0, *stops]):
        part = events[start:stop] + data.draw(st.lists(st.sampled_from(events), max_size=3) if events else st.just([]))
        assert apply_events(late, slot, part) == [apply_events(often, other, [event])[0] for event in part]
        settle(often, [other])
        newest = int(late.newest_us([slot])[0])
        for as_of in (newest - layout.head_us, newest + 1) if part else ():
            assert_same_features(layout, read(late, [slot], as_of)[0], read(often, [other], as_of)[0])
    assert encode_states(late, [slot], 0) == encode_states(often, [other], 0)


def test_an_event_behind_the_head_that_nothing_can_read_is_pruned_before_it_is_settled_too() -> None:
    state = TileState(HOURLY)
    (slot,) = state.add(1)
    events = [payment(0, 1), payment(100 * HOUR_US, 2), payment(0, 1), payment(100 * HOUR_US, 2)]
    assert apply_events(state, slot, events) == [APPLIED, APPLIED, PRUNED, DUPLICATE]


def test_copies_of_two_events_of_one_instant_are_known_wherever_the_head_ends() -> None:
    state = TileState(HOURLY)
    (slot,) = state.add(1)
    twins = [payment(0, digest) for digest in range(1, 40)]
    assert apply_events(state, slot, [*twins, payment(5 * MINUTE_US, 50)]) == [APPLIED] * 40
    assert apply_events(state, slot, twins) == [DUPLICATE] * 39
    settle(state, [slot])
    assert apply_events(state, slot, twins) == [DUPLICATE] * 39


def test_an_event_that_arrived_before_its_time_does_not_count_until_then() -> None:
    state = TileState(HOURLY)
    (slot,) = state.add(1)
    apply_events(state, slot, [payment(0, 1), payment(4 * MINUTE_US, 2)])
    assert [counted(state, slot, AT + at) for at in (1, 4 * MINUTE_US, 4 * MINUTE_US + 1)] == [1, 1, 2]


def test_an_event_never_counts_itself_whether_it_was_streamed_before_it_was_asked_for_or_not() -> None:
    before, after = TileState(HOURLY), TileState(HOURLY)
    (asked,), (streamed,) = before.add(1), after.add(1)
    history, own = [payment(0, 1), payment(MINUTE_US, 2)], payment(2 * MINUTE_US, 3, amount=9_999)
    apply_events(before, asked, history)
    apply_events(after, streamed, [*history, own, payment(3 * MINUTE_US, 4)])
    as_of = own.event_time_us
    assert_same_features(HOURLY, read(after, [streamed], as_of)[0], read(before, [asked], as_of)[0])
    assert_same_features(HOURLY, read(after, [streamed], as_of)[0], expected(HOURLY, history, as_of))


def test_a_copy_is_known_in_the_head_and_after_it_left() -> None:
    state = TileState(HOURLY)
    (slot,) = state.add(1)
    assert apply_events(state, slot, [payment(0, 1), payment(0, 1)]) == [APPLIED, DUPLICATE]
    apply_events(state, slot, [payment(SOME_HEAD_US + 1, 2)])
    assert single(state, slot) == [AT + SOME_HEAD_US + 1]
    assert apply_events(state, slot, [payment(0, 1)]) == [DUPLICATE]


@given(st.integers(1, 100), st.integers(1, 60), st.randoms())
def test_a_pool_that_is_full_while_events_leave_the_head_shows_nowhere(count, gap_s, random) -> None:
    """Many entities fill every pool; what leaves a head asks for room in a tile, and may have to wait for it."""
    events = [payment(gap_s * 1_000_000 * i, i + 1, i) for i in range(count)]
    jump = payment(gap_s * 1_000_000 * count + 10 * HOUR_US, count + 1)  # all leave the head at once
    crowd = TileState(HOURLY)
    slots = crowd.add(5)
    for event in [*events, jump]:
        for slot in random.sample(slots.tolist(), 5):
            apply_events(crowd, slot, [event])
    alone = TileState(HOURLY)
    only = alone.add(1)
    apply(
        alone,
        np.full(count + 1, only[0]),
        [event.event_time_us for event in [*events, jump]],
        np.array([event.digest for event in [*events, jump]], np.uint64),
        [event.values for event in [*events, jump]],
        [event.valid for event in [*events, jump]],
    )
    assert encode_states(crowd, slots, 0) == encode_states(alone, only, 0) * 5
