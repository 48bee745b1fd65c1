"""What the sinks have not stored is waited for, and of the prediction log only what the archive takes."""

import pytest
from confluent_kafka import Producer

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.local.parts.unread_records import Unread, UnreadRecords, wait_until_read
from shared_features.formats.prediction_log import prediction_source
from streaming.archive.stored_log import StoredDeadLetters, StoredEvents
from streaming.kafka.brokers.topics import Topics
from streaming.settings import load_settings

LOG = "predictions"


@pytest.fixture
def settings(tmp_path):
    with KafkaSimulator({"payments": 1, "outcomes": 1, LOG: 1}) as kafka:
        producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
        for number in range(7):
            producer.produce(LOG, b"%d" % number)
        assert producer.flush(60) == 0
        yield load_settings(
            kafka_bootstrap_servers=kafka.bootstrap_servers,
            definitions="tests.streaming.small_domain",
            lake=tmp_path,
            topic_mode="embedded",
            prediction_log_topic=LOG,
        )


@pytest.mark.parametrize(("of_another", "left", "left_out"), [(False, 7, 0), (True, 0, 7)])
def test_a_log_that_the_archive_leaves_out_keeps_nobody_waiting_and_is_told(settings, of_another, left, left_out):
    """The topic was re-created: no run was started by `up` any more, as its records were never stored."""
    (topic,) = Topics(settings, within_s=60).existing([LOG]).values()
    topics = {(LOG, "another id" if of_another else topic.id): 1}
    for stored in (
        StoredEvents(settings.lake, prediction_source(LOG), topics),
        StoredDeadLetters(settings.lake, topics),
    ):
        stored.take([])
    assert UnreadRecords(settings)() == Unread(7, left, left_out)
    assert wait_until_read(settings, lambda: True) == 7
