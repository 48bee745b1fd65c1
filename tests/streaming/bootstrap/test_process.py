"""While every shard is live, bootstrap asks only Redis, every second; Kafka and the lake are asked now and then."""

from collections.abc import Iterator

import pytest
import redis

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from shared_features.definitions import load_definitions
from shared_features.formats.online_state import meta_key
from streaming.archive.dataflow import archive_tables
from streaming.bootstrap import process
from streaming.bootstrap.process import Bootstrap
from streaming.kafka.brokers.topics import Topics
from streaming.lake.events_reader import EventsReader
from streaming.settings import StreamingSettings, load_settings
from tests.streaming.online.some_log import TOPICS
from tests.streaming.small_domain import PAYER


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StreamingSettings]:
    with KafkaSimulator(TOPICS) as kafka, RedisServer() as server:
        settings = load_settings(
            kafka_bootstrap_servers=kafka.bootstrap_servers,
            redis_url=server.url,
            topic_mode="embedded",
            lake=tmp_path_factory.mktemp("lake"),
            definitions="tests.streaming.small_domain",
        )
        catalogue = load_definitions(settings.definitions)
        described = Topics(settings).describe(source.topic for source in catalogue.sources)
        counts = {(topic.name, topic.id): len(topic.partitions) for topic in described.values()}
        for create in archive_tables(settings.lake, catalogue, counts).values():
            create()
        yield settings


@pytest.fixture
def live(settings: StreamingSettings) -> Bootstrap:
    """It has built every shard, and found all of them live."""
    bootstrap = Bootstrap(settings)
    assert not bootstrap.rests(), "nothing is known of the shards yet"
    assert any(bootstrap.step() for _ in range(2))
    return bootstrap


def test_while_every_shard_is_live_neither_kafka_nor_the_lake_is_asked(
    live: Bootstrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Topics, "describe", lambda *_: asked.append("topics"))
    monkeypatch.setattr(Topics, "bounds", lambda *_: asked.append("bounds"))
    monkeypatch.setattr(EventsReader, "refresh", lambda _: asked.append("table"))
    monkeypatch.setattr(process, "_JUDGE_EVERY_S", 600.0)
    assert [live.rests() for _ in range(5)] == [True] * 5
    assert asked == []


def test_a_shard_that_redis_loses_is_seen_at_the_next_look_and_built(
    live: Bootstrap, settings: StreamingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_JUDGE_EVERY_S", 600.0)
    with redis.Redis.from_url(settings.redis_url) as client:
        client.delete(meta_key(settings.redis_namespace, PAYER, 0))
        assert not live.rests()
        live.step()
        assert client.exists(meta_key(settings.redis_namespace, PAYER, 0))
    assert live.step()
    assert live.rests()


def test_what_kafka_and_the_lake_say_is_not_used_for_ever(live: Bootstrap, monkeypatch: pytest.MonkeyPatch) -> None:
    assert live.rests()
    monkeypatch.setattr(process, "_JUDGE_EVERY_S", 0.0)
    assert not live.rests()
