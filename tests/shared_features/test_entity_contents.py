"""What a person is told of a window is what the oracle finds in it: its edges, its events, the newest of them."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from shared_features.entity_contents import head_of, is_exact, tiles_of, window_contents
from shared_features.kernel.aggregations import Count, TimeSinceLast
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US
from shared_features.kernel.feature_spec import FeatureSpec
from shared_features.kernel.layout import Layout
from shared_features.kernel.loops.registers import Register
from shared_features.kernel.tile_state import TileState
from tests import oracle
from tests.oracle import Event
from tests.shared_features.kernel.engine import apply_events
from tests.strategies import ORIGIN_US, event_streams, layout, layouts


def _is_counted(features: Layout, column: int | None) -> bool:
    return any(each.column == column and Register.COUNT in each.aggregation.registers for each in features.features)


def entity(features: Layout, events: list[Event]) -> tuple[TileState, int]:
    state = TileState(features)
    (slot,) = state.add(1).tolist()
    apply_events(state, slot, events)
    return state, slot


@given(layouts(), event_streams(), st.integers(-5 * MINUTE_US, 2 * DAY_US) | st.sampled_from([0, 1, HOUR_US]))
def test_edges_and_counts_of_every_window_are_the_oracles(features: Layout, events: list[Event], later: int) -> None:
    """The number of events is that of a Count over the same window, which the group need not have."""
    assume(events)
    state, slot = entity(features, events)
    as_of = max(event.event_time_us for event in events) + max(later, -features.head_us)
    assert is_exact(state, slot, as_of)
    for feature, found in zip(features.features, window_contents(state, slot, as_of), strict=True):
        counted = FeatureSpec("n", Count(), None, feature.length_us, feature.hop_us)
        assert found.events == oracle.value(features, counted, events, as_of)
        assert found.from_us == (as_of - feature.length_us) // feature.hop_us * feature.hop_us
        assert found.until_us == as_of
        valued = FeatureSpec("n", Count(), feature.column, feature.length_us, feature.hop_us)
        if found.with_value is not None:
            assert found.with_value == oracle.value(features, valued, events, as_of)
        else:
            assert not _is_counted(features, feature.column), "its tiles count the values"
        times = [event.event_time_us for event in events if found.from_us <= event.event_time_us < as_of]
        if not times:
            assert found.newest_us is None
        elif any(each.column is None and each.aggregation == TimeSinceLast() for each in features.features):
            assert (found.newest_us, found.within_us) == (max(times), 0), "its tiles keep that time"
        elif found.within_us == 0:
            assert found.newest_us == max(times)
        else:
            assert found.newest_us is not None
            assert found.newest_us <= max(times) < found.newest_us + found.within_us


@given(layouts(), event_streams())
def test_head_and_tiles_hold_each_event_once(features: Layout, events: list[Event]) -> None:
    assume(events)
    state, slot = entity(features, events)
    once = {event.digest: event for event in events}
    newest = max(event.event_time_us for event in events)
    head = head_of(state, slot)
    assert sorted((each.event_time_us, each.digest) for each in head) == sorted(
        event[:2] for event in once.values() if event.event_time_us >= newest - features.head_us
    )
    for each in head:
        event = once[each.digest]
        assert each.values == tuple(v if there else None for v, there in zip(event.values, event.valid, strict=True))
    for tile in tiles_of(state, slot):
        inside = [
            event
            for event in once.values()
            if tile.start_us <= event.event_time_us < tile.start_us + tile.hop_us
            and event.event_time_us < newest - features.head_us
        ]
        assert len(inside) == tile.events
        assert tile.start_us % tile.hop_us == 0


def test_an_entity_without_events_has_windows_without_events() -> None:
    features = layout()
    state, slot = entity(features, [])
    assert {(each.events, each.newest_us) for each in window_contents(state, slot, ORIGIN_US)} == {(0, None)}
    assert (head_of(state, slot), tiles_of(state, slot)) == ([], [])
