"""States by entity key: a key keeps its slot, what is forgotten comes back empty, and bytes come back as they were."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features.kernel.event_time import MINUTE_US
from shared_features.kernel.replay import apply, read
from streaming.replay.entity_states import EntityStates, built_from_us
from tests.streaming.small_domain import PAYER, SHOP_RISK

AT_US = 1_700_000_000_000_000


def add(states: EntityStates, key: int, times_us: list[int]) -> None:
    """Events of a payer."""
    slots = np.repeat(states.slots(np.array([key])), len(times_us))
    digests = np.arange(len(times_us), dtype=np.uint64) + np.uint64(1_000 * key)
    ones = np.ones((len(times_us), len(PAYER.columns)), np.int64)
    apply(states.state, slots, np.array(times_us), digests, ones, ones.astype(np.bool_))


@given(st.lists(st.lists(st.integers(-5, 5), max_size=8), max_size=5))
def test_a_key_has_one_slot_whatever_was_asked_before(batches: list[list[int]]) -> None:
    states, known = EntityStates(PAYER), dict[int, int]()
    for keys in batches:
        assert states.unknown(np.array(keys, np.int64)) == [key for key in dict.fromkeys(keys) if key not in known]
        for key, slot in zip(keys, states.slots(np.array(keys, np.int64)).tolist(), strict=True):
            assert known.setdefault(key, slot) == slot
    assert len(set(known.values())) == len(known) == len(states)
    assert dict(zip(*(list(each) for each in states.entities), strict=True)) == known


def test_texts_that_look_like_numbers_are_other_entities_than_numbers_are() -> None:
    states = EntityStates(SHOP_RISK)
    assert states.slots(["7", "07", "7"]).tolist() == [0, 1, 0]


def test_what_was_encoded_reads_the_same_elsewhere() -> None:
    here, there = EntityStates(PAYER), EntityStates(PAYER)
    add(here, 7, [AT_US, AT_US + 5])
    add(here, 8, [AT_US + 9])
    there.slots(np.array([99, 8]))
    keys, slots = here.entities
    owners = np.array([70, 80], np.uint64)
    restored = there.restore(keys, here.encoded(slots, 3, owners), 3, owners)
    assert there.slots(np.array([7, 8])).tolist() == restored.tolist() == [2, 1]
    as_of = np.full(2, AT_US + 20)
    assert read(there.state, restored, as_of).tobytes() == read(here.state, slots, as_of).tobytes()
    assert there.encoded(restored, 3, owners) == here.encoded(slots, 3, owners)


def test_only_idle_entities_are_forgotten_and_one_that_returns_begins_empty() -> None:
    states = EntityStates(PAYER)
    for key, at_us in ((1, AT_US), (2, AT_US + MINUTE_US), (3, AT_US - MINUTE_US), (4, AT_US - 1)):
        add(states, key, [at_us])
    busy = states.slots(np.array([3]))
    states.forget(AT_US, busy)
    assert states.entities[0] == [1, 2, 3]
    returned = states.slots(np.array([4]))
    nothing = EntityStates(PAYER)
    wanted = read(nothing.state, nothing.slots(np.array([4])), np.array([AT_US + 1]))
    assert read(states.state, returned, np.array([AT_US + 1])).tobytes() == wanted.tobytes()


def test_a_build_reads_far_enough_back_for_whatever_a_kept_entity_can_hold() -> None:
    """Twice what can be read is how long a key lives; the rest is a window, its hop and the head."""
    longest = max(spec.length_us + spec.hop_us for spec in PAYER.layout.features)
    assert built_from_us(PAYER) >= 2 * PAYER.readable_us + longest + PAYER.layout.head_us
