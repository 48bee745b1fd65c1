"""The Kafka simulator: what its docstring states is what it does, and it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, KafkaError, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.kafka.broker import Broker
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.ports import answers, free_port
from tests.deploy.embedded.probes import alive, consumer, port_of, producer, read

_ROOT = Path(__file__).parents[4]


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[KafkaSimulator]:
    with KafkaSimulator({"events": 3}, directory=tmp_path) as simulator:
        yield simulator


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_it_ends_and_leaves_no_process_and_no_port(simulator: KafkaSimulator, end: str) -> None:
    broker: Broker = simulator
    pid, port = simulator.pid, port_of(broker.bootstrap_servers)
    assert answers(port)
    getattr(broker, end)()
    assert not alive(pid)
    assert not answers(port)


@pytest.mark.parametrize("end", ["SIGTERM", "SIGINT", "stdin"])
def test_run_by_hand_it_says_where_it_is_and_ends_in_order(end: str) -> None:
    command = [sys.executable, "-m", "deploy.embedded.kafka.simulated_kafka", "--topic", "events:2"]
    run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
    try:
        assert run.stdin is not None
        assert run.stdout is not None
        with run.stdin, run.stdout:
            port = port_of(json.loads(run.stdout.readline())["bootstrap_servers"])
            assert answers(port)
            if end == "stdin":
                run.stdin.close()
            else:
                run.send_signal(signal.Signals[end])
            assert run.wait(60) == 0
        assert not answers(port)
    finally:
        run.kill()
        run.wait()


def test_records_keep_their_producer_s_time_key_and_headers(simulator: KafkaSimulator) -> None:
    client = producer(simulator.bootstrap_servers)
    for timestamp in (1_000, 1_600_000_000_000, 5_000_000_000_000):
        client.produce("events", b"v", b"k", partition=1, timestamp=timestamp, headers=[("h", b"x")])
    assert client.flush(60) == 0
    records = read(simulator.bootstrap_servers, "events", 1, 0, 3)
    assert [record.timestamp() for record in records] == [
        (TIMESTAMP_CREATE_TIME, 1_000),
        (TIMESTAMP_CREATE_TIME, 1_600_000_000_000),
        (TIMESTAMP_CREATE_TIME, 5_000_000_000_000),
    ]
    assert {(record.key(), record.value()) for record in records} == {(b"k", b"v")}
    assert records[0].headers() == [("h", b"x")]


def test_topics_have_ids_and_the_partitions_asked_for(simulator: KafkaSimulator) -> None:
    simulator.create_topic("more", 7, {"message.timestamp.type": "CreateTime"})
    admin = AdminClient({"bootstrap.servers": simulator.bootstrap_servers})
    described = admin.describe_topics(TopicCollection(["events", "more"]), request_timeout=60)
    topics = {name: described[name].result(60) for name in ("events", "more")}
    assert {name: len(topic.partitions) for name, topic in topics.items()} == {"events": 3, "more": 7}
    assert len({str(topic.topic_id) for topic in topics.values()}) == 2


def test_what_it_cannot_do_is_refused(simulator: KafkaSimulator) -> None:
    with pytest.raises(EmbeddedError, match="already exists"):
        simulator.create_topic("events", 3)
    with pytest.raises(EmbeddedError, match=r"cannot do .*LogAppendTime.*use Apache Kafka"):
        simulator.create_topic("live", 1, {"message.timestamp.type": "LogAppendTime"})


def test_old_records_fall_out_and_asking_for_them_is_an_error(simulator: KafkaSimulator) -> None:
    client = producer(simulator.bootstrap_servers, **{"linger.ms": 5})
    for _ in range(9_000):
        client.produce("events", bytes(1_000), partition=0)
    assert client.flush(60) == 0
    looking = consumer(simulator.bootstrap_servers)
    low, high = looking.get_watermark_offsets(TopicPartition("events", 0), timeout=60)
    looking.close()
    assert high == 9_000
    # 5 MiB less one set of at most 1 MB, with a few bytes around each record.
    assert 4_000 < high - low < 5_300
    (answer,) = read(simulator.bootstrap_servers, "events", 0, 0, 1)
    error = answer.error()
    assert error is not None
    assert error.code() == KafkaError._AUTO_OFFSET_RESET
    simulator.delete_records("events", 0, 8_999)
    (record,) = read(simulator.bootstrap_servers, "events", 0, 8_999, 1)
    assert record.error() is None


def test_a_broker_that_was_down_takes_what_waited(simulator: KafkaSimulator) -> None:
    client = producer(simulator.bootstrap_servers, **{"reconnect.backoff.max.ms": 200})
    client.produce("events", b"before", partition=2)
    assert client.flush(60) == 0
    simulator.broker_down()
    client.produce("events", b"during", partition=2)
    assert client.flush(0.3) == 1
    simulator.broker_up()
    assert client.flush(60) == 0
    assert [record.value() for record in read(simulator.bootstrap_servers, "events", 2, 0, 2)] == [
        b"before",
        b"during",
    ]


def test_a_paused_one_goes_on(simulator: KafkaSimulator) -> None:
    client = producer(simulator.bootstrap_servers)
    client.produce("events", b"1", partition=0)
    assert client.flush(60) == 0
    simulator.pause()
    client.produce("events", b"2", partition=0)
    assert client.flush(0.3) == 1
    simulator.resume()
    assert client.flush(60) == 0


def test_a_log_begins_where_an_earlier_one_ended_and_clients_find_it_at_the_same_address(tmp_path: Path) -> None:
    """Otherwise offsets that sinks have stored would return with other records behind them."""
    port, far = free_port(), 3_000_000_017  # more than one batch can move the end
    for begin in (0, far):
        with KafkaSimulator({"events": 2}, directory=tmp_path, begin_at={"events": (begin, 5)}, port=port) as simulator:
            assert simulator.bootstrap_servers == f"127.0.0.1:{port}"
            client = producer(simulator.bootstrap_servers)
            client.produce("events", b"the next", partition=0)
            assert client.flush(60) == 0
            looking = consumer(simulator.bootstrap_servers)
            bounds = [looking.get_watermark_offsets(TopicPartition("events", number), timeout=60) for number in (0, 1)]
            looking.close()
            assert bounds == [(begin, begin + 1), (5, 5)]
            (record,) = read(simulator.bootstrap_servers, "events", 0, begin, 1)
            assert (record.error(), record.value()) == (None, b"the next")


@pytest.mark.parametrize("topic", ["events", "events:", "events:2:x", "events:2:1,"])
def test_a_topic_that_is_not_described_is_refused_with_an_example(topic: str) -> None:
    command = [sys.executable, "-m", "deploy.embedded.kafka.simulated_kafka", "--topic", topic]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=_ROOT, check=False)
    assert done.returncode == 2
    assert "transactions:4" in done.stderr
