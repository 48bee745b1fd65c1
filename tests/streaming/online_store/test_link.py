"""A Redis that is there but takes no writes is waited for like one that is away; it is said once, by both of its words.

A server of 6.2 wraps what refuses a write inside a script: `ERR Error running script ... -OOM command not allowed`.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis
from redis.exceptions import ResponseError
from structlog.testing import capture_logs

from deploy.embedded.redis_server import RedisServer
from shared_features.formats.shard_meta import ShardMeta
from streaming.job.backoff import Backoff
from streaming.online_store import lease as lease_module
from streaming.online_store import link as redis_link
from streaming.online_store.lease import Lease
from streaming.online_store.link import RedisLink
from streaming.online_store.redis_outage import RedisOutage
from streaming.online_store.shard_store import ShardStore
from streaming.settings import StreamingSettings, load_settings
from tests.streaming.online.shards import begin
from tests.streaming.small_domain import PAYER


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.slow)], ids=["embedded", "proper"])
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """One of its own: what it is told here would stop the tests beside."""
    if missing := RedisServer.missing(proper=request.param):
        pytest.skip(" ".join(missing))
    with RedisServer(proper=request.param) as server:
        yield server


@pytest.fixture
def settings(server: RedisServer) -> StreamingSettings:
    return load_settings(redis_url=server.url, redis_namespace="refused")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_link, "_BACKOFF", Backoff(first_s=0.05, longest_s=0.1, at_once=1))


def while_it(kind: str, client: "redis.Redis", action: Callable[[], object]) -> list[str]:
    """Do it while Redis refuses writes for this reason, until the log says so; what was logged meanwhile."""
    REFUSES[kind](client)
    told, failed = threading.Event(), RedisOutage.failed

    def tell(outage: RedisOutage, error: redis.RedisError) -> None:
        failed(outage, error)
        told.set()

    def end() -> None:
        told.wait(60)
        TAKES_AGAIN[kind](client)

    ends = threading.Thread(target=end)
    ends.start()
    try:
        with pytest.MonkeyPatch.context() as patch, capture_logs() as logged:
            patch.setattr(RedisOutage, "failed", tell)
            action()
    finally:
        ends.join()
    return [line["event"] for line in logged if line["log_level"] != "debug"]


def keep_busy(client: "redis.Redis") -> None:
    client.config_set("lua-time-limit", 50)

    def busy() -> None:
        with pytest.raises(redis.RedisError):
            client.eval("while true do end", 0)

    threading.Thread(target=busy, daemon=True).start()
    deadline = time.monotonic() + 60
    while not is_busy(client):
        assert time.monotonic() < deadline


def is_busy(client: "redis.Redis") -> bool:
    try:
        client.ping()
    except redis.ResponseError as error:
        return "BUSY" in str(error)
    return False


REFUSES: dict[str, Callable[["redis.Redis"], object]] = {
    "full": lambda client: client.config_set("maxmemory", 1),
    "is a replica": lambda client: client.replicaof("127.0.0.1", 1),
    "too few replicas": lambda client: client.config_set("min-replicas-to-write", 1),
    "is busy": keep_busy,
}
TAKES_AGAIN: dict[str, Callable[["redis.Redis"], object]] = {
    "full": lambda client: client.config_set("maxmemory", 0),
    "is a replica": lambda client: client.replicaof("NO", "ONE"),
    "too few replicas": lambda client: client.config_set("min-replicas-to-write", 0),
    "is busy": lambda client: client.script_kill(),
}


@pytest.mark.parametrize("kind", list(REFUSES))
def test_a_commit_waits(settings: StreamingSettings, kind: str) -> None:
    begin(settings, [PAYER])
    store = ShardStore.of(RedisLink(settings), settings.redis_namespace, PAYER, 0)
    meta = store.read_meta()
    assert meta is not None

    def commit() -> None:
        store.begin_commit(ShardMeta(secrets.token_bytes(16), meta.build_id, False, PAYER.fingerprint, 0), [], [])
        store.settle()

    commit()
    with redis.Redis.from_url(settings.redis_url) as client:
        said = while_it(kind, client, commit)
        words = ("waiting for Redis", "reached Redis") if kind == "is busy" else ("refuses writes", "accepts writes")
        assert len(said) == 2
        assert all(word in event for word, event in zip(words, said, strict=True))
    commit()


@pytest.mark.parametrize("kind", ["full", "is a replica", "too few replicas"])
def test_a_lease_waits(settings: StreamingSettings, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "_KEEP_EVERY_S", 0.0)
    lease = Lease(RedisLink(settings), "refused", "online", "me")
    lease.take()
    with redis.Redis.from_url(settings.redis_url) as client:
        assert len(while_it(kind, client, lease.keep)) == 2


def test_several_calls_at_once_are_answered_in_order_and_a_refused_one_shifts_no_answer(settings, server):
    link = RedisLink(settings)
    assert link.calls([("SET", f"k{number}", number) for number in range(3)]) == [b"OK"] * 3
    assert link.calls([("GET", f"k{number}") for number in range(3)]) == [b"0", b"1", b"2"]
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        link.calls([("GET", "k0"), ("LPUSH", "k1", "x"), ("GET", "k2")])
    assert link.call("GET", "k1") == b"1"
    link.close()


def test_a_link_connects_as_often_as_it_takes_in_its_life(settings, server):
    """The hundredth connection in the life of a process was its last one: after it the stream waited for ever."""
    link = RedisLink(settings)
    for _ in range(120):
        assert link.call("PING") == b"PONG"
        link.close()
