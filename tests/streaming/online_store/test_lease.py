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
    monkeypatch.setattr(lease_module, "LEASE_MS", 200)
    first = lease(settings, "first")
    first.take()
    lease(settings, "second").take()
    monkeypatch.setattr(lease_module, "_KEEP_EVERY_S", 0.0)
    first.keep()  # it wakes: the lease is another's, and stays so
    assert client.get(f"{settings.redis_namespace}:online:lease") == b"second"


def test_it_is_kept_while_the_owner_is_at_work(client, settings, monkeypatch):
    monkeypatch.setattr(lease_module, "LEASE_MS", 2_000)
    monkeypatch.setattr(lease_module, "_KEEP_EVERY_S", 0.0)
    first = lease(settings, "first")
    first.take()
    time.sleep(0.3)
    before = client.pttl(f"{settings.redis_namespace}:online:lease")
    first.keep()
    assert client.pttl(f"{settings.redis_namespace}:online:lease") > before


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
    monkeypatch.setattr(lease_module, "LEASE_MS", 400)
    monkeypatch.setattr(lease_module, "_KEEP_EVERY_S", 0.05)
    key = f"{settings.redis_namespace}:online:lease"
    first = lease(settings, "first")
    first.take()
    with first.kept() as still_ours:
        time.sleep(1.0)  # longer than it lasts
        still_ours()
        assert client.get(key) == b"first"

        def taken_by_another():
            for _ in range(300):
                client.set(key, b"second")  # again: a renewal that had looked before may have overwritten it
                time.sleep(0.1)
                still_ours()

        with pytest.raises(RestartNeeded, match="second"):
            taken_by_another()
    assert client.get(key) == b"second"
