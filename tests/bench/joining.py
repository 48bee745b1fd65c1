"""A group is built beside the others and joins them: for how long do the others stand still?"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import redis
from confluent_kafka import Producer

from deploy.demo.traffic.cards.disturbances import Disturbances
from deploy.demo.traffic.cards.handbook import simulate
from deploy.demo.traffic.live_traffic import LiveTraffic
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.processes.background_process import BackgroundProcess
from deploy.embedded.redis_server import RedisServer
from shared_features.definitions import FeatureGroup, load_definitions
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from shared_features.feature_groups.customer_spend import CUSTOMER_SPEND
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta_bytes import decode_meta
from tests.bench.figures import Figure
from tests.bench.stream_job import ROOT

EVENTS_A_SECOND = 500
NAMESPACE = "joining"
_WITHIN_S = 90.0


class Commits:
    """Notes when the shards of groups commit, by looking every few milliseconds."""

    def __init__(self, url: str, groups: tuple[FeatureGroup, ...]) -> None:
        self._client = redis.Redis.from_url(url)
        self._keys = [meta_key(NAMESPACE, group, number) for group in groups for number in range(group.shards)]
        self._last: dict[bytes, tuple[bytes, float]] = {}
        self.longest_s = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def forget(self) -> None:
        self.longest_s = 0.0

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._client.close()

    def _look(self) -> None:
        while not self._stopped.wait(0.005):
            now = time.monotonic()
            for key in self._keys:
                commit_id = self._client.getrange(key, 0, 15)
                assert isinstance(commit_id, bytes)
                before = self._last.setdefault(key, (commit_id, now))
                if before[0] != commit_id:
                    self.longest_s = max(self.longest_s, now - before[1])
                    self._last[key] = (commit_id, now)


def measure(file: Path | None) -> list[Figure]:
    groups = load_definitions("shared_features.feature_views").groups
    others = tuple(group for group in groups if group != CUSTOMER_SPEND)
    topics = {CARD_TRANSACTIONS.topic: 2, CARD_LABELS.topic: 2}
    with (
        tempfile.TemporaryDirectory() as folder,
        RedisServer(Path(folder) / "redis") as store,
        KafkaSimulator(topics) as kafka,
        redis.Redis.from_url(store.url) as client,
    ):
        environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "REDIS_URL": store.url,
            "MILLRACE_REDIS_NAMESPACE": NAMESPACE,
            "MILLRACE_TOPIC_MODE": "embedded",
            "MILLRACE_LAKE": str(Path(folder) / "lake"),
        }
        command = [sys.executable, "-m", "streaming", "run"]
        child = BackgroundProcess(command, log=Path(folder) / "job.log", cwd=ROOT, environment=environment)
        stopped = threading.Event()
        feeding = threading.Thread(target=_feed, args=(kafka.bootstrap_servers, stopped), daemon=True)
        feeding.start()
        try:
            _until(lambda: _live(client, groups), child)
            time.sleep(5)
            commits = Commits(store.url, others)
            time.sleep(5)
            usual_s = commits.longest_s
            commits.forget()
            client.delete(*(meta_key(NAMESPACE, CUSTOMER_SPEND, number) for number in range(CUSTOMER_SPEND.shards)))
            _until(lambda: _live(client, (CUSTOMER_SPEND,)), child)
            time.sleep(8)
            commits.close()
        finally:
            stopped.set()
            feeding.join()
            child.kill()
    return [
        Figure(
            "longest time without a commit of the other groups while one is lost, built and joins",
            commits.longest_s,
            "s",
            usual_s,
            "undisturbed",
        )
    ]


def _live(client: redis.Redis, groups: tuple[FeatureGroup, ...]) -> bool:
    stored = [client.get(meta_key(NAMESPACE, group, number)) for group in groups for number in range(group.shards)]
    return all(isinstance(meta, bytes) and not decode_meta(meta).behind for meta in stored)


def _feed(bootstrap_servers: str, stopped: threading.Event) -> None:
    start_us = time.time_ns() // 1000 // 86_400_000_000 * 86_400_000_000
    world = simulate(customers=500, terminals=1_000, days=1, start_us=start_us, seed=3)
    live = LiveTraffic(world, EVENTS_A_SECOND, Disturbances(), seed=3)
    producer = Producer({"bootstrap.servers": bootstrap_servers, "linger.ms": 5})
    for some in live.stream(stopped.is_set, seconds=2 * _WITHIN_S):
        for topic, key, value, milliseconds in some:
            producer.produce(topic, value, key, timestamp=milliseconds)
        producer.poll(0)
    producer.flush(10)


def _until(done: Callable[[], bool], child: BackgroundProcess) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while not done():
        if not child.running or time.monotonic() > deadline:
            raise RuntimeError(f"the job ended or hangs: {child.last_words(20)}")
        time.sleep(0.02)
