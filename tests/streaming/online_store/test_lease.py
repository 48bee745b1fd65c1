"""The lease: one owner at work, the other stands by, and takes over when the first falls silent."""

import time
from collections.abc import Callable

import pytest

from streaming.errors import RestartNeeded, StoppedWaiting
from streaming.job.stopping import wait
from streaming.online_store import lease as lease_module
from streaming.online_store.lease import Lease
from streaming.online_store.link import RedisLink
from streaming.settings import StreamingSettings

LONG_MS = 600_000  # longer than any test


def until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def lease(settings: StreamingSettings, owner: str, sleep: Callable[[float], bool] = wait) -> Lease:
    return Lease(RedisLink(settings), settings.redis_namespace, "online", owner, sleep)


def test_a_second_owner_stands_by_until_asked_to_stop(settings):
    lease(settings, "first").take()
    waited: list[float] = []

    def sleep(seconds):
        waited.append(seconds)
        return len(waited) == 3

    with pytest.raises(StoppedWaiting):
        lease(settings, "second", sleep).take()
    assert len(waited) == 3


def test_whoever_follows_the_owner_goes_on_at_once(settings):
    lease(settings, "job").take()
    lease(settings, "job", lambda seconds: pytest.fail("it waited")).take()


def test_it_falls_to_the_next_when_the_owner_is_silent(client, settings, monkeypatch):
    key = f"{settings.redis_namespace}:online:lease"
    first = lease(settings, "first")
    first.take()
    client.pexpire(key, 200)  # it is silent for nearly as long as the lease lasts
    monkeypatch.setattr(lease_module, "LEASE_MS", LONG_MS)
    lease(settings, "second").take()
    monkeypatch.setattr(lease_module, "_KEEP_EVERY_S", 0.0)
    first.keep()  # it wakes: the lease is another's, and stays so
    assert client.get(key) == b"second"


def test_it_is_kept_while_the_owner_is_at_work(client, settings, monkeypatch):
    key = f"{settings.redis_namespace}:online:lease"
    monkeypatch.setattr(lease_module, "LEASE_MS", LONG_MS)
    monkeypatch.setattr(lease_module, "_KEEP_EVERY_S", 0.0)
    first = lease(settings, "first")
    first.take()
    client.pexpire(key, LONG_MS // 2)
    first.keep()
    assert client.pttl(key) > LONG_MS // 2


def test_it_is_taken_and_kept_by_one_round_trip_each(settings, monkeypatch):
    """Two programs of a job do so every second, also at rest."""
    monkeypatch.setattr(lease_module, "_KEEP_EVERY_S", 0.0)
    sent = 0
    begin = RedisLink.begin

    def counted(link, packed):
        nonlocal sent
        sent += 1
        begin(link, packed)

    monkeypatch.setattr(RedisLink, "begin", counted)
    first = lease(settings, "first")
    first.take()
    first.keep()
    assert sent == 2


def test_a_redis_that_lost_it_gets_it_again(client, settings, monkeypatch):
    monkeypatch.setattr(lease_module, "_KEEP_EVERY_S", 0.0)
    first = lease(settings, "first")
    first.take()
    client.delete(f"{settings.redis_namespace}:online:lease")
    first.keep()
    assert client.get(f"{settings.redis_namespace}:online:lease") == b"first"


def test_a_thread_keeps_it_and_says_when_another_has_it(client, settings, monkeypatch):
    monkeypatch.setattr(lease_module, "LEASE_MS", LONG_MS)
    monkeypatch.setattr(lease_module, "_KEEP_EVERY_S", 0.05)
    key = f"{settings.redis_namespace}:online:lease"
    first = lease(settings, "first")
    first.take()
    client.pexpire(key, LONG_MS // 2)
    with first.kept() as still_ours:
        until(lambda: client.pttl(key) > LONG_MS // 2)
        still_ours()
        assert client.get(key) == b"first"

        def taken_by_another():
            client.set(key, b"second")
            until(still_ours)

        with pytest.raises(RestartNeeded, match="second"):
            taken_by_another()
    assert client.get(key) == b"second"
