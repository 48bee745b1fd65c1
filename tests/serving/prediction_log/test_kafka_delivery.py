"""Delivery to Kafka: what it refuses is dropped or kept, and what it does not answer for is kept."""

import subprocess
import sys
import time

import polars
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from serving.prediction_log import kafka_delivery
from serving.prediction_log.kafka_delivery import KafkaDelivery
from serving.prediction_log.log_metrics import LogMetrics
from serving.prediction_log.spool import Spool
from streaming.settings import load_settings
from tests.serving.prediction_log.kafka_topics import PARTITIONS, TOPIC
from tests.serving.running_service import ROOT
from tests.streaming.operations.stored_world import StoredWorld


@pytest.fixture(scope="module")
def kafka():
    with KafkaSimulator({TOPIC: PARTITIONS}) as simulator:
        yield simulator


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def open_delivery(kafka, registry, tmp_path, monkeypatch):
    monkeypatch.setattr(kafka_delivery, "_STALLED_S", 0.3)
    metrics = LogMetrics(registry)

    def open_one(room=1 << 20, topic=TOPIC, **options):
        given = {"bootstrap.servers": kafka.bootstrap_servers} | options
        return KafkaDelivery(given, topic, Spool(tmp_path / "spool", "a", room), metrics)

    return open_one


def work_until(delivery, done, within_s=60.0):
    deadline_s = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline_s
        delivery.work(0.05)


def test_a_record_that_is_too_large_is_dropped_by_name(open_delivery, registry):
    delivery = open_delivery(**{"message.max.bytes": "2000"})
    delivery.send(b"a", b"x" * 3000)
    delivery.send(b"a", b"small")
    work_until(delivery, lambda: delivery.is_done)
    text = generate_latest(registry)
    assert b'serving_unlogged_predictions_total{reason="too large"} 1.0' in text
    assert b"serving_logged_predictions_total 1.0" in text


def test_an_outage_is_one_line_and_so_is_its_end_and_beyond_the_bound_records_are_dropped(
    open_delivery, kafka, registry, monkeypatch
):
    delivery = open_delivery(room=50)
    kafka.broker_down()
    try:
        with capture_logs() as lines:
            delivery.send(b"a", b"under way")
            work_until(delivery, lambda: lines)
            for _ in range(3):
                delivery.send(b"a", b"x" * 20)
            assert delivery.under_way == 1
            monkeypatch.setattr(kafka_delivery, "_STALLED_S", 600.0)  # Kafka may be slow to come back
            kafka.broker_up()
            work_until(delivery, lambda: delivery.is_done)
    finally:
        kafka.broker_up()
    text = generate_latest(registry)
    assert b'serving_unlogged_predictions_total{reason="spool"} 1.0' in text
    assert b"serving_spooled_predictions_total 2.0" in text
    assert b"serving_logged_predictions_total 3.0" in text
    assert [line["event"] for line in lines] == [
        "keeping predictions on disk until Kafka takes them",
        "sending predictions to Kafka again",
    ]


def test_at_the_end_what_is_under_way_goes_to_disk(open_delivery, kafka, tmp_path, monkeypatch):
    monkeypatch.setattr(kafka_delivery, "_FLUSH_S", 0.2)
    delivery = open_delivery()
    kafka.broker_down()
    try:
        for number in range(5):
            delivery.send(b"a", b"%d" % number)
        delivery.close()
    finally:
        kafka.broker_up()
    (segment,) = (tmp_path / "spool" / "a").glob("*.jsonl")
    assert sorted(segment.read_bytes().split()) == [b"0", b"1", b"2", b"3", b"4"]


def test_a_process_killed_between_send_and_deletion_sends_again_and_the_table_has_each_record_once(
    kafka, open_delivery, tmp_path
):
    """Kafka has the records twice: nobody knows that it has them until the segment is gone."""
    topic = "killed"
    kafka.create_topic(topic, 1)
    program = f"""
import os
from pathlib import Path
from prometheus_client import CollectorRegistry
from serving.prediction_log.kafka_delivery import KafkaDelivery
from serving.prediction_log.log_metrics import LogMetrics
from serving.prediction_log.spool import Spool
from shared_features.formats.prediction_log import encode_record
from tests.streaming.archive.test_stored_predictions import logged
spool = Spool(Path({str(tmp_path / "spool")!r}), "dying", 1 << 20)
for number in range(40):
    assert spool.append(encode_record(logged(number, "dying")))
spool.done = lambda segment: os.kill(os.getpid(), 9)
options = {{"bootstrap.servers": {kafka.bootstrap_servers!r}}}
delivery = KafkaDelivery(options, {topic!r}, spool, LogMetrics(CollectorRegistry()))
while True:
    delivery.work(0.05)
"""
    died = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, timeout=120)
    assert died.returncode == -9
    assert len(list((tmp_path / "spool" / "dying").glob("*.jsonl"))) == 1
    delivery = open_delivery(topic=topic)
    work_until(delivery, lambda: not list((tmp_path / "spool" / "dying").glob("*.jsonl")))
    for name in ("payments", "outcomes"):
        kafka.create_topic(name, 1)
    settings = load_settings(
        kafka_bootstrap_servers=kafka.bootstrap_servers,
        definitions="tests.streaming.small_domain",
        lake=tmp_path / "lake",
        topic_mode="embedded",
        prediction_log_topic=topic,
    )
    world = StoredWorld(kafka, settings)
    assert len(world.records(topic)) == 80
    world.archive()
    ids = polars.read_delta(str(world.lake / "events_prediction_log"))["id"].to_list()
    assert sorted(ids) == sorted(f"dying-{number}" for number in range(40))
