"""Apache Kafka: topics that grow, are emptied, cut off or made anew while they are read. Rules: `docs/topics.md`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions
from deltalake import DeltaTable

from deploy.embedded.kafka.apache_kafka import ApacheKafka
from shared_features.definitions import Catalogue
from shared_features.formats.offline_tables import WATERMARK_APP
from shared_features.kernel.event_time import DAY_US
from streaming.archive.dataflow import archive_tables, held_positions, route
from streaming.archive.marks import Marks
from streaming.archive.stored_log import StoredLog
from streaming.errors import RefusedError, RestartNeeded
from streaming.job.clock import system_clock_us
from streaming.kafka.brokers.topics import Topics
from streaming.kafka.share import KafkaShare
from streaming.kafka.source import KafkaSource
from streaming.settings import StreamingSettings, load_settings
from tests.end_to_end.brokers import proper_kafka
from tests.fakes import PushedClock
from tests.streaming.small_domain import PAYMENTS

pytestmark = pytest.mark.kafka
CATALOGUE = Catalogue(views=(), groups=(), sources=(PAYMENTS,))
LIVE = {"message.timestamp.type": "LogAppendTime"}


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    with proper_kafka(tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka


@pytest.fixture
def admin(kafka: ApacheKafka) -> Iterator[AdminClient]:
    """With a topic of one partition; deleted when the test is over."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    kafka.create_topic("payments", 1, LIVE)
    yield admin
    delete(admin)


def delete(admin: AdminClient) -> None:
    admin.delete_topics(["payments"], operation_timeout=60)["payments"].result(60)
    deadline = time.monotonic() + 90
    while "payments" in admin.list_topics(timeout=10).topics:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def produce(kafka: ApacheKafka, partition: int, first: int, past: int) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 0})
    for number in range(first, past):
        now_us = system_clock_us()
        event = {"id": number, "event_time": now_us, "payer": number % 3, "shop": "s", "amount": 1}
        producer.produce("payments", json.dumps(event).encode(), partition=partition)
    assert producer.flush(60) == 0


def delete_records(admin: AdminClient, partition: int, before: int) -> None:
    wanted = TopicPartition("payments", partition, before)
    admin.delete_records([wanted], operation_timeout=60)[wanted].result(60)


@dataclass
class Archive:
    """The archive's source and tables without a dataflow: whatever is polled is stored at once."""

    settings: StreamingSettings
    clock: Callable[[], int] = system_clock_us
    share: KafkaShare | None = None
    tables: Mapping[str, StoredLog] = field(default_factory=dict)

    def start(self) -> None:
        self.stop()
        described = Topics(self.settings).describe(["payments"])
        topics = {(topic.name, topic.id): len(topic.partitions) for topic in described.values()}
        opened = archive_tables(self.settings.lake, CATALOGUE, topics)
        source = KafkaSource(self.settings, (PAYMENTS,), partial(held_positions, opened), clock=self.clock)
        self.share = source.build("kafka", 0, 1)
        self.tables = {name: open_table() for name, open_table in opened.items()}
        self.marks = Marks("live", 0, self.clock)

    def stop(self) -> None:
        if self.share is not None:
            self.share.close()
            self.share = None

    def step(self) -> None:
        assert self.share is not None
        for polled in self.share.next_batch():
            for name, marked in route(self.marks, polled):
                self.tables[name].take([marked])

    def run_until(self, done: Callable[[], bool], within_s: float = 240.0) -> None:
        deadline = time.monotonic() + within_s
        while not done():
            assert time.monotonic() < deadline, f"{self.stored()}, gaps {self.gaps()}"
            self.step()

    def table(self) -> DeltaTable:
        return DeltaTable(self.settings.lake / "events_payments")

    def stored(self) -> list[tuple[int, int, int]]:
        """Partition, offset and event id of every stored event, in order."""
        names = ["kafka_partition", "kafka_offset", "id"]
        rows = self.table().to_pyarrow_table(columns=names).to_pylist()
        return sorted((row[names[0]], row[names[1]], row[names[2]]) for row in rows)

    def gaps(self) -> list[Any]:
        events = self.tables["events_payments"].positions
        return [gap for gaps in events.gaps.values() for gap in gaps]

    @property
    def watermark_us(self) -> int:
        return self.table().transaction_version(WATERMARK_APP) or -1


@pytest.fixture
def archive(kafka: ApacheKafka, tmp_path: Path) -> Iterator[Archive]:
    settings = load_settings(
        kafka_bootstrap_servers=kafka.bootstrap_servers,
        topic_mode="live",
        idle_mark=0.1,
        topic_check=0.1,
        poll_timeout=0.1,
        lake=tmp_path,
    )
    archive = Archive(settings)
    yield archive
    archive.stop()


def test_partitions_that_are_added_are_read_from_their_beginning_after_a_restart(kafka, admin, archive):
    archive.start()
    produce(kafka, 0, 0, 5)
    archive.run_until(lambda: len(archive.stored()) == 5 and archive.watermark_us > 0)
    before_us = archive.watermark_us
    admin.create_partitions([NewPartitions("payments", 3)])["payments"].result(60)
    produce(kafka, 2, 5, 8)
    with pytest.raises(RestartNeeded, match="topic payments has changed: it has more partitions, or it was deleted"):
        archive.run_until(lambda: False)
    archive.start()
    archive.run_until(lambda: len(archive.stored()) == 8)
    assert archive.stored() == [*((0, each, each) for each in range(5)), *((2, each, each + 5) for each in range(3))]
    assert archive.watermark_us >= before_us
    last_us = archive.watermark_us
    archive.run_until(lambda: archive.watermark_us > last_us)  # the empty one among them holds nobody back


@pytest.mark.parametrize("check_s", [0.1, 3_600])
def test_a_topic_made_anew_under_a_running_archive_adds_nothing_and_is_refused(kafka, admin, archive, check_s):
    """The consumer reads on at its offset, in the new log: none of that may be taken for the log before."""
    archive.settings = archive.settings.model_copy(update={"topic_check": timedelta(seconds=check_s)})
    archive.start()
    produce(kafka, 0, 0, 5)
    archive.run_until(lambda: len(archive.stored()) == 5)
    delete(admin)
    kafka.create_topic("payments", 1, LIVE)
    produce(kafka, 0, 100, 130)
    with pytest.raises((RestartNeeded, RefusedError)):
        archive.run_until(lambda: False)
    assert archive.stored() == [(0, each, each) for each in range(5)]
    with pytest.raises(RefusedError, match=r"holds events of an earlier topic payments\. .* another name"):
        archive.start()
    assert archive.stored() == [(0, each, each) for each in range(5)]


def test_a_topic_made_anew_while_nobody_read_is_refused(kafka, admin, archive):
    archive.start()
    produce(kafka, 0, 0, 5)
    archive.run_until(lambda: len(archive.stored()) == 5)
    archive.stop()
    delete(admin)
    kafka.create_topic("payments", 2, LIVE)
    produce(kafka, 1, 100, 130)
    with pytest.raises(RefusedError, match="holds events of an earlier topic payments"):
        archive.start()


def test_a_position_before_the_logs_start_is_a_gap_that_is_recorded_and_reading_goes_on(kafka, admin, archive):
    archive.start()
    produce(kafka, 0, 0, 5)
    archive.run_until(lambda: len(archive.stored()) == 5)
    archive.stop()
    produce(kafka, 0, 5, 20)
    delete_records(admin, 0, 12)
    archive.start()
    archive.run_until(lambda: len(archive.stored()) == 5 + 8)
    assert [offset for _, offset, _ in archive.stored()] == [*range(5), *range(12, 20)]
    assert archive.gaps() == [(5, 12)]


def test_records_deleted_under_a_running_reader_are_read_or_a_gap_and_nothing_is_between(kafka, admin, archive):
    archive.start()
    for first in range(0, 3_000, 300):
        produce(kafka, 0, first, first + 300)
        delete_records(admin, 0, first + 250)
        if first % 900 == 0:
            archive.step()
    archive.run_until(lambda: bool(archive.stored()) and archive.stored()[-1][1] == 2_999)
    read = [offset for _, offset, _ in archive.stored()]
    lost = [offset for first, past in archive.gaps() for offset in range(first, past)]
    assert sorted(read + lost) == list(range(3_000))


def test_a_mark_of_a_quiet_log_does_not_overtake_the_gap_before_it(kafka, admin, archive):
    """The answer that the log ends there arrives in the poll that finds out that the records are gone."""
    archive.settings = archive.settings.model_copy(update={"idle_mark": timedelta(milliseconds=1)})
    archive.start()
    produce(kafka, 0, 0, 5)
    archive.run_until(lambda: len(archive.stored()) == 5)
    assert archive.share is not None
    client = archive.share._consumer.client
    client.pause([TopicPartition("payments", 0)])  # fetches nothing while the records are deleted
    produce(kafka, 0, 5, 20)
    delete_records(admin, 0, 20)
    archive.step()
    client.resume([TopicPartition("payments", 0)])
    archive.run_until(lambda: archive.gaps() == [(5, 20)])
    last_us = archive.watermark_us
    archive.run_until(lambda: archive.watermark_us > last_us)
    assert [offset for _, offset, _ in archive.stored()] == list(range(5))


def test_a_day_without_traffic_moves_the_watermark_a_day_and_loses_no_position(kafka, admin, archive):
    archive.clock = clock = PushedClock(system_clock_us())
    archive.start()
    produce(kafka, 0, 0, 5)
    archive.run_until(lambda: len(archive.stored()) == 5)
    clock.now_us += DAY_US
    archive.run_until(lambda: archive.watermark_us >= clock.now_us - 1_000_000)
    delete_records(admin, 0, 5)  # retention has taken all there was
    archive.start()
    archive.run_until(lambda: archive.watermark_us >= clock.now_us)
    produce(kafka, 0, 5, 6)
    archive.run_until(lambda: len(archive.stored()) == 6)
    assert archive.gaps() == []
    late = archive.table().to_pyarrow_table(columns=["kafka_offset", "arrival_time_us"]).to_pylist()
    newest = max(late, key=lambda row: row["kafka_offset"])
    assert newest["arrival_time_us"] >= clock.now_us  # stamped below the mark: raised to it, never below it


def test_a_topic_that_was_always_empty_is_marked_and_one_emptied_before_it_was_read_is_a_gap(kafka, admin, archive):
    archive.start()
    archive.run_until(lambda: archive.watermark_us > 0)
    assert np.asarray(archive.stored()).size == 0
    archive.stop()
    produce(kafka, 0, 0, 7)
    delete_records(admin, 0, 7)
    archive.start()
    archive.run_until(lambda: archive.gaps() == [(0, 7)])
    produce(kafka, 0, 7, 8)
    archive.run_until(lambda: archive.stored() == [(0, 7, 7)])


def test_a_position_beyond_the_logs_end_is_refused(kafka, admin, archive):
    source = KafkaSource(archive.settings, (PAYMENTS,), lambda: {("payments", 0): 3})
    with pytest.raises(RefusedError, match="The stored position is offset 3, but the log ends before 0"):
        source.build("kafka", 0, 1)
