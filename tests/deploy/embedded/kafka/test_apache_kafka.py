"""Apache Kafka itself, where java and mvn are: it serves ordinary clients, keeps data, and ends."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, TopicCollection
from confluent_kafka.admin import AdminClient

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.kafka import kafka_artifacts
from deploy.embedded.kafka.apache_kafka import ApacheKafka
from deploy.embedded.kafka.broker import Broker
from deploy.embedded.ports import answers
from tests.deploy.embedded.probes import alive, port_of, producer, read
from tests.end_to_end.two_brokers import QUICK


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    missing = ApacheKafka.missing()
    if missing:
        told = f"NOT TESTED on Apache Kafka: {' '.join(missing)}"
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn(told, stacklevel=1)
        pytest.skip(told)
    with ApacheKafka(tmp_path_factory.mktemp("kafka"), environment=QUICK) as kafka:
        yield kafka


def _produce(kafka: ApacheKafka, topic: str, value: bytes, timestamp: int = 0) -> None:
    client = producer(kafka.bootstrap_servers)
    client.produce(topic, value, partition=0, timestamp=timestamp)
    assert client.flush(60) == 0


@pytest.mark.kafka
def test_a_topic_has_the_time_stamps_it_was_created_with(kafka: ApacheKafka) -> None:
    broker: Broker = kafka
    broker.create_topic("imported", 2, {"message.timestamp.type": "CreateTime"})
    broker.create_topic("live", 2, {"message.timestamp.type": "LogAppendTime"})
    before = int(time.time() * 1000)
    _produce(kafka, "imported", b"1", timestamp=1_000)
    _produce(kafka, "live", b"1", timestamp=1_000)
    (imported,) = read(kafka.bootstrap_servers, "imported", 0, 0, 1)
    assert imported.timestamp() == (TIMESTAMP_CREATE_TIME, 1_000)
    (live,) = read(kafka.bootstrap_servers, "live", 0, 0, 1)
    assert live.timestamp()[0] == TIMESTAMP_LOG_APPEND_TIME
    assert before <= live.timestamp()[1] <= int(time.time() * 1000)
    with pytest.raises(EmbeddedError, match="already exists"):
        broker.create_topic("live", 2)


@pytest.mark.kafka
@pytest.mark.deep  # chaos restarts, kills and pauses it too
def test_data_ports_and_topic_ids_outlive_a_restart_a_kill_and_a_pause(kafka: ApacheKafka) -> None:
    kafka.create_topic("kept", 1)
    servers, topic_id = kafka.bootstrap_servers, _topic_id(kafka, "kept")
    _produce(kafka, "kept", b"1")
    kafka.restart()
    _produce(kafka, "kept", b"2")
    kafka.kill()
    kafka.start()
    _produce(kafka, "kept", b"3")
    kafka.pause()
    time.sleep(0.5)
    kafka.resume()
    _produce(kafka, "kept", b"4")
    assert kafka.bootstrap_servers == servers
    assert _topic_id(kafka, "kept") == topic_id
    assert [record.value() for record in read(servers, "kept", 0, 0, 4)] == [b"1", b"2", b"3", b"4"]


@pytest.mark.kafka
@pytest.mark.parametrize("end", ["kill", "stop"])
def test_it_ends_and_leaves_no_process_and_no_port(kafka: ApacheKafka, end: str) -> None:
    if not answers(port_of(kafka.bootstrap_servers)):
        kafka.start()
    pid, port = kafka.pid, port_of(kafka.bootstrap_servers)
    getattr(kafka, end)()
    assert not alive(pid)
    assert not answers(port)


def test_what_is_missing_is_said_in_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert ApacheKafka.missing(tmp_path) == [
        "Java 17 or newer is not on the path: install a JRE of that version.",
        "Maven (`mvn`), which fetches Apache Kafka once, is not on the path: install `maven`.",
    ]
    with pytest.raises(EmbeddedError, match=r"Java 17 or newer is not on the path.*Maven"):
        ApacheKafka(tmp_path, libraries=tmp_path).start()


def test_an_old_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    old = tmp_path / "bin" / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert kafka_artifacts.missing(tmp_path)[0] == "Java is version 8; Apache Kafka 4 needs 17 or newer."


def _topic_id(kafka: ApacheKafka, topic: str) -> str:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    return str(admin.describe_topics(TopicCollection([topic]), request_timeout=60)[topic].result(60).topic_id)
