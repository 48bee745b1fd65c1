"""The whole process: Kafka to Redis, killed, interrupted, alone or as two workers; the end is always the same."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.ports import free_port
from deploy.embedded.redis_server import RedisServer
from shared_features.definitions import load_definitions
from shared_features.formats.online_state import meta_key
from streaming.errors import EXIT_OK, EXIT_REFUSED, EXIT_RESTART
from streaming.online_store.stored_vectors import smallest_positions, stored_metas
from streaming.settings import StreamingSettings, load_settings
from tests.streaming.online.shards import begin, stored_states, wanted_states
from tests.streaming.online.some_log import TOPICS, a_log, produce

ROOT = Path(__file__).parents[3]
DOMAIN = "tests.streaming.small_domain"
GROUPS = load_definitions(DOMAIN).groups
RUN = """
import os, sys
from streaming.job import bytewax_run
from streaming.log import set_up_log
from streaming.online.dataflow import run
from streaming.settings import load_settings
from streaming.job.stopping import install
install()
bytewax_run._TOGETHER_S = float(os.environ.get("TOGETHER_S", "10"))
settings = load_settings()
set_up_log(settings)
sys.exit(run(settings))
"""


class Job:
    """The online process, in a process."""

    def __init__(self, settings: StreamingSettings, folder: Path, **more: str) -> None:
        begin(settings, GROUPS)
        self.log = folder / f"online-{time.monotonic_ns()}.log"
        environment = {
            **os.environ,
            "MILLRACE_DEFINITIONS": DOMAIN,
            "MILLRACE_TOPIC_MODE": "embedded",
            "MILLRACE_LOG_FORMAT": "json",
            "MILLRACE_IDLE_COMMIT": "0.1",
            "MILLRACE_LAKE": str(folder / "lake"),
            "MILLRACE_REDIS_NAMESPACE": settings.redis_namespace,
            "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
            "REDIS_URL": settings.redis_url,
            **more,
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([sys.executable, "-c", RUN], cwd=ROOT, env=environment, stderr=log)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(240)

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@pytest.fixture
def kafka() -> Iterator[KafkaSimulator]:
    with KafkaSimulator(TOPICS) as simulator:
        yield simulator


@pytest.fixture
def here(settings: StreamingSettings, kafka: KafkaSimulator) -> StreamingSettings:
    return settings.model_copy(update={"kafka_bootstrap_servers": kafka.bootstrap_servers})


@pytest.fixture
def jobs(here: StreamingSettings, tmp_path: Path) -> Iterator[Any]:
    started: list[Job] = []

    def start(**more: str) -> Job:
        started.append(Job(here, tmp_path, **more))
        return started[-1]

    yield start
    for job in started:
        job.process.kill()
        job.process.wait()


def until(settings: StreamingSettings, offsets: dict[tuple[str, int], int], within_s: float = 180.0) -> None:
    """Wait until every shard has committed these offsets."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        held = smallest_positions(GROUPS, stored_metas(settings, GROUPS))
        at = {(topic, number): offset for (topic, _, number), offset in held.items()}
        if all(at.get(key, -1) >= offset for key, offset in offsets.items()):
            return
        time.sleep(0.05)
    raise AssertionError(f"after {within_s} s the shards are at {at}, wanted {offsets}")


def ends(log: Any, share: float = 1.0) -> dict[tuple[str, int], int]:
    return {key: int(share * len(log.of(key))) - 1 for key in log.all()}


def assert_equal(client: "redis.Redis", settings: StreamingSettings, log: Any) -> None:
    for group in GROUPS:
        assert stored_states(client, settings, group) == wanted_states(group, log)


def test_killed_and_started_again_it_ends_where_an_undisturbed_one_does(client, here, kafka, jobs):
    log = a_log(11, 3000)
    produce(kafka.bootstrap_servers, log, (0, 0.5))
    first = jobs(MILLRACE_POLL_RECORDS="50")
    until(here, ends(log, 0.2))
    first.process.kill()
    first.process.wait()
    produce(kafka.bootstrap_servers, log, (0.5, 1))
    second = jobs()
    until(here, ends(log))
    assert second.stop() == EXIT_OK
    assert_equal(client, here, log)


def test_two_workers_share_partitions_and_shards(client, here, kafka, jobs):
    log = a_log(12, 1500)
    produce(kafka.bootstrap_servers, log)
    workers = json.dumps([f"127.0.0.1:{free_port()}" for _ in range(2)])
    cluster = [jobs(MILLRACE_WORKERS=workers, MILLRACE_WORKER=str(number), TOGETHER_S="600") for number in range(2)]
    until(here, ends(log))
    for job in cluster:
        job.process.send_signal(signal.SIGTERM)
    assert [job.process.wait(240) for job in cluster] == [EXIT_OK, EXIT_OK]
    assert_equal(client, here, log)


def test_one_of_two_workers_that_is_asked_alone_does_not_wait_for_ever(here, kafka, jobs):
    log = a_log(16, 300)
    produce(kafka.bootstrap_servers, log)
    workers = json.dumps([f"127.0.0.1:{free_port()}" for _ in range(2)])
    cluster = [jobs(MILLRACE_WORKERS=workers, MILLRACE_WORKER=str(number)) for number in range(2)]
    until(here, ends(log))
    cluster[1].process.send_signal(signal.SIGTERM)
    assert cluster[1].process.wait(240) == EXIT_RESTART
    assert any("only this one was asked to stop" in line["event"] for line in cluster[1].said())


def test_shards_that_were_taken_end_the_process_with_the_code_that_asks_for_a_restart(client, here, kafka, jobs):
    log = a_log(17, 300)
    produce(kafka.bootstrap_servers, log, (0, 0.5))
    job = jobs()
    until(here, ends(log, 0.5))
    for group in GROUPS:  # all at once, as when Redis was emptied
        for number in range(group.shards):
            client.delete(meta_key(here.redis_namespace, group, number))
    produce(kafka.bootstrap_servers, log, (0.5, 1))
    assert job.process.wait(240) == EXIT_RESTART


def test_redis_away_in_the_middle_is_waited_for_and_said_once(kafka, tmp_path):
    log = a_log(13, 2000)
    produce(kafka.bootstrap_servers, log, (0, 0.5))
    with RedisServer(tmp_path / "redis") as server:
        settings = load_settings(redis_url=server.url, kafka_bootstrap_servers=kafka.bootstrap_servers)
        job = Job(settings, tmp_path)
        try:
            until(settings, ends(log, 0.5))
            server.stop()
            produce(kafka.bootstrap_servers, log, (0.5, 1))
            time.sleep(2)
            server.start()
            until(settings, ends(log))
            assert job.stop() == EXIT_OK
        finally:
            job.process.kill()
            job.process.wait()
        said = [line["event"] for line in job.said() if line.get("part") == "redis"]
        assert said == ["waiting for Redis", "reached Redis again"]
        with redis.Redis.from_url(server.url) as client:
            assert_equal(client, settings, log)


def test_it_refuses_positions_beyond_the_log(here, kafka, jobs):
    log = a_log(14, 200)
    produce(kafka.bootstrap_servers, log)
    job = jobs()
    until(here, ends(log))
    assert job.stop() == EXIT_OK
    with KafkaSimulator(TOPICS) as emptied:  # the same topics, made anew: their ids are others
        job = jobs(KAFKA_BOOTSTRAP_SERVERS=emptied.bootstrap_servers)
        assert job.process.wait(240) == EXIT_REFUSED
    assert any("deleted and re-created" in str(line.get("reason")) for line in job.said())


def test_an_event_is_visible_though_none_follows_it_and_no_interval_passes(client, here, kafka, jobs):
    """`./run bench` times it: 0.1 s on a quiet machine."""
    log = a_log(15, 400)
    produce(kafka.bootstrap_servers, log, (0, 0.5))
    jobs(MILLRACE_IDLE_MARK="86400", MILLRACE_TOPIC_CHECK="86400")
    until(here, ends(log, 0.5))
    for first, past in ((0.5, 0.7), (0.7, 1)):
        produce(kafka.bootstrap_servers, log, (first, past))
        until(here, ends(log, past))
