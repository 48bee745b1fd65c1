"""What is archived: the sources never wait for the prediction log, whose topic may be missing, or be another one."""

import gc
import threading
import time
from dataclasses import replace
from datetime import timedelta

import polars
import pytest
from confluent_kafka import Producer
from structlog.testing import capture_logs

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from shared_features.formats.prediction_log import prediction_source
from streaming.archive import dataflow
from streaming.archive.archived_sources import archived_now, counted
from streaming.archive.stored_log import StoredEvents
from streaming.errors import EXIT_OK, EXIT_RESTART, RefusedError
from streaming.job import stopping
from streaming.job.waits import waits
from streaming.kafka import optional_topic
from streaming.kafka.brokers.topics import Topics
from streaming.settings import load_settings
from tests.shared_features.formats.test_prediction_log import GOLDEN
from tests.streaming.operations.stored_world import START_US, payment

LOG = "predictions"


@pytest.fixture
def kafka():
    with KafkaSimulator({"payments": 1, "outcomes": 1}) as simulator:
        yield simulator


@pytest.fixture
def settings(kafka, tmp_path, monkeypatch):
    monkeypatch.setattr(optional_topic, "_EVERY_S", 0.1)
    return load_settings(
        kafka_bootstrap_servers=kafka.bootstrap_servers,
        definitions="tests.streaming.small_domain",
        lake=tmp_path,
        topic_mode="embedded",
        archive_commit=timedelta(seconds=0.2),
        prediction_log_topic=LOG,
    )


def send(kafka, topic, value):
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 0})
    producer.produce(topic, value, timestamp=START_US // 1000)
    assert producer.flush(60) == 0


def rows(lake, table):
    return polars.read_delta(str(lake / table)).height if (lake / table / "_delta_log").is_dir() else 0


def run_beside(settings, do):
    """Run the dataflow to its end while a thread does something. Its failure ends the dataflow, and the test."""
    failed = []

    def run():
        try:
            do()
        except BaseException as error:
            failed.append(error)
            stopping._Stop.requested = True

    thread = threading.Thread(target=run)
    thread.start()
    code = dataflow.run(settings)
    thread.join(60)
    assert not failed, failed
    return code


def until(done, within_s=60.0):
    deadline_s = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_sources_are_stored_while_the_topic_of_the_log_is_missing_and_the_log_once_it_exists(
    kafka, settings, monkeypatch
):
    monkeypatch.setattr(stopping._Stop, "requested", False)
    send(kafka, "payments", payment(1, START_US))
    told: list[tuple[str, str]] = []

    def missing():
        until(lambda: rows(settings.lake, "events_payments") == 1)
        told.extend((each.what, each.why) for each in waits())
        kafka.create_topic(LOG, 1)

    def there():
        send(kafka, LOG, GOLDEN.encode())
        until(lambda: rows(settings.lake, "events_prediction_log") == 1)
        stopping._Stop.requested = True

    assert run_beside(settings, missing) == EXIT_RESTART
    assert told == [("waiting for the topic of the prediction log; the other topics are stored", f"topic: {LOG}")]
    assert run_beside(settings, there) == EXIT_OK
    assert rows(settings.lake, "events_payments") == 1


def test_a_log_whose_topic_was_deleted_and_re_created_is_left_out_and_said(kafka, settings):
    StoredEvents(settings.lake, prediction_source(LOG), {(LOG, "another id"): 1}).take([])
    kafka.create_topic(LOG, 1)
    with capture_logs() as lines:
        now = archived_now(settings, Topics(settings))
    assert {each.name for each in now.catalogue.sources} == set(now.topics) == {"payments", "outcomes"}
    (line,) = [each for each in lines if each["log_level"] == "warning"]
    assert line["event"] == "leaving out the prediction log; the other topics are stored"
    assert "events_prediction_log" in line["reason"]
    assert line["event"] in [each.what for each in waits()]
    del now
    gc.collect()
    assert line["event"] not in [each.what for each in waits()]


def test_a_source_that_has_the_name_or_the_topic_of_the_log_is_refused(settings):
    with pytest.raises(RefusedError, match="'payments' has the name or the topic of the prediction log"):
        archived_now(settings.model_copy(update={"prediction_log_topic": "payments"}), Topics(settings))


def test_a_look_at_the_log_reads_its_digest_and_nothing_long(settings):
    log = counted(settings).source("prediction_log")
    assert [each.name for each in log.fields] == ["id", "at_us", "digest"]
    assert log == replace(prediction_source(LOG), fields=log.fields)
