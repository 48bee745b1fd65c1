"""Redis loses everything under a running job: the shards are built from the events table, and every bit is right."""

from __future__ import annotations

import json
import time
from itertools import islice
from pathlib import Path

import pytest
import redis

from deploy.demo.traffic.cards.card_traffic import CardTraffic
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from streaming.operations.status.answer import status_json
from streaming.operations.status.observer import StatusObserver
from tests.end_to_end.job import Job, log_ends, produce
from tests.end_to_end.test_kill import DISTURBANCES, TOPICS, world


def shards(job: Job) -> list[str]:
    groups = status_json(StatusObserver(job.settings()).observe())["groups"]
    return [shard["state"] for group in groups for shard in group["shards"]]


@pytest.mark.slow
@pytest.mark.deep  # the simulation loses Redis too, and tests of bootstrap build from the events table
def test_a_redis_that_was_emptied_is_rebuilt_under_a_live_job(tmp_path: Path) -> None:
    traffic = CardTraffic(world(50, 25).transactions, DISTURBANCES, seed=8)
    records = (record for some in traffic.history() for record in some)
    half = traffic.records_until(traffic.end_us) // 2
    with RedisServer(tmp_path / "redis") as store, KafkaSimulator(TOPICS) as kafka:
        job = Job(tmp_path, kafka.bootstrap_servers, store.url, also={"MILLRACE_TOPIC_MODE": "embedded"})
        job.start()
        try:
            produce(kafka.bootstrap_servers, islice(records, half))
            job.wait_for(log_ends(kafka.bootstrap_servers, TOPICS))
            assert set(shards(job)) == {"live"}
            with redis.Redis.from_url(store.url) as client:
                client.flushall()
            produce(kafka.bootstrap_servers, islice(records, half // 2))
            time.sleep(1)
            with redis.Redis.from_url(store.url) as client:  # and again, perhaps in the middle of it
                client.flushall()
            produce(kafka.bootstrap_servers, records)
            job.wait_for(log_ends(kafka.bootstrap_servers, TOPICS))
            job.until(lambda: set(shards(job)) == {"live"}, 300, lambda: str(shards(job)))
            job.wait_for_cut(traffic.end_us - 10 * 86_400_000_000)
            assert job.stop() == 0
            assert job.check_truth()["dead"] == traffic.truth.dead
        finally:
            job.supervisor.kill()
    said = [json.loads(line) for line in job.log.read_text().splitlines() if line.startswith("{")]
    built = [line for line in said if line.get("part") == "bootstrap" and line["event"] == "built shards, now live"]
    assert sum(line["events"] > 0 for line in built) >= len(job.catalogue.groups)
