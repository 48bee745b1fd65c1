"""The bytes of an entity are a normal form: equal sets of events have equal bytes, whatever they went through."""

from hypothesis import given
from hypothesis import strategies as st

from shared_features.formats.entity_state import decode_states, encode_states
from shared_features.kernel.layout import Layout
from shared_features.kernel.tiles import TileState
from shared_features.kernel.windows import read
from tests.oracle import Event
from tests.shared_features.kernel.engine import apply_events, assert_same_features, expected
from tests.strategies import event_streams, layouts

BUILD = 0xFEED_5EED_0123_4567


def encoded(layout: Layout, events: list[Event]) -> bytes:
    state = TileState(layout)
    slots = state.add(1)
    apply_events(state, slots[0], events)
    return encode_states(state, slots, BUILD)[0]


@given(layouts(), event_streams(), st.randoms())
def test_any_order_and_any_batches_give_equal_bytes(layout, events, random) -> None:
    shuffled = random.sample(events, len(events))
    state = TileState(layout)
    slots = state.add(1)
    while shuffled:
        size = random.randint(1, len(shuffled))
        apply_events(state, slots[0], shuffled[:size])
        shuffled = shuffled[size:]
    assert encode_states(state, slots, BUILD)[0] == encoded(layout, events)


@given(layouts(), event_streams(), st.integers(0, 40))
def test_a_state_goes_on_after_its_bytes_were_read_elsewhere(layout, events, cut) -> None:
    state = TileState(layout)
    slots = state.add(3)[1:2]
    decode_states(state, slots, [encoded(layout, events[:cut])], BUILD)
    apply_events(state, slots[0], events[cut:])
    assert encode_states(state, slots, BUILD)[0] == encoded(layout, events)
    as_of = max([0, *(event.event_time_us for event in events)]) + 1
    assert_same_features(layout, read(state, slots, as_of)[0], expected(layout, events, as_of))
