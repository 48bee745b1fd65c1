"""Apache Kafka: an erasure may take the records from the logs, too, and nobody here misses them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from deploy.embedded.kafka.apache_kafka import ApacheKafka
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from streaming.operations.erasure import erasure
from tests.end_to_end.brokers import proper_kafka
from tests.streaming.operations.erasure.test_command import GONE, STAYS, commit_shards
from tests.streaming.operations.stored_world import START_US, StoredWorld, payment, stored_settings

ERASE = ("erase", "--entity", "payer", "--key", str(GONE), "--execute")


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    with proper_kafka(tmp_path_factory.mktemp("kafka")) as kafka:
        kafka.create_topic("payments", 2, {})
        kafka.create_topic("outcomes", 1, {})
        yield kafka


@pytest.fixture
def world(kafka: ApacheKafka, redis_server: RedisServer, tmp_path: Path) -> StoredWorld:
    """Ten payments of two payers in two partitions, archived and applied."""
    settings = stored_settings(kafka.bootstrap_servers, redis_server.url, tmp_path)
    world = StoredWorld(cast(KafkaSimulator, kafka), settings)  # of which only the address is asked
    for number in range(10):
        at_us = START_US + number * 1000
        world.send("payments", [(at_us, payment(number, at_us, (GONE, STAYS)[number % 2]))], number % 2)
    world.archive()
    commit_shards(world)
    return world


def test_the_logs_are_emptied_when_every_shard_is_beyond(world: StoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "PATIENCE_S", 0.5)
    assert "10 records in Kafka, of all entities" in world.run(*ERASE[:-1], "--with-log")
    assert len(world.records("payments", 0)) == 5
    commit_shards(world, short_by=1)
    assert "has to reach" in world.run(*ERASE, "--with-log", code=1)
    assert len(world.records("payments", 0)) == 5
    commit_shards(world)
    said = world.run(*ERASE, "--with-log")
    assert "       10  records in Kafka" in said
    assert "still holds the records" not in said
    assert [world.records("payments", number) for number in (0, 1)] == [[], []]
    assert world.ends()["payments", 0] == 5  # offsets go on where they were
    assert "        0  records in Kafka" in world.run(*ERASE, "--with-log")
    world.send("payments", [(START_US, payment(99, START_US, STAYS))])
    world.archive()
    assert len(world.records("payments", 0)) == 1
