"""The archive's dataflow under Bytewax, fed by hand: all that was polled is stored when it has drained."""

from datetime import timedelta

import pytest
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from deltalake import DeltaTable
from structlog.testing import capture_logs

from streaming.archive import dataflow
from streaming.kafka.brokers.topics import Topic
from streaming.kafka.records.polled import Polled
from streaming.settings import load_settings
from tests.streaming.kafka_log import TOPIC_ID, KafkaLog, Record
from tests.streaming.small_domain import OUTCOMES, PAYMENTS

PARTITIONS = {"payments": 2, "outcomes": 1}


class FedSource(DynamicSource[Polled]):
    """Polls the log from the positions it is given, some records at a time, to its end."""

    def __init__(self, log, positions):
        self.log, self.positions = log, positions

    def build(self, step_id, worker_index, worker_count):
        return FedPart(self.log, self.positions())


class FedPart(StatelessSourcePartition[Polled]):
    def __init__(self, log, positions):
        self.log = log
        self.at = {key: positions.get((log.sources[key[0]].topic, key[1]), -1) for key in log.all()}

    def next_batch(self):
        batches = []
        for key, at in self.at.items():
            to = min(at + 7, len(self.log.of(key)) - 1)
            if to > at:
                batches.append(self.log.poll(key, at, to))
                self.at[key] = to
        if not batches:
            raise StopIteration
        return batches


@pytest.fixture
def log():
    log = KafkaLog({"payments": PAYMENTS, "outcomes": OUTCOMES}, PARTITIONS)
    for number in range(200):
        event = {"id": number, "event_time": number, "payer": 1, "shop": "a", "amount": 1}
        log.of(("payments", number % 2)).append(Record(number, None if number % 50 == 7 else event))
    return log


@pytest.fixture
def settings(tmp_path):
    return load_settings(lake=tmp_path, definitions="tests.streaming.small_domain", archive_commit=timedelta(minutes=5))


@pytest.fixture
def fed(monkeypatch, log):
    class Topics:
        def __init__(self, settings):
            pass

        def describe(self, names):
            return {name: Topic(name, TOPIC_ID, tuple(range(PARTITIONS[name]))) for name in names}

    monkeypatch.setattr(dataflow, "Topics", Topics)
    monkeypatch.setattr(dataflow, "KafkaSource", lambda settings, sources, positions, **_: FedSource(log, positions))


def test_what_is_gathered_when_the_source_ends_is_committed(settings, log, fed):
    assert dataflow.run(settings) == 0
    assert DeltaTable(settings.lake / "events_payments").count() == 196
    assert DeltaTable(settings.lake / "dead_letters").count() == 4
    assert DeltaTable(settings.lake / "events_outcomes").count() == 0


def test_it_goes_on_from_the_smaller_position_and_stores_nothing_twice(settings, log, fed):
    records = log.records[("payments", 0)]
    log.records[("payments", 0)] = records[:40]
    assert dataflow.run(settings) == 0
    log.records[("payments", 0)] = records
    dead = settings.lake / "dead_letters"
    for version in range(DeltaTable(dead).version(), 0, -1):  # the dead letters as if they had not been committed
        (dead / "_delta_log" / f"{version:020}.json").unlink()
    assert DeltaTable(dead).count() == 0
    assert dataflow.run(settings) == 0
    assert DeltaTable(settings.lake / "events_payments").count() == 196
    assert DeltaTable(dead).count() == 4


def test_what_is_stored_is_checked_against_what_its_source_expects(settings, log, fed):
    with capture_logs() as lines:
        assert dataflow.run(settings.model_copy(update={"expectation_sample": 1})) == 0
    (line,) = [each for each in lines if "not_met" in each]
    assert line["source"] == "payments"
    assert line["not_met"].startswith("amount from 0.02: 196 of 196 sampled events are outside, such as ")


def test_it_commits_as_soon_as_it_has_gathered_enough(settings, log, fed):
    assert dataflow.run(settings.model_copy(update={"archive_commit_records": 50})) == 0
    assert DeltaTable(settings.lake / "events_payments").version() >= 3
    assert DeltaTable(settings.lake / "events_payments").count() == 196
