"""Redis Cluster, real ones: one server with all slots is as good as any; slots dealt to several are refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import redis

from deploy.embedded.redis_server import RedisServer
from streaming.errors import RefusedError
from streaming.online_store.link import RedisLink
from streaming.online_store.server import StoreServer
from streaming.operations.check.finding import Finding
from streaming.operations.check.stores import check_redis
from streaming.settings import StreamingSettings, load_settings
from tests.streaming.kafka_log import KafkaLog
from tests.streaming.online.shards import Shards, stored_states, wanted_states
from tests.streaming.online.some_log import a_log
from tests.streaming.small_domain import PAYER

_SLOTS = 16_384


def cluster_node(stack: ExitStack, slots: range) -> RedisServer:
    server = RedisServer()
    server.options = {"cluster-enabled": "yes"}
    stack.enter_context(server)
    call(server, "CLUSTER", "ADDSLOTS", *slots)
    return server


def call(server: RedisServer, *arguments: object) -> object:
    with redis.Redis.from_url(server.url) as client:
        return client.execute_command(*arguments)


def wait_until(done: Callable[[], bool], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def serves(server: RedisServer, slots_known: int) -> bool:
    with redis.Redis.from_url(server.url) as client:
        told = client.cluster("info")
    return bool(told["cluster_state"] == "ok" and int(told["cluster_slots_ok"]) == slots_known)


@pytest.fixture(scope="module")
def whole() -> Iterator[RedisServer]:
    """A cluster of one server."""
    with ExitStack() as stack:
        server = cluster_node(stack, range(_SLOTS))
        wait_until(lambda: serves(server, _SLOTS))
        yield server


@pytest.fixture(scope="module")
def half() -> Iterator[RedisServer]:
    """One server of a cluster of two."""
    with ExitStack() as stack:
        first = cluster_node(stack, range(_SLOTS // 2))
        second = cluster_node(stack, range(_SLOTS // 2, _SLOTS))
        call(first, "CLUSTER", "MEET", "127.0.0.1", second.port)
        wait_until(lambda: serves(first, _SLOTS) and serves(second, _SLOTS))
        yield first


def settings_of(server: RedisServer) -> StreamingSettings:
    return load_settings(redis_url=server.url)


def found(server: RedisServer) -> list[Finding]:
    look = StoreServer(settings_of(server), within_s=60.0)
    try:
        return list(check_redis(look, [PAYER], {}, dict))
    finally:
        look.close()


def test_a_cluster_of_several_servers_is_refused_with_what_to_do(half: RedisServer) -> None:
    (told,) = found(half)
    assert told.level == "refused"
    assert "serves only 8192 of 16384 slots. Point REDIS_URL to a single primary" in told.text


def test_a_key_that_another_server_holds_is_refused_and_not_tried_again(half: RedisServer) -> None:
    link = RedisLink(settings_of(half))
    with pytest.raises(RefusedError, match="REDIS_URL to a single primary"):
        link.call("GET", "foo")  # of slot 12182
    link.close()


def test_a_cluster_of_one_server_is_sound_and_holds_shards(whole: RedisServer) -> None:
    assert found(whole) == []
    settings = settings_of(whole)
    log: KafkaLog = a_log()
    shards = Shards(settings, [PAYER])
    for key in log.all():
        if key[0] == "payments":
            shards.write(log.poll(key, -1, len(log.of(key)) - 1))
    shards.close()
    with redis.Redis.from_url(settings.redis_url) as client:
        assert stored_states(client, settings, PAYER) == wanted_states(PAYER, log)
