"""Kill it in the middle, start it again: nothing is lost, nothing is there twice, and every bit is right."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from deploy.demo.traffic.cards.card_traffic import CardTraffic
from deploy.demo.traffic.cards.disturbances import Disturbances
from deploy.demo.traffic.cards.handbook import World, simulate
from deploy.demo.traffic.live_traffic import LiveTraffic
from deploy.demo.traffic.records import Record
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from streaming.job.programs import programs_of
from tests.end_to_end.brokers import proper_kafka, proper_redis
from tests.end_to_end.job import Job, log_ends, produce

TOPICS = {CARD_TRANSACTIONS.topic: 2, CARD_LABELS.topic: 2}
DISTURBANCES = Disturbances(late=0.05, duplicate=0.02, malformed=0.02)
KILLS = 3


def world(customers: int, days: int) -> World:
    end_us = time.time_ns() // 1000
    start_us = end_us // 86_400_000_000 * 86_400_000_000 - days * 86_400_000_000
    return simulate(customers=customers, terminals=2 * customers, days=days, start_us=start_us, seed=11)


def in_parts(records: Iterator[Record], parts: int, count: int) -> Iterator[list[Record]]:
    size = -(-count // parts)
    while part := list(islice(records, size)):
        yield part


def stream_and_kill(job: Job, traffic: CardTraffic, seed: int) -> None:
    """Produce a history in parts, killing one dataflow or everything after each."""
    chosen = random.Random(seed)
    records = (record for some in traffic.history() for record in some)
    for part in in_parts(records, KILLS + 1, traffic.records_until(traffic.end_us)):
        produce(job.bootstrap_servers, part)
        time.sleep(chosen.uniform(0.5, 3.0))
        job.until(lambda: len(job.dataflows()) == len(programs_of(scores=False)), 300, lambda: str(job.dataflows()))
        job.kill_one(chosen)
    job.wait_for(log_ends(job.bootstrap_servers, TOPICS))


def check(job: Job, traffic: CardTraffic, cut_us: int, dead: int) -> None:
    job.wait_for_cut(cut_us)
    assert job.stop() == 0
    counts = job.check_truth()
    assert counts["dead"] == dead
    assert counts["rows of customer_spend:v1"] > 0.9 * traffic.truth.transactions


@pytest.mark.deep  # chaos kills on the embedded parts too
def test_killed_on_the_embedded_parts(tmp_path: Path) -> None:
    traffic = CardTraffic(world(60, 25).transactions, DISTURBANCES, seed=3)
    with RedisServer(tmp_path / "redis") as store, KafkaSimulator(TOPICS) as kafka:
        job = Job(tmp_path, kafka.bootstrap_servers, store.url, also={"MILLRACE_TOPIC_MODE": "embedded"})
        job.start()
        try:
            stream_and_kill(job, traffic, seed=1)
            # Embedded time stands still when its producer does: the present lets the last rows pass.
            live = LiveTraffic(world(60, 1), 200, DISTURBANCES, seed=4)
            produce(kafka.bootstrap_servers, (record for some in live.stream(seconds=2.0) for record in some))
            traffic.truth.dead += live.truth.dead
            job.wait_for(log_ends(kafka.bootstrap_servers, TOPICS))
            check(job, traffic, traffic.end_us, traffic.truth.dead)
        finally:
            job.supervisor.kill()


@pytest.mark.kafka
@pytest.mark.deep  # chaos kills on Apache Kafka too
def test_killed_on_apache_kafka_and_redis_server(tmp_path: Path) -> None:
    traffic = CardTraffic(world(60, 25).transactions, DISTURBANCES, seed=3)
    with proper_redis(tmp_path / "redis") as store, proper_kafka(tmp_path / "kafka") as kafka:
        for topic, partitions in TOPICS.items():
            kafka.create_topic(topic, partitions, {"message.timestamp.type": "LogAppendTime"})
        job = Job(tmp_path, kafka.bootstrap_servers, store.url, also={"MILLRACE_TOPIC_MODE": "live"})
        job.start()
        try:
            stream_and_kill(job, traffic, seed=2)
            # The broker's clock stamps them, so what was the future of the history is the past.
            dead = traffic.truth.dead - traffic.truth.malformed.get("future_event", 0)
            check(job, traffic, time.time_ns() // 1000, dead)
        finally:
            job.supervisor.kill()
