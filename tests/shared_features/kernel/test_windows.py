"""A feature's value is a function of the entity's events strictly before as_of; nothing else may show."""

from hypothesis import given
from hypothesis import strategies as st

from shared_features.kernel.layout import Layout
from shared_features.kernel.tiles import TileState
from shared_features.kernel.windows import read
from tests.oracle import Event
from tests.shared_features.kernel.engine import apply_events, assert_same_features, expected
from tests.strategies import event_streams, instants, layouts


@given(layouts(), event_streams(), st.integers(1, 4_000_000_000), st.integers(1, 5))
def test_a_window_equals_its_definition(layout: Layout, events: list[Event], later: int, batch: int) -> None:
    state = TileState(layout)
    (slot,) = state.add(1)
    for start in range(0, len(events), batch):
        apply_events(state, slot, events[start : start + batch])
    newest = max([0, *(event.event_time_us for event in events)])
    for as_of in (newest + 1, newest + later):
        assert_same_features(layout, read(state, [slot], as_of)[0], expected(layout, events, as_of))
