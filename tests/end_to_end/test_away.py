"""Redis, Kafka and the lake's disk go away in the middle, overlapping: the job waits, says so, and loses nothing."""

from __future__ import annotations

import json
import time
from itertools import islice
from pathlib import Path

import pytest

from deploy.demo.traffic.cards.card_traffic import CardTraffic
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from tests.end_to_end.job import Job, log_ends, produce
from tests.end_to_end.test_kill import DISTURBANCES, TOPICS, world

AWAY_S = 20


@pytest.mark.slow
@pytest.mark.deep  # chaos does it too
def test_what_is_away_for_20_seconds_is_waited_for(tmp_path: Path) -> None:
    traffic = CardTraffic(world(40, 20).transactions, DISTURBANCES, seed=5)
    records = (record for some in traffic.history() for record in some)
    third = traffic.records_until(traffic.end_us) // 3
    with RedisServer(tmp_path / "redis") as store, KafkaSimulator(TOPICS) as kafka:
        job = Job(tmp_path, kafka.bootstrap_servers, store.url, also={"MILLRACE_TOPIC_MODE": "embedded"})
        job.start()
        try:
            produce(kafka.bootstrap_servers, islice(records, third))
            job.wait_for(log_ends(kafka.bootstrap_servers, TOPICS))
            running = job.dataflows()
            away_since = time.monotonic()
            store.stop()
            produce(kafka.bootstrap_servers, islice(records, third))
            elsewhere = job.lake.rename(tmp_path / "unmounted")
            job.lake.write_text("nothing is mounted here")
            time.sleep(4)
            kafka.broker_down()
            time.sleep(AWAY_S - (time.monotonic() - away_since))
            store.start()
            time.sleep(3)
            job.lake.unlink()
            elsewhere.rename(job.lake)
            time.sleep(3)
            kafka.broker_up()
            produce(kafka.bootstrap_servers, records)
            job.wait_for(log_ends(kafka.bootstrap_servers, TOPICS))
            assert job.dataflows() == running, f"a dataflow was restarted: {job.supervisor.last_words(40)}"
            job.wait_for_cut(traffic.end_us - 10 * 86_400_000_000)
            assert job.stop() == 0
            assert job.check_truth()["dead"] == traffic.truth.dead
        finally:
            job.supervisor.kill()
    said = [json.loads(line) for line in job.log.read_text().splitlines() if line.startswith("{")]
    for dataflow, thing in (
        ("online", "waiting for Redis"),
        ("online", "waiting for Kafka"),
        ("archive", "waiting for Kafka"),
    ):
        times = sum(thing in line["event"] for line in said if line.get("dataflow") == dataflow)
        assert times == 1, f"{dataflow} said {times} times that {thing}"
