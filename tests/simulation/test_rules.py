"""The simulator can fail: each rule of the protocol, taken out alone, is found."""

import os
import subprocess
import sys
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.shard_meta import COMMIT_ID_BYTES, ShardMeta
from shared_features.formats.shard_meta_bytes import decode_meta, encode_meta
from streaming.bootstrap.shard_build import ShardBuild
from streaming.errors import RestartNeeded
from streaming.kafka.brokers.topics import PartitionKey
from streaming.online.absent_shard import AbsentShard
from streaming.online.router import Router
from streaming.online.shard import Shard
from streaming.online.sub_batch import SubBatch
from streaming.online_store.shard_store import shard_label
from tests.simulation.domain import READER
from tests.simulation.kafka_model import KEYS, Reader
from tests.simulation.processes import NAMESPACE, Bootstrap, Online
from tests.simulation.receipts import Served, receipts
from tests.simulation.rules import RULES
from tests.simulation.schedules import first_found
from tests.simulation.world import World

DIRECTED, COMPILED = ("loads checked",), "content ties"
LONG = ("build ids", "contiguous sub-batches")
"""Found late, after 20 to 30 s."""
MOST = 1_500
"""How many schedules a rule may take: several times what the slowest took when this was written."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(rule, marks=pytest.mark.deep if rule in LONG else ())
        for rule in RULES
        if rule not in (*DIRECTED, COMPILED)
    ],
)
def test_a_rule_that_is_missing_is_found(rule):
    assert first_found(rule, MOST) is not None


@pytest.mark.slow
@pytest.mark.deep  # the kernel is compiled a second time
def test_ties_broken_by_order_are_found(tmp_path):
    """In a process of its own, whose kernel is compiled with the other rule and cached apart."""
    command = [sys.executable, "-m", "tests.simulation", "--schedules", "40", "--processes", "1", "--without", COMPILED]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=900)
    assert "states are not those of the stored events" in ended.stdout, ended.stderr[-3_000:]


class Directed:
    """A world of two shards that are live and empty, for schedules written by hand."""

    def __init__(self) -> None:
        self.world = World(next(seed for seed in range(100) if World(seed).groups == (READER,)))
        self.world.chances.calm = True
        for number in range(READER.shards):
            key = meta_key(NAMESPACE, READER, number)
            meta = ShardMeta(bytes([number]) * COMMIT_ID_BYTES, 1, False, READER.fingerprint, 0, key=key)
            self.world.redis.values[key] = encode_meta(meta)

    def shards(self) -> list[Shard | AbsentShard]:
        """An owner, as he is when he has read the metas."""
        online = Online(self.world)
        return [online._shard(READER, number, shard_label(READER, number)) for number in range(READER.shards)]

    def produce(self, beyond: Mapping[PartitionKey, int] = MappingProxyType({})) -> list[list[SubBatch]]:
        """Thirty records more; all there are beyond some offsets, by shard."""
        for _ in range(30):
            self.world.kafka.produce()
        for log in self.world.kafka.logs.values():
            log.visible = len(log.records)
        parts = dict(Router(self.world.groups, 0)(Reader(self.world.kafka, beyond).poll()))
        return [parts[shard_label(READER, number)] for number in range(READER.shards)]

    def served(self) -> list[str]:
        """What is wrong with what a prediction would read now."""
        values = self.world.redis.values
        for number in range(READER.shards):
            meta = decode_meta(values[meta_key(NAMESPACE, READER, number)])
            for key in range(KEYS):
                state = values.get(entity_prefix(NAMESPACE, READER, number) + b"%d" % key)
                self.world.served.append(Served(READER, number, key, meta, state))
        return list(receipts(self.world))


def loaded_under_another_owners_id() -> list[str]:
    """An owner loads what another one has written, Redis is cut back to his own id, and he commits what he has."""
    directed = Directed()
    mine = dict(directed.world.redis.values)
    zombie, owner = directed.shards(), directed.shards()
    some, everything = directed.produce(), directed.produce()
    for shard, parts in zip(owner, everything, strict=True):
        shard.write(parts)
        shard.close()
    for shard, parts in zip(zombie, some, strict=True):
        shard.write(parts)
    directed.world.redis.cut_back(mine)
    for shard in zombie:
        shard.close()
    return directed.served()


def built_anew_without_what_was_lost() -> list[str]:
    """What a shard had applied was deleted before it was archived: it is built anew, and goes on, without that."""
    directed = Directed()
    world, lost = directed.world, directed.produce()
    for shard, parts in zip(directed.shards(), lost, strict=True):
        shard.write(parts)
        shard.close()
    for number in range(READER.shards):
        vector = decode_meta(world.redis.values[meta_key(NAMESPACE, READER, number)]).vector
        store = Bootstrap(world)._store(READER, number)
        build = ShardBuild(READER, store, entity_prefix(NAMESPACE, READER, number), world.kafka.clock_us)
        build.finish(vector, [(of, 0, at.offset + 1) for of, at in vector.items()], 0)
    for shard, parts in zip(directed.shards(), directed.produce(), strict=True):
        shard.write(parts)
        shard.close()
    return directed.served()


def read_from_beyond_what_redis_holds() -> list[str]:
    """Redis is cut back after the source has asked where to begin, and before the shards read their metas."""
    directed = Directed()
    lost = directed.produce()
    ends = {(part.span.topic, part.span.partition): part.span.to for part in lost[0]}
    for shard, parts in zip(directed.shards(), directed.produce(ends), strict=True):
        shard.write(parts)
        shard.close()
    return directed.served()


def test_sub_batches_that_do_not_join_on_are_refused():
    with pytest.raises(RestartNeeded, match="never arrived"):
        read_from_beyond_what_redis_holds()


def test_sub_batches_that_do_not_join_on_and_are_taken_are_found():
    with RULES["contiguous sub-batches"]():
        assert "reader:v1: what was served is not the state of its vector" in read_from_beyond_what_redis_holds()


def test_an_entity_loaded_under_another_owners_id_is_refused():
    with pytest.raises(RestartNeeded, match="its commit id in Redis"):
        loaded_under_another_owners_id()


def test_entity_loads_that_are_not_checked_are_found():
    with RULES["loads checked"]():
        assert "reader:v1: what was served is not the state of its vector" in loaded_under_another_owners_id()


def test_states_of_an_earlier_build_are_missing():
    assert built_anew_without_what_was_lost() == []


def test_states_of_an_earlier_build_that_are_taken_are_found():
    with RULES["build ids"]():
        assert "reader:v1: what was served is not the state of its vector" in built_anew_without_what_was_lost()
