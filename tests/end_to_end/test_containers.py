"""The stream job on Kafka and Redis as most people run them: in containers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.demo.traffic.cards.card_traffic import CardTraffic
from deploy.demo.traffic.cards.disturbances import Disturbances
from tests.end_to_end.containers import container_brokers
from tests.end_to_end.job import Job, log_ends, produce
from tests.end_to_end.test_kill import TOPICS, world


@pytest.mark.slow
def test_the_stream_is_right_on_containers(tmp_path: Path) -> None:
    with container_brokers() as (kafka, store):
        config = {"message.timestamp.type": "LogAppendTime"}
        topics = [NewTopic(name, partitions, 1, config=config) for name, partitions in TOPICS.items()]
        for future in AdminClient({"bootstrap.servers": kafka}).create_topics(topics).values():
            future.result(30)
        traffic = CardTraffic(world(30, 5).transactions, Disturbances(late=0.05, duplicate=0.02, malformed=0.02))
        job = Job(tmp_path, kafka, store)
        job.start()
        try:
            produce(kafka, (record for some in traffic.history() for record in some))
            job.wait_for(log_ends(kafka, TOPICS))
            job.wait_for_cut(time.time_ns() // 1000)
            assert job.stop() == 0
            assert job.check_truth()["dead"] == traffic.truth.dead
        finally:
            job.supervisor.kill()
