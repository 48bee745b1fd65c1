"""A feature's value is a function of the entity's events strictly before as_of; nothing else may show."""

from hypothesis import assume, given
from hypothesis import strategies as st

from shared_features.kernel.aggregations import Count, Last, Sum, TimeSinceLast
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US
from shared_features.kernel.layout import Layout
from shared_features.kernel.replay import read
from shared_features.kernel.tile_state import TileState
from tests.oracle import Event
from tests.shared_features.kernel.engine import apply_events, assert_same_features, expected
from tests.strategies import ORIGIN_US, event_streams, layout, layouts


@given(layouts(), event_streams(), st.integers(1, 2 * DAY_US), st.integers(1, 5))
def test_a_window_equals_its_definition(layout: Layout, events: list[Event], later: int, batch: int) -> None:
    state = TileState(layout)
    (slot,) = state.add(1)
    for start in range(0, len(events), batch):
        apply_events(state, slot, events[start : start + batch])
    newest = max([0, *(event.event_time_us for event in events)])
    for as_of in (newest + 1, newest + later):
        assert_same_features(layout, read(state, [slot], as_of)[0], expected(layout, events, as_of))


@given(layouts(), event_streams(), st.integers(0, 5 * MINUTE_US) | st.sampled_from([0, 1, 5 * MINUTE_US]))
def test_a_read_as_of_any_instant_in_the_head_takes_what_lies_strictly_before_it(layout, events, back) -> None:
    assume(events)
    state = TileState(layout)
    (slot,) = state.add(1)
    apply_events(state, slot, events)
    newest = max(event.event_time_us for event in events)
    as_of = newest - min(back, layout.head_us)
    assert_same_features(layout, read(state, [slot], as_of)[0], expected(layout, events, as_of))


@given(layouts(), event_streams(), st.data())
def test_a_read_as_of_an_event_in_the_head_leaves_out_that_event_and_all_at_or_after_its_time(layout, events, data):
    assume(events)
    state = TileState(layout)
    (slot,) = state.add(1)
    apply_events(state, slot, events)
    newest = max(event.event_time_us for event in events)
    head = [event for event in events if event.event_time_us >= newest - layout.head_us]
    as_of = data.draw(st.sampled_from(head)).event_time_us
    assert_same_features(layout, read(state, [slot], as_of)[0], expected(layout, events, as_of))


def test_a_window_is_half_open_and_decays_without_new_events() -> None:
    features = layout(((HOUR_US, MINUTE_US),), (Count(), Sum(), Last(), TimeSinceLast()))
    state = TileState(features)
    (slot,) = state.add(1)
    at = ORIGIN_US - ORIGIN_US % MINUTE_US
    apply_events(state, slot, [Event(at, 1, (250, 0), (True, False))])

    def amounts(as_of: int) -> list[float]:
        names = [f"None_count_{HOUR_US}_{MINUTE_US}", f"0_sum_{HOUR_US}_{MINUTE_US}"]
        row = read(state, [slot], as_of)[0]
        return [float(row[[feature.name for feature in features.features].index(name)]) for name in names]

    assert amounts(at) == [0.0, 0.0]  # strictly before as_of
    assert amounts(at + 1) == [1.0, 2.5]
    assert amounts(at + HOUR_US + MINUTE_US - 1) == [1.0, 2.5]  # the trailing edge moves in hops
    assert amounts(at + HOUR_US + MINUTE_US) == [0.0, 0.0]


def test_reading_changes_nothing_and_an_entity_without_events_has_its_empty_values() -> None:
    features = layout()
    state = TileState(features)
    slots = state.add(2)
    first = read(state, slots, ORIGIN_US)
    assert_same_features(features, first[0], expected(features, [], ORIGIN_US))
    assert_same_features(features, read(state, slots, ORIGIN_US)[1], first[0])
