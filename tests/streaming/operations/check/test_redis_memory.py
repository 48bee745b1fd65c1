"""The estimate of Redis' memory against a real server's `used_memory`, with the states and keys that online writes."""

import time

import numpy as np
import pytest
import redis

from shared_features.definitions import load_definitions
from shared_features.formats.entity_state import encode_states
from shared_features.formats.online_state import entity_prefix
from shared_features.kernel.replay import apply
from shared_features.kernel.tile_state import TileState
from streaming.operations.check.history_sample import made_up
from streaming.operations.check.redis_memory import in_words, redis_bytes

TOLERANCE = 0.1
ENTITIES = 40_000


@pytest.mark.parametrize(("length", "about"), [(20, "in the object"), (200, "usual"), (3_000, "large")])
def test_the_estimate_is_what_a_real_server_uses(redis_server, length, about):
    """Within 10 %: the server may be of another release, and built with another allocator."""
    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    empty = client.info("memory")["used_memory"]
    keys = [f"{{millrace:machine_heat:v3:1}}:e:north|m{number}".encode() for number in range(ENTITIES)]
    sizes = np.random.default_rng(1).integers(length // 2, length * 3 // 2, ENTITIES).tolist()
    write(client, dict(zip(keys, map(bytes, sizes), strict=True)))
    used = settled(client) - empty
    client.flushall()
    client.close()
    assert redis_bytes([len(each) for each in keys], sizes, ENTITIES) == pytest.approx(used, rel=TOLERANCE)


def test_an_estimate_from_some_entities_holds_for_many(redis_server):
    """States of made-up events, as `check --entities` takes them: a tenth of them says what all of them use."""
    group = load_definitions("tests.domains.machines").group("machine_heat:v3")
    sample = made_up(group, 10.0, time.time_ns() // 1000)
    names, owner = np.unique(np.array(sample.keys), return_inverse=True)
    state = TileState(group.layout)
    slots = state.add(len(names))
    apply(state, slots[owner], sample.event_time_us, sample.digest, sample.values, sample.valid)
    states = [bytes(each) for each in encode_states(state, slots, 0)]
    prefix = entity_prefix("millrace", group, 1)
    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    empty = client.info("memory")["used_memory"]
    write(client, {prefix + name.encode(): value for name, value in zip(names.tolist(), states, strict=True)})
    used = settled(client) - empty
    client.flushall()
    client.close()
    few = slice(None, None, 10)
    keys = [len(prefix + name.encode()) for name in names.tolist()]
    found = redis_bytes(keys[few], [len(each) for each in states[few]], len(states))
    assert found == pytest.approx(used, rel=TOLERANCE)


def write(client, content):
    pipeline = client.pipeline(transaction=False)
    for number, (key, value) in enumerate(content.items()):
        pipeline.set(key, value, px=86_400_000)
        if number % 5_000 == 0:
            pipeline.execute()
    pipeline.execute()


def settled(client):
    """The tables of a dictionary grow step by step, while the server has nothing else to do."""
    deadline = time.monotonic() + 60
    while "rehashing target" in str(client.execute_command("DEBUG", "HTSTATS", 0)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return client.info("memory")["used_memory"]


def test_sizes_are_said_as_people_read_them():
    assert in_words(900) == "900 B"
    assert in_words(1_500_000) == "1.43 MiB"
