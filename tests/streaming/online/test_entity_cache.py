"""The cache forgets the least lately used, never one of the batch at hand, and its memory follows its entities."""

import numpy as np

from streaming.online.entity_cache import EntityCache
from tests.streaming.small_domain import PAYER


def meet(cache, keys):
    unknown = cache.unknown(keys)
    cache.add(unknown, np.array(unknown, np.uint64) + np.uint64(7))
    return cache.slots(keys)


def test_keys_and_slots_belong_together():
    cache = EntityCache(PAYER.layout, limit=10)
    slots = meet(cache, [7, 8, 7])
    assert slots[0] == slots[2] != slots[1]
    assert cache.keys(slots) == [7, 8, 7]
    assert cache.owners(slots).tolist() == [14, 15, 14]
    assert cache.unknown([9, 7, 9, 5]) == [9, 5]


def test_the_least_lately_used_go_first():
    cache = EntityCache(PAYER.layout, limit=20)
    for start in (0, 10, 20):
        meet(cache, list(range(start, start + 10)))
        meet(cache, [3])
    assert cache.evict() == 10
    assert cache.unknown(list(range(30))) == [0, 1, 2, 4, 5, 6, 7, 8, 9, *cache.unknown(range(10, 20))]
    assert len(cache) == cache.state.size == 20


def test_a_batch_larger_than_the_limit_stays_until_the_next_one():
    cache = EntityCache(PAYER.layout, limit=2)
    meet(cache, list(range(50)))
    assert cache.evict() == 0
    meet(cache, [1])
    assert cache.evict() == 48
    assert cache.unknown([1]) == []


def test_entities_that_trickle_in_cost_room_for_themselves_alone():
    """Room that doubled with each new entity stopped the process at a few dozen of them."""
    cache = EntityCache(PAYER.layout, limit=1000)
    for key in range(300):
        meet(cache, [key])
    assert len(cache._used) <= 2 * 300
    assert np.array_equal(meet(cache, list(range(300))), [cache.slots([key])[0] for key in range(300)])
