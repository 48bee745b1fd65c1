"""Reading bytes at once gives what decoding and then reading gives, and what the oracle says, for any mix of values."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features.formats.entity_reader import EntityFeatures, EntityReader, StoredEntities
from shared_features.formats.entity_state import decode_states, encode_states, owners_of
from shared_features.kernel.aggregations import Count, Sum
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US
from shared_features.kernel.layout import Layout
from shared_features.kernel.replay import read
from shared_features.kernel.tile_state import NEVER_US, TileState
from tests.oracle import Event
from tests.shared_features.kernel.engine import apply_events, assert_same_features, expected
from tests.strategies import event_streams, layout, layouts

BUILD, OTHER_BUILD = 0xFEED_5EED_0123_4567, 7
SMALL = layout(((HOUR_US, MINUTE_US), (DAY_US, HOUR_US)), (Count(), Sum()), head_us=MINUTE_US // 2)
AT = 1_000 * DAY_US
KINDS = ("whole", "missing", "empty", "other build", "other key", "damaged", "other schema")


def stored(layout: Layout, events: list[Event], key: bytes, build_id: int = BUILD) -> bytes:
    state = TileState(layout)
    slots = state.add(1)
    apply_events(state, slots[0], events)
    return encode_states(state, slots, build_id, owners_of([key]))[0]


def read_one(layout: Layout, keys, values, builds, as_of_us) -> EntityFeatures:
    (got,) = EntityReader([layout]).read([StoredEntities(keys, values, builds)], as_of_us)
    return got


def value_of(kind: str, layout: Layout, events: list[Event], key: bytes) -> bytes | None:
    whole = stored(layout, events, key, OTHER_BUILD if kind == "other build" else BUILD)
    return {
        "missing": None,
        "empty": b"",
        "other key": stored(layout, events, key + b"+"),
        "damaged": whole[:-1] + bytes([whole[-1] ^ 4]),
        "other schema": b"\x63" + whole[1:],
    }.get(kind, whole)


@given(layouts(), st.lists(st.tuples(event_streams(), st.sampled_from(KINDS)), max_size=5), st.data())
def test_reading_at_once_is_decoding_and_then_reading(layout, entities, data) -> None:
    keys = [b"{shop:buyer:v1:3}:e:%d" % place for place in range(len(entities))]
    values = [value_of(kind, layout, events, key) for (events, kind), key in zip(entities, keys, strict=True)]
    newest = [max([0, *(event.event_time_us for event in events)]) for events, _ in entities]
    as_of_us = np.array([each + data.draw(st.integers(-DAY_US, DAY_US)) for each in newest], np.int64)
    state, damaged = TileState(layout), dict[int, str]()
    slots = state.add(len(keys))
    found = decode_states(state, slots, values, BUILD, owners_of(keys), damaged)

    reader = EntityReader([layout])
    for _ in range(2):  # what was read before leaves nothing behind
        (got,) = reader.read([StoredEntities(keys, values, [BUILD] * len(keys))], as_of_us)
        assert got.found == found.tolist()
        assert got.damaged == damaged
        assert got.newest_us == state.newest_us(slots).tolist()
        assert got.values.tobytes() == read(state, slots, as_of_us).tobytes()


@given(layouts(), event_streams(), st.integers(0, 40 * MINUTE_US))
def test_reading_at_once_gives_the_oracles_features(layout, events, later_us) -> None:
    as_of_us = max([0, *(event.event_time_us for event in events)]) + 1 + later_us
    got = read_one(layout, [b"key"], [stored(layout, events, b"key")], [BUILD], np.array([as_of_us]))
    assert_same_features(layout, got.values[0], expected(layout, events, as_of_us))


def test_the_newest_event_that_counts_is_exact_in_the_head_and_the_start_of_its_tile_before_it() -> None:
    inside, before = MINUTE_US // 4, MINUTE_US + MINUTE_US // 3
    events = [Event(AT - each, digest, (1, 1), (True, True)) for digest, each in enumerate((before, inside, 0), 1)]
    instants = np.array([AT + 1, AT, AT - inside], np.int64)
    got = read_one(SMALL, [b"key"] * 3, [stored(SMALL, events, b"key")] * 3, [BUILD] * 3, instants)
    assert got.newest_us == [AT] * 3
    assert got.before_us == [AT, AT - inside, AT - 2 * MINUTE_US]
    assert read_one(SMALL, [b"key"], [None], [BUILD], instants[:1]).before_us == [NEVER_US]


def test_many_entities_and_long_ones_find_room() -> None:
    events = [Event(AT - each * MINUTE_US, each + 1, (each, 1), (True, True)) for each in range(500)]
    keys = [b"%d" % each for each in range(300)]
    values = [stored(SMALL, events[each % 3 :], key) for each, key in enumerate(keys)]
    got = read_one(SMALL, keys, values, [BUILD] * 300, np.full(300, AT + 1))
    for each in range(3):
        assert_same_features(SMALL, got.values[297 + each], expected(SMALL, events[each:], AT + 1))


def test_several_groups_in_one_call_are_read_as_each_alone() -> None:
    """The second has to grow its pools in between, while the others are where they were."""
    other = layout(((DAY_US, HOUR_US),), (Sum(),), head_us=HOUR_US)
    layouts_of, lengths = (SMALL, other, SMALL), (3, 900, 1)
    instants = np.array([AT + 1, AT - 7 * MINUTE_US, AT - 5 * HOUR_US])
    stored_of = []
    for of_group, length in zip(layouts_of, lengths, strict=True):
        events = [Event(AT - each * MINUTE_US, each + 1, (each, 1), (True, True)) for each in range(length)]
        keys = [b"%d of %d" % (each, length) for each in range(3)]
        values = [stored(of_group, events, keys[0]), None, stored(of_group, events[:1], keys[2], OTHER_BUILD)]
        stored_of.append(StoredEntities(keys, values, [BUILD] * 3))
    reader = EntityReader(layouts_of)
    for _ in range(2):
        together = reader.read(stored_of, instants)
        for of_group, each, got in zip(layouts_of, stored_of, together, strict=True):
            alone = read_one(of_group, *each, instants)
            assert got.values.tobytes() == alone.values.tobytes()
            assert got[1:] == alone[1:]


def test_no_entities_have_no_features() -> None:
    (got,) = EntityReader([SMALL]).read([StoredEntities([], [], [])], np.empty(0, np.int64))
    assert got.values.shape == (0, len(SMALL.features))
    assert EntityReader([]).read([], np.array([AT])) == []
