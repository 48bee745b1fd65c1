"""The bytes of an entity are a normal form: equal sets of events have equal bytes, whatever they went through."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features.errors import FormatVersionError
from shared_features.formats.entity_state import decode_states, encode_states
from shared_features.kernel.aggregations import ApproxDistinct, Count, Last, Max, Mean, TimeSinceLast
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US
from shared_features.kernel.feature_spec import MAX_VALUE
from shared_features.kernel.layout import Layout
from shared_features.kernel.replay import read
from shared_features.kernel.tile_state import TileState
from tests.oracle import Event
from tests.shared_features.kernel.engine import apply_events, assert_same_features, expected
from tests.strategies import event_streams, layout, layouts

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


AGGREGATIONS = (Count(), Mean(), Max(), Last(), TimeSinceLast(), ApproxDistinct(4))
SMALL = layout(((HOUR_US, MINUTE_US), (DAY_US, HOUR_US)), AGGREGATIONS)
AT = 1_000 * DAY_US
EVENTS = [
    Event(AT, 0x1111_1111_1111_1111, (250, 7), (True, True)),
    Event(AT + 1, 0x2222_2222_2222_2222, (-1, 0), (True, False)),
    Event(AT + MINUTE_US, 0x3333_3333_3333_3333, (5, 0), (False, True)),
    Event(AT - 3 * HOUR_US, 0x4444_4444_4444_4444, (MAX_VALUE, -MAX_VALUE), (True, True)),
]
GOLDEN = (
    "01" "67452301ed5eedfe" "07"  # schema, build, three tiles
    "400087e294944e" "09" "07" "07"  # newest; words of each set
    "4444444444444444" "1111111111111111" "2222222222222222" "3333333333333333"
    "aa05" "8001000000000020" "8000000000000020" "01"  # three hours earlier, one event: extremes, missing nothing
    "a605" "05" "01" "01" "03" "920f" "39" "d607" "1f"  # two events: counts, sums, greatest
    "05" "03" "05" "0303" "03" "01" "1d"  # the last events
    "05" "d207" "03" "03" "1d"  # sets
    "05" "01" "03" "01"  # a minute later, one event: no amount
)  # fmt: skip


def test_an_entity_has_its_golden_bytes() -> None:
    assert encoded(SMALL, EVENTS).hex() == GOLDEN


def test_golden_bytes_are_read() -> None:
    state = TileState(SMALL)
    slots = state.add(1)
    assert decode_states(state, slots, [bytes.fromhex(GOLDEN)], BUILD).tolist() == [True]
    as_of = AT + HOUR_US
    assert_same_features(SMALL, read(state, slots, as_of)[0], expected(SMALL, EVENTS, as_of))


def test_nothing_and_another_build_are_an_empty_entity() -> None:
    state = TileState(SMALL)
    slots = state.add(4)
    for slot in slots:
        apply_events(state, slot, EVENTS)
    stored = encode_states(state, slots, BUILD)
    other = encode_states(state, slots, BUILD + 1)
    found = decode_states(state, slots, [None, other[1], b"", stored[3]], BUILD)
    assert found.tolist() == [False, False, False, True]
    values = read(state, slots, AT + HOUR_US)
    for row, events in zip(values, ([], [], [], EVENTS), strict=True):
        assert_same_features(SMALL, row, expected(SMALL, events, AT + HOUR_US))


def test_an_entity_without_events_is_found_when_it_was_written() -> None:
    state = TileState(SMALL)
    slots = state.add(1)
    assert decode_states(state, slots, encode_states(state, slots, BUILD), BUILD).tolist() == [True]


@pytest.mark.parametrize("length", [1, 9, 10, None])
def test_another_build_is_nothing_whatever_its_schema(length: int | None) -> None:
    """Entities of builds long past stay in the store: a release of then, with its schema, may have written them."""
    state = TileState(SMALL)
    slots = state.add(2)
    stored = encoded(SMALL, EVENTS)
    other = b"\x00" + (7).to_bytes(8, "little") + stored[9:]
    assert decode_states(state, slots, [other[:length], stored], BUILD).tolist() == [False, True]
    assert encode_states(state, slots, BUILD) == [encoded(SMALL, []), stored]


def test_another_schema_of_this_build_is_refused_with_what_to_do() -> None:
    state = TileState(SMALL)
    data = b"\x09" + encoded(SMALL, EVENTS)[1:]
    with pytest.raises(FormatVersionError, match=r"schema 9, this reader knows 1\. To write"):
        decode_states(state, state.add(1), [data], BUILD)


@given(event_streams(max_size=12), st.data())
def test_damaged_bytes_are_refused_or_read_but_never_believed_blindly(events, data) -> None:
    """Cut, or with a byte changed behind the build id: an error or some state, and the neighbour stays whole."""
    stored = encoded(SMALL, events)
    at = data.draw(st.integers(1, len(stored) - 1))
    if data.draw(st.booleans()):
        damaged = stored[:at]
    else:
        at = max(at, min(9, len(stored) - 1))
        damaged = stored[:at] + bytes([data.draw(st.integers(0, 255))]) + stored[at + 1 :]
    state = TileState(SMALL)
    slots = state.add(2)
    decode_states(state, slots[:1], [stored], BUILD)
    try:
        decode_states(state, slots[1:], [damaged], BUILD)
    except FormatVersionError:
        assert encode_states(state, slots[1:], BUILD) == [encoded(SMALL, [])]
    read(state, slots, AT)
    assert encode_states(state, slots[:1], BUILD) == [stored]


def test_many_states_at_once_keep_their_order() -> None:
    state, other = TileState(SMALL), TileState(SMALL)
    slots, places = state.add(300), other.add(300)[::-1]
    for slot in slots:
        apply_events(state, slot, EVENTS[: slot % 4 + 1])
    stored = encode_states(state, slots, BUILD)
    decode_states(other, places, stored, BUILD)
    assert encode_states(other, places, BUILD) == stored
    np.testing.assert_array_equal(read(other, places, AT + HOUR_US), read(state, slots, AT + HOUR_US))
