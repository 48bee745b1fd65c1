"""The online store in memory and the one in Redis: the same tests for both, and what only Redis can do wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import redis

from deploy.embedded.redis_server import RedisServer
from serving.errors import OnlineStoreError
from serving.online_store import OnlineStore, RedisOnlineStore
from tests.fakes import InMemoryOnlineStore

VALUES = {b"{a}:meta": b"\x00\xffmeta", b"{a}:e:1": b"one", b"{a}:e:2": b"", b"{b}:meta": b"other"}
DEADLINE_S = 0.2


@pytest.fixture(scope="module")
def server():
    with RedisServer() as running:
        yield running


@asynccontextmanager
async def redis_store(url: str, deadline_s: float = DEADLINE_S) -> AsyncIterator[RedisOnlineStore]:
    store = RedisOnlineStore(url, deadline_s)
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


@pytest.fixture(params=["memory", "redis"])
def opened(request, server):
    """`async with opened() as store`, holding VALUES."""

    @asynccontextmanager
    async def open_store() -> AsyncIterator[OnlineStore]:
        if request.param == "memory":
            yield InMemoryOnlineStore(dict(VALUES))
            return
        with redis.Redis.from_url(server.url) as client:
            client.flushall()
            client.mset(VALUES)
        async with redis_store(server.url) as store:
            yield store

    return open_store


def test_values_come_in_the_order_of_the_keys_and_none_where_there_is_none(opened):
    async def read():
        async with opened() as store:
            return await store.read([[b"{a}:meta", b"{a}:e:2", b"{a}:e:3", b"{a}:e:1"], [b"{b}:meta"]])

    assert asyncio.run(read()) == [[b"\x00\xffmeta", b"", None, b"one"], [b"other"]]


def test_reading_nothing_gives_nothing(opened):
    async def read():
        async with opened() as store:
            return await store.read([])

    assert asyncio.run(read()) == []


def test_reads_at_once_each_get_their_own_answer(opened):
    async def read():
        async with opened() as store:
            reads = [[[b"{a}:e:1"]], [[b"{b}:meta"], [b"{a}:meta"]], [[b"{a}:e:9"]]] * 20
            return await asyncio.gather(*(store.read(each) for each in reads))

    assert asyncio.run(read()) == [[[b"one"]], [[b"other"], [b"\x00\xffmeta"]], [[None]]] * 20


def test_a_value_of_megabytes_arrives_whole(server):
    large = bytes(range(256)) * 20_000
    with redis.Redis.from_url(server.url) as client:
        client.set("large", large)

    async def read():
        async with redis_store(server.url, 5.0) as store:
            return await store.read([[b"large", b"large"]])

    assert asyncio.run(read()) == [[large, large]]


def test_the_database_of_the_url_is_read(server):
    url = server.url.removesuffix("/0") + "/3"
    with redis.Redis.from_url(url) as client:
        client.set("where", "three")

    async def read():
        async with redis_store(url) as store:
            return await store.read([[b"where"]])

    assert asyncio.run(read()) == [[b"three"]]


def test_a_password_is_given_and_a_wrong_one_is_said():
    with RedisServer() as guarded:
        with redis.Redis.from_url(guarded.url) as client:
            client.set("key", "value")
            client.config_set("requirepass", "secret")
        address = guarded.url.removeprefix("redis://")

        async def read(url):
            async with redis_store(url) as store:
                return await store.read([[b"key"]])

        assert asyncio.run(read(f"redis://:secret@{address}")) == [[b"value"]]
        with pytest.raises(OnlineStoreError, match=r"WRONGPASS|invalid|AUTH"):
            asyncio.run(read(f"redis://:wrong@{address}"))
        with pytest.raises(OnlineStoreError, match="NOAUTH"):
            asyncio.run(read(guarded.url))
        with redis.Redis.from_url(guarded.url, password="secret") as client:
            client.config_set("requirepass", "")


def test_a_frozen_redis_is_given_up_within_the_deadline_and_found_again():
    with RedisServer() as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("key", "value")

        async def freeze():
            loop = asyncio.get_running_loop()
            async with redis_store(server.url) as store:
                server.pause()
                began = loop.time()
                with pytest.raises(OnlineStoreError, match="within 200 ms"):
                    await store.read([[b"key"]])
                waited, began = loop.time() - began, loop.time()
                with pytest.raises(OnlineStoreError):
                    await store.read([[b"key"]])
                waited_again = loop.time() - began
                server.resume()
                return waited, waited_again, await found_again(store)

        waited, waited_again, value = asyncio.run(freeze())
        assert DEADLINE_S <= waited < DEADLINE_S + 0.5
        assert waited_again < 0.1  # it is known to be away: nobody waits for a deadline any more
        assert value == [[b"value"]]


def test_a_killed_redis_fails_reads_at_once_and_is_found_again():
    with RedisServer() as server:

        async def kill():
            loop = asyncio.get_running_loop()
            async with redis_store(server.url, 5.0) as store:
                server.kill()
                began = loop.time()
                with pytest.raises(OnlineStoreError):
                    await store.read([[b"key"]])
                waited = loop.time() - began
                await loop.run_in_executor(None, server.restart)
                return waited, await found_again(store)

        waited, value = asyncio.run(kill())
        assert waited < 1.0
        assert value == [[None]]


def test_a_port_where_nobody_listens_is_said_at_the_start_and_not_waited_for():
    async def read():
        async with redis_store("redis://127.0.0.1:1/0") as store:
            await store.read([[b"key"]])

    with pytest.raises(OnlineStoreError, match="Redis"):
        asyncio.run(read())


async def found_again(store: OnlineStore) -> list[list[bytes | None]]:
    for _ in range(100):
        try:
            return await store.read([[b"key"]])
        except OnlineStoreError:
            await asyncio.sleep(0.1)
    raise AssertionError("Redis was not found again")
