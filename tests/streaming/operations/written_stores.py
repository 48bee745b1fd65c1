"""Stores as `status` and `check` may find them: a simulator with records, metas in Redis, tables in a lake."""

import os
from contextlib import ExitStack

import pyarrow as pa
import pytest
import redis
from confluent_kafka import Producer
from deltalake import CommitProperties, write_deltalake
from deltalake.transaction import Transaction

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from shared_features.definitions import load_definitions
from shared_features.formats.offline_tables import (
    ARRIVAL_TIME,
    DEAD_LETTERS_TABLE,
    WATERMARK_APP,
    events_table,
    offset_app,
    partitions_app,
)
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta import ShardMeta, VectorEntry
from shared_features.formats.shard_meta_bytes import encode_meta
from streaming.kafka.brokers.topics import Topics, partitions_of
from streaming.lake.events_table import events_schema
from streaming.operations.check.command import find
from streaming.settings import StreamingSettings

CATALOGUE = load_definitions("shared_features.feature_views")
SOURCE = CATALOGUE.source("card_transactions")
GROUP = CATALOGUE.group("customer_spend:v1")
TOPICS = {source.topic: 2 for source in CATALOGUE.sources}
NOW_US = 1_800_000_000_000_000


@pytest.fixture(scope="module")
def servers():
    with ExitStack() as stack:
        yield stack.enter_context(KafkaSimulator(TOPICS)), stack.enter_context(RedisServer())


@pytest.fixture
def settings(servers, tmp_path, request):
    """A namespace and a lake of the test's own; three records in each partition of each topic."""
    simulator, _ = servers
    producer = Producer({"bootstrap.servers": simulator.bootstrap_servers})
    look = Topics(settings_for(servers, tmp_path, "x"), within_s=60.0)
    if not any(each.high for each in look.bounds(partitions_of(look.describe(TOPICS).values())).values()):
        for topic, count in TOPICS.items():
            for number in range(3 * count):
                producer.produce(topic, b"{}", partition=number % count, timestamp=NOW_US // 1000)
        producer.flush(60)
    (tmp_path / "lake").mkdir()
    return settings_for(servers, tmp_path, f"test{abs(hash(request.node.name))}")


def settings_for(servers, folder, namespace, **others):
    simulator, server = servers
    return StreamingSettings(
        **{
            "kafka_bootstrap_servers": simulator.bootstrap_servers,
            "redis_url": server.url,
            "redis_namespace": namespace,
            "lake": folder / "lake",
            "topic_mode": "embedded",
            **others,
        }
    )


def topic_of(settings):
    return Topics(settings, within_s=60.0).describe([SOURCE.topic])[SOURCE.topic]


def commit_shards(settings, offsets, *, topic_id=None, fingerprint=GROUP.fingerprint):
    """Write the meta of every shard of the group; `offsets` per shard, the same in both partitions."""
    client = redis.Redis.from_url(settings.redis_url)
    for number, offset in enumerate(offsets):
        vector = {
            (SOURCE.topic, topic_id or topic_of(settings).id, partition): VectorEntry(offset, NOW_US - 5_000_000)
            for partition in range(2)
        }
        key = meta_key(settings.redis_namespace, GROUP, number)
        client.set(
            key, encode_meta(ShardMeta(os.urandom(16), 1, False, fingerprint, NOW_US - 1_000_000, vector, key=key))
        )
    client.close()


def write_table(settings, name, schema, rows, versions):
    write_deltalake(
        settings.lake / name,
        pa.Table.from_pylist(rows, schema=schema),
        commit_properties=CommitProperties(
            app_transactions=[Transaction(app_id=app, version=version) for app, version in versions.items()]
        ),
    )


def event(number, lateness_us=0):
    time_us = NOW_US - lateness_us
    row = {"transaction_id": number, "event_time": time_us, "customer_id": 1, "terminal_id": 2, "amount": 1_000}
    place = {"kafka_partition": 0, "kafka_offset": 0, "record_time_us": NOW_US, "arrival_date": "2027-01-15"}
    return {**row, **place, ARRIVAL_TIME: NOW_US}


def archive(settings, events_at, dead_at):
    topic = topic_of(settings)
    at = {offset_app(topic.name, topic.id, number): events_at for number in range(2)}
    rows = [event(1), event(1), event(2, 3_600_000_000), event(3)]
    stored = {**at, partitions_app(topic.name, topic.id): 2, WATERMARK_APP: NOW_US}
    write_table(settings, events_table(SOURCE), events_schema(SOURCE), rows, stored)
    dead = pa.schema([("topic", pa.string()), ("reason", pa.string())])
    positions = dict.fromkeys(at, dead_at)
    write_table(settings, DEAD_LETTERS_TABLE, dead, [{"topic": SOURCE.topic, "reason": "no JSON"}], positions)


def refused(settings):
    return [str(each) for each in find(settings) if each.level == "refused"]
