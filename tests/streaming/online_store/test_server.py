"""What Redis says of the online store, by one client: it waits for Redis, or it answers within a time."""

import threading
import time
from collections.abc import Iterator

import pytest
import redis

from deploy.embedded.redis_server import RedisServer
from shared_features.definitions import definition_text
from shared_features.formats.online_state import definition_key, meta_key
from streaming.online_store.server import ALL_SLOTS, StoreServer
from streaming.settings import load_settings
from tests.streaming.online.shards import begin
from tests.streaming.small_domain import PAYER


@pytest.fixture(params=[None, 5.0], ids=["patient", "within a time"])
def asked(request, settings) -> Iterator[StoreServer]:
    server = StoreServer(settings, within_s=request.param)
    yield server
    server.close()


def test_the_meta_of_every_shard_and_the_definition_of_a_group(client, settings, asked):
    assert asked.metas([PAYER]) == {PAYER.label: (None,) * PAYER.shards}
    assert asked.definition(PAYER) is None
    begin(settings, [PAYER])
    client.set(definition_key(settings.redis_namespace, PAYER), definition_text(PAYER))
    metas = asked.metas([PAYER])[PAYER.label]
    assert [meta.fingerprint for meta in metas] == [PAYER.fingerprint] * PAYER.shards
    assert asked.definition(PAYER) == definition_text(PAYER)


def test_a_meta_of_another_schema_counts_as_none(client, settings, asked):
    client.set(meta_key(settings.redis_namespace, PAYER, 0), b"\xff" * 40)
    assert asked.metas([PAYER])[PAYER.label][0] is None


def test_how_the_server_is_configured(client, asked):
    assert asked.config("maxmemory-policy") == client.config_get("maxmemory-policy")["maxmemory-policy"]
    assert asked.config("no-such-setting") is None
    assert asked.info("memory")["maxmemory_policy"] == client.info("memory")["maxmemory_policy"]
    assert asked.slots() == ALL_SLOTS


def test_a_server_that_is_away_is_an_error_within_the_time():
    server = StoreServer(load_settings(redis_url="redis://127.0.0.1:1/0"), within_s=1.0)
    began_s = time.monotonic()
    with pytest.raises(redis.ConnectionError):
        server.metas([PAYER])
    assert time.monotonic() - began_s < 60.0


def test_a_connection_that_was_lost_since_the_last_question_is_made_again(tmp_path):
    with RedisServer(tmp_path / "redis") as redis_server:
        server = StoreServer(load_settings(redis_url=redis_server.url), within_s=60.0)
        server.info("memory")
        redis_server.stop()
        redis_server.start()
        assert server.metas([PAYER])[PAYER.label][0] is None
        redis_server.stop()
        with pytest.raises(redis.ConnectionError):
            server.info("memory")
        server.close()


def test_a_patient_question_waits_until_redis_is_back(tmp_path):
    with RedisServer(tmp_path / "redis") as redis_server:
        server = StoreServer(load_settings(redis_url=redis_server.url))
        redis_server.stop()
        back = threading.Timer(0.3, redis_server.start)
        back.start()
        assert server.metas([PAYER])[PAYER.label][0] is None
        back.join()
        server.close()
