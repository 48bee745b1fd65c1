"""What processes wait for is in Redis as long as they say so."""

import time
from collections.abc import Iterator

import pytest

from streaming.job.waits import _WAITS, Waiting, waiting
from streaming.online_store import told_waits
from streaming.online_store.link import RedisLink
from streaming.online_store.told_waits import ToldWaits, telling_waits
from streaming.settings import load_settings

KAFKA, LAKE = Waiting("waiting for Kafka", "error: timed out", 7.0), Waiting("waiting for the lake", "", 90.0)


@pytest.fixture(autouse=True)
def _nothing_of_other_tests() -> None:
    _WAITS.clear()


@pytest.fixture
def told(settings) -> Iterator[ToldWaits]:
    told = ToldWaits(RedisLink(settings), settings.redis_namespace)
    yield told
    told.close()


def texts(told: ToldWaits) -> list[tuple[str, str]]:
    return [(each.process, each.what) for each in told.read()]


def until(condition, within_s=60.0):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_every_process_tells_its_own_and_the_longest_wait_comes_first(told, client):
    def seconds() -> float:
        """By the clock of Redis."""
        whole, microseconds = client.time()
        return float(whole + microseconds / 1e6)

    assert told.read() == []
    began_s = seconds()
    told.tell("a online", [KAFKA])
    told.tell("b archive", [LAKE, KAFKA])
    assert texts(told) == [("b archive", LAKE.what), ("a online", KAFKA.what), ("b archive", KAFKA.what)]
    told.tell("b archive", [])
    (left,) = told.read()
    assert (left.process, left.what, left.why) == ("a online", KAFKA.what, KAFKA.why)
    assert 7.0 <= left.for_s <= 7.0 + seconds() - began_s


def test_a_process_that_says_nothing_any_more_waits_for_nothing(told, monkeypatch):
    told.tell("a online", [KAFKA])
    monkeypatch.setattr(told_waits, "_VALID_S", 0.1)
    time.sleep(0.2)
    assert told.read() == []


def test_nothing_of_it_stays_in_redis(told, settings, client):
    told.tell("a online", [KAFKA])
    assert 0 < client.pttl(f"{settings.redis_namespace}:waits") <= 60_000


def test_a_program_tells_a_wait_that_lasts_and_its_end(told, settings, monkeypatch):
    monkeypatch.setattr(told_waits, "_VALID_S", 600.0)
    monkeypatch.setattr(told_waits, "_WITHIN_S", 60.0)
    monkeypatch.setattr(told_waits, "_TELL_EVERY_S", 0.05)
    monkeypatch.setattr(told_waits, "_WORTH_TELLING_S", 0.0)
    with telling_waits(settings, "online"):
        with waiting("waiting for a shard", shard=3):
            until(lambda: [what for _, what in texts(told)] == ["waiting for a shard"])
            (found,) = told.read()
            assert found.process.endswith(" online")
            assert found.why == "shard: 3"
        until(lambda: texts(told) == [])


def test_a_program_that_waits_for_nothing_needs_no_redis(monkeypatch):
    monkeypatch.setattr(told_waits, "_TELL_EVERY_S", 0.01)
    monkeypatch.setattr(told_waits.ToldWaits, "tell", lambda *_: pytest.fail("it told something"))
    with telling_waits(load_settings(redis_url="redis://127.0.0.1:1/0"), "archive"):
        time.sleep(0.1)


def test_a_program_ends_though_redis_is_away(monkeypatch):
    monkeypatch.setattr(told_waits, "_TELL_EVERY_S", 0.01)
    monkeypatch.setattr(told_waits, "_WORTH_TELLING_S", 0.0)
    began_s = time.monotonic()
    with telling_waits(load_settings(redis_url="redis://127.0.0.1:1/0"), "archive"), waiting("waiting for Kafka"):
        time.sleep(0.1)
    assert time.monotonic() - began_s < 60.0
