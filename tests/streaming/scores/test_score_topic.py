"""The topic of scores on Apache Kafka: an earlier writer is fenced, and what it left open never counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from deploy.embedded.kafka.apache_kafka import ApacheKafka
from shared_features.formats.scored_event import encode_scored_event
from streaming.errors import RestartNeeded
from streaming.scores.score_topic import Record, ScoreTopic
from streaming.settings import StreamingSettings, load_settings
from tests.end_to_end.brokers import proper_kafka
from tests.end_to_end.test_scores import places
from tests.shared_features.formats.test_scored_event import SCORED

pytestmark = [pytest.mark.kafka, pytest.mark.deep]
TOPIC = "scores"


@pytest.fixture(scope="module")
def apache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    with proper_kafka(tmp_path_factory.mktemp("kafka")) as kafka:
        kafka.create_topic(TOPIC, 2)
        yield kafka


@pytest.fixture
def settings(apache: ApacheKafka) -> StreamingSettings:
    return load_settings(kafka_bootstrap_servers=apache.bootstrap_servers, score_topics={"view": TOPIC})


def record(partition: int, offset: int) -> Record:
    scored = msgspec.structs.replace(SCORED, partition=partition, offset=offset)
    return partition, b"key", encode_scored_event(scored)


def ends(topic: ScoreTopic) -> dict[int, int]:
    return {number: last.offset for number, last in topic.written().items()}


def left_open(topic: ScoreTopic, *records: Record) -> None:
    """As a process leaves it that is killed, or that stands still, in the middle of a transaction."""
    producer: Any = topic._producer
    producer.begin_transaction()
    for partition, key, value in records:
        producer.produce(TOPIC, value, key, partition)
    assert producer.flush(60) == 0


def test_what_an_earlier_process_left_open_is_neither_read_back_nor_ever_written(
    apache: ApacheKafka, settings: StreamingSettings
) -> None:
    earlier = ScoreTopic(settings, "view", (0, 1))
    earlier.write([record(0, 0), record(1, 0), record(1, 1)])
    left_open(earlier, record(0, 1), record(1, 2))
    later = ScoreTopic(settings, "view", (0, 1))
    assert ends(later) == {0: 0, 1: 1}
    later.write([record(0, 1)])
    with pytest.raises(RestartNeeded, match="were not written"):
        earlier._patiently(lambda: earlier._producer.commit_transaction(5.0))
    with pytest.raises(RestartNeeded, match="were not written"):
        earlier.write([record(0, 2)])
    assert sorted(places(apache.bootstrap_servers, TOPIC, "read_committed")) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert (1, 2) in places(apache.bootstrap_servers, TOPIC, "read_uncommitted")


def test_the_last_score_is_found_behind_any_number_of_aborted_ones(settings: StreamingSettings) -> None:
    topic = ScoreTopic(settings, "view", (0, 1))
    topic.write([record(0, 7), record(1, 8)])
    for _ in range(40):  # each takes two offsets, and the first look back takes 64
        left_open(topic, record(0, 99))
        topic._producer.abort_transaction(60.0)
    assert ends(topic) == {0: 7, 1: 8}
