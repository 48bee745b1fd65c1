"""Delivery to Kafka: what it refuses is dropped or kept, and what it does not answer for is kept."""

import time

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from serving.prediction_log import kafka_delivery
from serving.prediction_log.kafka_delivery import KafkaDelivery
from serving.prediction_log.log_metrics import LogMetrics
from serving.prediction_log.spool import Spool
from tests.serving.prediction_log.kafka_topics import PARTITIONS, TOPIC


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

    def open_one(room=1 << 20, **options):
        given = {"bootstrap.servers": kafka.bootstrap_servers} | options
        return KafkaDelivery(given, TOPIC, Spool(tmp_path / "spool", "a", room), metrics)

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
    open_delivery, kafka, registry
):
    delivery = open_delivery(room=50)
    kafka.broker_down()
    try:
        with capture_logs() as lines:
            delivery.send(b"a", b"under way")
            deadline_s = time.monotonic() + 0.6
            while time.monotonic() < deadline_s:
                delivery.work(0.05)
            for _ in range(3):
                delivery.send(b"a", b"x" * 20)
            assert delivery.under_way == 1
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
