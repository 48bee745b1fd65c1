"""What the brokers say of topics, by one client: it waits for them, or it answers within a time."""

import threading
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaException
from structlog.testing import capture_logs

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from streaming.errors import StoppedWaiting
from streaming.job import stopping
from streaming.kafka.brokers.topics import Bounds, Topics, id_in_embedded_log, partitions_of
from streaming.settings import StreamingSettings, load_settings
from tests.streaming.online.some_log import TOPICS, a_log, produce


@pytest.fixture
def kafka() -> Iterator[KafkaSimulator]:
    with KafkaSimulator(TOPICS) as simulator:
        yield simulator


def settings_of(kafka: KafkaSimulator) -> StreamingSettings:
    return load_settings(kafka_bootstrap_servers=kafka.bootstrap_servers, topic_mode="embedded")


@pytest.mark.parametrize("within_s", [None, 5.0])
def test_topics_their_partitions_and_where_their_logs_end(kafka, within_s):
    log = a_log(1, 50)
    produce(kafka.bootstrap_servers, log)
    topics = Topics(settings_of(kafka), within_s=within_s)
    found = topics.describe(TOPICS)
    assert {name: topic.partitions for name, topic in found.items()} == {
        name: tuple(range(count)) for name, count in TOPICS.items()
    }
    assert set(partitions_of(found.values())) == set(log.all())
    assert topics.bounds(partitions_of(found.values())) == {key: Bounds(0, len(log.of(key))) for key in log.all()}
    assert topics.bounds([]) == {}
    assert topics.config("payments") is None  # the simulator does not tell


def test_a_topic_that_does_not_exist_is_left_out_by_whoever_does_not_wait(kafka):
    assert set(Topics(settings_of(kafka), within_s=60.0).describe(["payments", "no-such-topic"])) == {"payments"}


def test_a_topic_that_does_not_exist_is_waited_for_and_said_once(kafka, monkeypatch):
    def said() -> list[str]:
        return [line["topic"] for line in lines if line["event"] == "the topic does not exist yet; waiting for it"]

    def stop() -> None:
        deadline = time.monotonic() + 60
        while not said() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.0)  # it asks again meanwhile
        monkeypatch.setattr(stopping._Stop, "requested", True)

    stops = threading.Thread(target=stop)
    with capture_logs() as lines:
        stops.start()
        with pytest.raises(StoppedWaiting):
            Topics(settings_of(kafka)).describe(["payments", "no-such-topic"])
    stops.join()
    assert said() == ["no-such-topic"]


def test_brokers_that_are_away_are_an_error_within_the_time():
    settings = load_settings(kafka_bootstrap_servers="127.0.0.1:1", topic_mode="embedded")
    began_s = time.monotonic()
    with capture_logs() as lines, pytest.raises(KafkaException):
        Topics(settings, within_s=1.0).describe(["payments"])
    assert time.monotonic() - began_s < 60.0
    assert lines == []


def test_brokers_that_are_away_are_waited_for(kafka):
    topics = Topics(settings_of(kafka))
    kafka.broker_down()
    back = threading.Timer(1.0, kafka.broker_up)
    back.start()
    assert set(topics.describe(["payments"])) == {"payments"}
    back.join()


def test_a_log_that_outlives_its_simulator_keeps_the_ids_of_its_topics():
    """They change at every start of the simulator; every stored position names one."""
    ids = []
    for log in (None, None, "shop", "shop", "other"):
        with KafkaSimulator(TOPICS) as kafka:
            settings = load_settings(
                kafka_bootstrap_servers=kafka.bootstrap_servers, topic_mode="embedded", embedded_log=log
            )
            ids.append({name: topic.id for name, topic in Topics(settings, within_s=60.0).describe(TOPICS).items()})
    drawn, again, first, second, other = ids
    assert drawn != again
    assert first == second == {name: id_in_embedded_log("shop", name) for name in TOPICS}
    assert len({*first.values(), *other.values()}) == 2 * len(TOPICS)
