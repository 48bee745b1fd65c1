"""How stale the stored features are: the worst shard of a group, whether or not anybody asks for it."""

import asyncio
import math

import pytest

from serving.features.stored_freshness import StoredFreshness
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta import VectorEntry
from shared_features.formats.shard_meta_bytes import encode_meta
from shared_features.stored_features.shards import Shard
from tests.domains.machines import HOT_PLANT, MACHINE_HEAT
from tests.fakes import InMemoryOnlineStore, PushedClock
from tests.serving.conftest import NOW_US
from tests.serving.stored_states import NAMESPACE, shard_meta

SECOND_US = 1_000_000


class Told:
    """Metrics that note what they are told."""

    def __init__(self) -> None:
        self.found: dict[str, float] = {}

    def freshness(self, group: str, seconds: float) -> None:
        self.found[group] = seconds


def measured(store: InMemoryOnlineStore) -> dict[str, float]:
    told = Told()
    shards = [Shard(NAMESPACE, group, number) for group in (MACHINE_HEAT, HOT_PLANT) for number in range(group.shards)]
    asyncio.run(StoredFreshness(store, [*shards, *shards], PushedClock(NOW_US), told).measure())  # type: ignore[arg-type]  # noted
    return told.found


@pytest.fixture
def store() -> InMemoryOnlineStore:
    found = InMemoryOnlineStore()
    for group, ages_s in ((MACHINE_HEAT, (3, 40)), (HOT_PLANT, (7, 7))):
        for number in range(group.shards):
            put(found, group, number, NOW_US - ages_s[number % 2] * SECOND_US)
    return found


def put(store, group, number, until_us, **changed) -> None:
    vector = {("t", "id", partition): VectorEntry(1, until_us + partition) for partition in (0, 1)}
    meta = shard_meta(group, number, vector=vector, **changed)
    store.values[meta_key(NAMESPACE, group, number)] = encode_meta(meta)


def test_the_slowest_shard_of_each_group_counts(store: InMemoryOnlineStore) -> None:
    assert measured(store) == {"machine_heat": 40.0, "hot_plant": 7.0}
    assert len(store.asked[0]) == MACHINE_HEAT.shards + HOT_PLANT.shards, "each shard is read once"


def test_a_shard_that_cannot_be_used_is_infinitely_stale(store: InMemoryOnlineStore) -> None:
    put(store, HOT_PLANT, 0, NOW_US, behind=True)
    assert measured(store) == {"machine_heat": 40.0, "hot_plant": math.inf}
    store.away = "gone"
    assert measured(store) == {"machine_heat": math.inf, "hot_plant": math.inf}


def test_a_shard_that_nothing_has_reached_yet_says_nothing_and_one_ahead_of_the_clock_is_fresh(
    store: InMemoryOnlineStore,
) -> None:
    for number in range(HOT_PLANT.shards):
        put(store, HOT_PLANT, number, -2)
    for number in range(MACHINE_HEAT.shards):
        put(store, MACHINE_HEAT, number, NOW_US + SECOND_US)
    assert measured(store) == {"machine_heat": 0.0}
