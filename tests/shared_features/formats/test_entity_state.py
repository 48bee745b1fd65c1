"""The bytes of an entity are a normal form: equal sets of events have equal bytes, whatever they went through."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared_features.errors import FormatVersionError
from shared_features.formats.entity_state import decode_states, encode_states, owners_of
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
SMALL = layout(((HOUR_US, MINUTE_US), (DAY_US, HOUR_US)), AGGREGATIONS, head_us=MINUTE_US // 2)
AT = 1_000 * DAY_US
EVENTS = [
    Event(AT, 0x1111_1111_1111_1111, (250, 7), (True, True)),
    Event(AT + 1, 0x2222_2222_2222_2222, (-1, 0), (True, False)),
    Event(AT + MINUTE_US, 0x3333_3333_3333_3333, (5, 0), (False, True)),
    Event(AT - 3 * HOUR_US, 0x4444_4444_4444_4444, (MAX_VALUE, -MAX_VALUE), (True, True)),
]
GOLDEN = (
    "02" "67452301ed5eedfe" "dbbabdf0b25db0c4"  # schema, build, checksum
    "03" "400087e294944e" "3333333333333333" "01" "03"  # one event in the head, newest; its digest; no amount, a place
    "05" "07" "07" "05"  # two tiles; words of each set
    "4444444444444444" "1111111111111111" "2222222222222222"
    "aa05" "8001000000000020" "8000000000000020" "01"  # three hours earlier, one event: extremes, missing nothing
    "a605" "05" "01" "01" "03" "920f" "39" "d607" "1f"  # two events: counts, sums, greatest
    "05" "03" "05" "0303" "03" "01" "1d"  # the last events
    "05" "d207" "03" "03" "1d"  # sets
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
    found = decode_states(state, slots, [None, other[1], None, stored[3]], BUILD)
    assert found.tolist() == [False, False, False, True]
    values = read(state, slots, AT + HOUR_US)
    for row, events in zip(values, ([], [], [], EVENTS), strict=True):
        assert_same_features(SMALL, row, expected(SMALL, events, AT + HOUR_US))


def test_an_entity_without_events_is_found_when_it_was_written() -> None:
    state = TileState(SMALL)
    slots = state.add(1)
    assert decode_states(state, slots, encode_states(state, slots, BUILD), BUILD).tolist() == [True]


@pytest.mark.parametrize("length", [10, None])
def test_another_build_of_the_schema_without_checksums_is_nothing(length: int | None) -> None:
    """Entities of builds long past stay in the store: a release of then may have written them."""
    state = TileState(SMALL)
    slots = state.add(2)
    stored = encoded(SMALL, EVENTS)
    other = b"\x01" + (7).to_bytes(8, "little") + stored[17:]
    assert decode_states(state, slots, [other[:length], stored], BUILD).tolist() == [False, True]
    assert encode_states(state, slots, BUILD) == [encoded(SMALL, []), stored]


def test_another_build_of_a_later_schema_is_nothing_when_it_fits_its_checksum() -> None:
    """After a return to an earlier release, with what the later one had written."""
    state = TileState(SMALL)
    slot = state.add(1)
    apply_events(state, slot[0], EVENTS)
    later = bytearray(encode_states(state, slot, BUILD + 1)[0])
    later[0] = 9
    assert decode_states(state, slot, [bytes(later)], BUILD).tolist() == [False]
    later[-1] ^= 1
    with pytest.raises(FormatVersionError, match="damaged"):
        decode_states(state, slot, [bytes(later)], BUILD)


def test_another_schema_of_this_build_is_refused_with_what_to_do() -> None:
    state = TileState(SMALL)
    data = b"\x09" + encoded(SMALL, EVENTS)[1:]
    with pytest.raises(FormatVersionError, match=r"schema 9, this reader knows 2\. Run the stream job"):
        decode_states(state, state.add(1), [data], BUILD)


def test_each_flipped_bit_is_refused() -> None:
    """With certainty, also in schema, build id and checksum: a flipped build id is not a build of long ago."""
    state = TileState(SMALL)
    slots = state.add(2)
    stored = encoded(SMALL, EVENTS)
    decode_states(state, slots[:1], [stored], BUILD)
    for bit in range(8 * len(stored)):
        damaged = bytearray(stored)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FormatVersionError):
            decode_states(state, slots[1:], [bytes(damaged)], BUILD)
    assert encode_states(state, slots, BUILD) == [stored, encoded(SMALL, [])]


@given(event_streams(max_size=12), st.data())
def test_damaged_bytes_are_refused(events, data) -> None:
    """Cut, longer, with other bytes anywhere, or in another order; the neighbour stays whole.

    But for bytes that claim to be of another build of the schema without checksums: those are nothing, see above.
    """
    stored = encoded(SMALL, events)
    at = data.draw(st.integers(0, len(stored)))
    some, turn = data.draw(st.binary(max_size=20)), data.draw(st.integers(1, len(stored)))
    damaged = data.draw(
        st.sampled_from((stored[:at], stored[:at] + some + stored[at + len(some) :], stored[turn:] + stored[:turn]))
    )
    state = TileState(SMALL)
    slots = state.add(2)
    decode_states(state, slots[:1], [stored], BUILD)
    assume(damaged[:1] != b"\x01" or damaged[1:9] == stored[1:9])
    if damaged != stored:
        with pytest.raises(FormatVersionError):
            decode_states(state, slots[1:], [damaged], BUILD)
        assert encode_states(state, slots[1:], BUILD) == [encoded(SMALL, [])]
    assert encode_states(state, slots[:1], BUILD) == [stored]


@pytest.mark.parametrize("garbage", [b"", b"x", b"a text that somebody stored by hand", b"\x02" * 30, bytes(12)])
def test_what_never_was_a_state_is_refused(garbage: bytes) -> None:
    state = TileState(SMALL)
    with pytest.raises(FormatVersionError, match=f"its {len(garbage)} bytes"):
        decode_states(state, state.add(1), [garbage], BUILD)


def test_a_state_under_the_key_of_another_entity_is_refused() -> None:
    state = TileState(SMALL)
    slots = state.add(2)
    apply_events(state, slots[0], EVENTS)
    apply_events(state, slots[1], EVENTS[:1])
    owners = owners_of([b"{shop:buyer:v1:3}:e:1", b"{shop:buyer:v1:3}:e:2"])
    one, other = encode_states(state, slots, BUILD, owners)
    assert decode_states(state, slots, [one, other], BUILD, owners).tolist() == [True, True]
    for values in ([other, one], [one, one]):
        with pytest.raises(FormatVersionError, match="another entity's"):
            decode_states(state, slots, values, BUILD, owners)


def test_owners_differ_by_namespace_group_version_shard_and_key() -> None:
    keys = [
        f"{{{namespace}:{group}:v{version}:{shard}}}:e:{key}".encode()
        for namespace in ("a", "b")
        for group in ("buyer", "shop")
        for version in (1, 2)
        for shard in range(3)
        for key in ("", "0", "1", "11", "north|1")
    ]
    assert len(set(owners_of(keys).tolist())) == len(keys)
    assert owners_of(keys[3:4])[0] == owners_of(keys)[3]


def test_the_damaged_are_told_and_all_others_decoded() -> None:
    state = TileState(SMALL)
    slots = state.add(5)
    stored = encoded(SMALL, EVENTS)
    damaged: dict[int, str] = {}
    values = [b"x", stored, None, stored[:-1], stored]
    assert decode_states(state, slots, values, BUILD, damaged=damaged).tolist() == [False, True, False, False, True]
    assert sorted(damaged) == [0, 3]
    assert all("damaged" in each for each in damaged.values())
    nothing = encoded(SMALL, [])
    assert encode_states(state, slots, BUILD) == [nothing, stored, nothing, nothing, stored]


def test_many_states_at_once_keep_their_order() -> None:
    state, other = TileState(SMALL), TileState(SMALL)
    slots, places = state.add(300), other.add(300)[::-1]
    for slot in slots:
        apply_events(state, slot, EVENTS[: slot % 4 + 1])
    stored = encode_states(state, slots, BUILD)
    decode_states(other, places, stored, BUILD)
    assert encode_states(other, places, BUILD) == stored
    np.testing.assert_array_equal(read(other, places, AT + HOUR_US), read(state, slots, AT + HOUR_US))
