"""The producer against the simulator: nothing is lost, and it never runs further ahead than it was allowed to."""

import numpy as np
import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from deploy.demo.traffic.cards.card_traffic import CardTraffic
from deploy.demo.traffic.cards.handbook import simulate
from deploy.demo.traffic.cards.transactions import DAY_US
from deploy.demo.traffic.paced_producer import PacedProducer
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS

TOPICS = {CARD_TRANSACTIONS.topic: 3, CARD_LABELS.topic: 2}
PARTITIONS = [(topic, number) for topic, count in TOPICS.items() for number in range(count)]


@pytest.fixture(scope="module")
def transactions():
    return simulate(customers=500, terminals=1_000, days=60, start_us=20_000 * DAY_US, seed=2).transactions


@pytest.fixture
def simulator():
    with KafkaSimulator(TOPICS) as running:
        yield running


def bounds(simulator):
    consumer = Consumer({"bootstrap.servers": simulator.bootstrap_servers, "group.id": "test", "log_level": 0})
    found = {each: consumer.get_watermark_offsets(TopicPartition(*each), 10) for each in PARTITIONS}
    consumer.close()
    return found


def test_without_pacing_everything_is_sent_once(simulator, transactions):
    traffic = CardTraffic(transactions)
    producer = PacedProducer(simulator.bootstrap_servers)
    *_, last = producer.send(traffic.history())
    producer.flush()
    ends = bounds(simulator)
    assert sum(high for _, high in ends.values()) == traffic.truth.records == last.records
    assert all(high > 0 for _, high in ends.values())


def test_the_producer_waits_for_the_slowest_sink_and_the_log_loses_nothing(simulator, transactions):
    """Both sinks take a part of what is there at each look; the slower one decides."""
    fast: dict[tuple[str, int], int] = {}
    slow: dict[tuple[str, int], int] = {}

    def durable():
        for partition, (low, high) in bounds(simulator).items():
            assert low <= slow.get(partition, -1) + 1, "the simulator forgot what was not durable"
            fast[partition] = high - 1
            slow[partition] = slow.get(partition, -1) + (high - slow.get(partition, -1)) // 2
        return {"fast": fast, "slow": slow}

    traffic = CardTraffic(transactions)
    producer = PacedProducer(simulator.bootstrap_servers, durable, budget_bytes=100_000)
    progress = list(producer.send(traffic.history(chunk=5_000)))
    producer.flush()
    assert any(each.waiting for each in progress)
    assert max(each.ahead for each in progress) < 2  # one batch may go beyond what is left
    assert sum(high for _, high in bounds(simulator).values()) == traffic.truth.records


def test_a_topic_that_is_not_there_is_an_error(transactions):
    with KafkaSimulator({CARD_LABELS.topic: 1}) as simulator:
        producer = PacedProducer(simulator.bootstrap_servers)
        with pytest.raises(KafkaException, match="card-transactions"):
            list(producer.send(CardTraffic(transactions).history()))


def test_keys_keep_their_partition(simulator, transactions):
    """The order of one entity's events is the order of its partition."""
    producer = PacedProducer(simulator.bootstrap_servers)
    list(producer.send(CardTraffic(transactions).history(until_us=20_003 * DAY_US)))
    producer.flush()
    consumer = Consumer({"bootstrap.servers": simulator.bootstrap_servers, "group.id": "test", "log_level": 0})
    partitions = [TopicPartition(CARD_TRANSACTIONS.topic, number, 0) for number in range(3)]
    consumer.assign(partitions)
    messages = consumer.consume(100_000, 3.0)
    consumer.close()
    found: dict[bytes | None, set[int | None]] = {}
    for message in messages:
        found.setdefault(message.key(), set()).add(message.partition())
    assert len(found) > 100
    assert {len(each) for each in found.values()} == {1}
    assert len(np.unique([next(iter(each)) for each in found.values()])) == 3
