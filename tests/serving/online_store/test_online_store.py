"""The online store in memory and the one in Redis: the same tests for both, and what only Redis can do wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import redis
from structlog.testing import capture_logs

from deploy.embedded.redis_server import RedisServer
from serving.errors import OnlineStoreError
from serving.online_store import kept_connection
from serving.online_store.online_store import NOT_A_STRING, OnlineStore
from tests.fakes import InMemoryOnlineStore
from tests.serving.cut_off import cut_off
from tests.serving.redis_stores import found_again, redis_store

VALUES = {b"{a}:meta": b"\x00\xffmeta", b"{a}:e:1": b"one", b"{a}:e:2": b"", b"{b}:meta": b"other"}


@pytest.fixture(scope="module")
def server():
    with RedisServer() as running:
        yield running


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
        async with redis_store(server.url) as store:
            return await store.read([[b"large", b"large"]])

    assert asyncio.run(read()) == [[large, large]]


def test_a_frozen_redis_is_given_up_within_the_deadline_and_found_again():
    with RedisServer() as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("key", "value")

        async def freeze():
            loop = asyncio.get_running_loop()
            async with redis_store(server.url, 0.2) as store:
                server.pause()
                began = loop.time()
                with pytest.raises(OnlineStoreError, match="within 200 ms"):
                    await store.read([[b"key"]])
                waited = loop.time() - began
                store._deadline_s = 3600.0
                async with asyncio.timeout(60):  # it is known to be away: nobody waits for a deadline any more
                    with pytest.raises(OnlineStoreError):
                        await store.read([[b"key"]])
                server.resume()
                return waited, await found_again(store)

        waited, value = asyncio.run(freeze())
        assert waited >= 0.2
        assert value == [[b"value"]]


def test_a_redis_that_is_frozen_at_the_start_is_named_once():
    """Clients and readiness read "Redis: Redis: did not answer"."""

    async def read(url):
        async with redis_store(url, 0.2) as store:
            await store.read([[b"key"]])

    with RedisServer() as server:
        server.pause()
        try:
            with pytest.raises(OnlineStoreError) as refused:
                asyncio.run(read(server.url))
        finally:
            server.resume()
    assert refused.value.detail == "Redis: did not answer within 200 ms"


def test_a_killed_redis_fails_reads_at_once_and_is_found_again():
    with RedisServer() as server:

        async def kill():
            loop = asyncio.get_running_loop()
            async with redis_store(server.url, 3600.0) as store:
                server.kill()
                async with asyncio.timeout(60):  # and not until the deadline
                    with pytest.raises(OnlineStoreError):
                        await store.read([[b"key"]])
                await loop.run_in_executor(None, server.restart)
                return await found_again(store)

        assert asyncio.run(kill()) == [[None]]


def test_a_port_where_nobody_listens_is_said_at_the_start_and_not_waited_for():
    async def read():
        async with redis_store("redis://127.0.0.1:1/0") as store:
            await store.read([[b"key"]])

    with pytest.raises(OnlineStoreError, match=r"Redis: no connection \(Connection refused\)$"):
        asyncio.run(read())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("unix:///srv/millrace/redis.sock", r"no connection \(No such file or directory\)"),
        ("rediss://127.0.0.1:1/0?ssl_ca_certs=/srv/millrace/ca.pem", r"no connection \(No such file or directory\)"),
        ("redis://127.0.0.1:1/0", r"no connection \(Connection refused\)"),
    ],
)
def test_clients_learn_neither_files_nor_addresses_of_the_server_and_the_log_has_the_cause(url, said):
    async def read():
        async with redis_store(url) as store:
            await store.read([[b"key"]])

    with capture_logs() as lines, pytest.raises(OnlineStoreError, match=f"^Redis: {said}$"):
        asyncio.run(read())
    (line,) = [each for each in lines if each["event"] == "reconnecting to the online store"]
    assert line["reason"]


def test_a_key_that_holds_no_string_is_not_missing(server):
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
        client.hset("{a}:e:1", "field", "value")
        client.set("{a}:e:2", "two")
        client.rpush("{a}:meta", "x")

    async def read():
        async with redis_store(server.url) as store:
            return await store.read([[b"{a}:meta", b"{a}:e:1", b"{a}:e:2", b"{a}:e:3"], [b"{a}:e:1"]])

    assert asyncio.run(read()) == [[NOT_A_STRING, NOT_A_STRING, b"two", None], [NOT_A_STRING]]


def test_after_a_pause_that_redis_does_not_wait_for_a_read_is_answered(server):
    """`timeout 1` closes a connection that is idle for a second: in the middle of a read, before one, or after one."""
    with redis.Redis.from_url(server.url) as client:
        client.mset(VALUES)
        client.config_set("timeout", 1)

        async def read():
            found = []
            async with redis_store(server.url) as store:
                for pause_s in (1.2, 2.1, 3.3):
                    await asyncio.sleep(pause_s)
                    found.append(await store.read([[b"{a}:e:1"]]))
            return found

        try:
            assert asyncio.run(read()) == [[[b"one"]]] * 3
        finally:
            client.config_set("timeout", 0)


def test_reads_whose_connection_is_killed_are_repeated_on_the_next(server):
    """However often and whenever: before, during and after the reads of many requests."""
    with redis.Redis.from_url(server.url) as client:
        client.mset(VALUES)

        async def read():
            loop, found = asyncio.get_running_loop(), []
            async with redis_store(server.url) as store:
                for _ in range(30):
                    killing = loop.run_in_executor(None, client.client_kill_filter, None, "normal", None, True)
                    for _ in range(2):  # the second find what the first may have left: a killed connection
                        reads = [store.read([[b"{a}:e:1"], [b"{b}:meta"]]) for _ in range(5)]
                        found += await asyncio.gather(*reads)
                        await killing
            return found

        assert asyncio.run(read()) == [[[b"one"], [b"other"]]] * 300


def test_a_read_is_repeated_within_its_deadline_alone(server):
    """The first connection is cut at half of the deadline, the second is silent: one deadline in all."""

    async def read(deadline_s):
        async with (
            cut_off(server.port) as proxy,
            redis_store(f"redis://127.0.0.1:{proxy.port}/0", deadline_s) as store,
        ):
            assert await found_again(store, b"{a}:e:1") == [[b"one"]]
            proxy.silent = True
            loop = asyncio.get_running_loop()
            began = loop.time()
            reading = asyncio.ensure_future(store.read([[b"{a}:e:1"]]))
            await asyncio.sleep(deadline_s / 2)
            proxy.cut()
            with pytest.raises(OnlineStoreError):
                await reading
            return (loop.time() - began) / deadline_s

    with redis.Redis.from_url(server.url) as client:
        client.mset(VALUES)
    for deadline_s in (0.4, 4.0, 20.0):  # the next one where a busy machine added too much to the one before
        deadlines = asyncio.run(read(deadline_s))
        if deadlines < 1.4:
            break
    assert 0.9 < deadlines < 1.4


def test_a_connection_that_is_forgotten_without_a_word_is_found_by_a_ping(server, monkeypatch):
    """A firewall drops what has been idle: no answer comes, and no end of the connection."""
    monkeypatch.setattr(kept_connection, "_PING_EVERY_S", 0.1)
    monkeypatch.setattr(kept_connection, "_PING_WITHIN_S", 0.1)
    with redis.Redis.from_url(server.url) as client:
        client.mset(VALUES)

    async def read():
        async with cut_off(server.port) as proxy, redis_store(f"redis://127.0.0.1:{proxy.port}/0", 2.0) as store:
            proxy.forget()
            return await found_again(store, b"{a}:e:1")

    assert asyncio.run(read()) == [[b"one"]]


def test_a_slow_answer_is_asked_for_once_more_and_fails_nobody_behind_it(server):
    """One late answer failed every read in flight, and no line of the log told of it."""
    with redis.Redis.from_url(server.url) as client:
        client.mset(VALUES)

    async def read():
        async with cut_off(server.port) as proxy, redis_store(f"redis://127.0.0.1:{proxy.port}/0", 6.0) as store:
            proxy.holds_next = True
            first = [store.read([[b"{a}:e:1"]]), store.read([[b"{b}:meta"]])]
            found = await asyncio.gather(*first)
            found.append(await store.read([[b"{a}:meta"]]))
            assert proxy.held  # the first connection still answers nothing
            return found, proxy.accepted

    with capture_logs() as lines:
        found, accepted = asyncio.run(read())
    assert found == [[[b"one"]], [[b"other"]], [[b"\x00\xffmeta"]]]
    assert accepted == 2  # no connection was ended
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == ["waiting for a slow online store"]


def test_an_answer_that_comes_too_late_is_dropped_and_the_next_belongs_to_its_read(server):
    with redis.Redis.from_url(server.url) as client:
        client.mset(VALUES)

    async def read():
        async with cut_off(server.port) as proxy, redis_store(f"redis://127.0.0.1:{proxy.port}/0", 0.5) as store:
            proxy.holds_all = True
            with pytest.raises(OnlineStoreError, match="within 500 ms"):
                await store.read([[b"{a}:e:1"]])
            proxy.holds_all = False
            return await found_again(store, b"{b}:meta")

    assert asyncio.run(read()) == [[b"other"]]
