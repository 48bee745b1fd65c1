"""From starting `online` to its first commit, with a million entities in Redis beside none: it loads what it meets."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import redis
from confluent_kafka import Producer

from deploy.demo.traffic.cards.event_bytes import EVENT, encode
from deploy.demo.traffic.cards.transactions import Transactions
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.processes.background_process import BackgroundProcess
from deploy.embedded.redis_server import RedisServer
from shared_features.definitions import load_definitions
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from shared_features.feature_groups.customer_spend import CUSTOMER_SPEND
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta import ShardMeta
from shared_features.formats.shard_meta_bytes import encode_meta
from tests.bench.figures import Figure
from tests.bench.filled_redis import fill_redis
from tests.bench.stream_job import ROOT
from tests.bench.transactions import START_US

ENTITIES = 1_000_000
EVENTS = 20_000
STARTS = 5
_BUILD_ID = 1
_WITHIN_S = 60.0


def measure(file: Path | None) -> list[Figure]:
    subprocess.run(
        [sys.executable, "-m", "deploy.local.compile_kernel"], cwd=ROOT, check=True
    )  # compiling is no figure
    topics = {CARD_TRANSACTIONS.topic: 2, CARD_LABELS.topic: 2}
    seconds = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        RedisServer(Path(folder) / "redis") as store,
        KafkaSimulator(topics) as kafka,
    ):
        _produce(kafka.bootstrap_servers)
        for entities in (0, ENTITIES):
            namespace = f"restart-{entities}"
            if entities:
                fill_redis(store.url, namespace, (CUSTOMER_SPEND,), _transactions(2 * entities, entities))
            times = [_first_commit_s(kafka, store, namespace, Path(folder)) for _ in range(STARTS)]
            seconds[entities] = statistics.median(times)
    return [
        Figure(
            f"start of online to its first commit, {ENTITIES:,} entities in Redis",
            seconds[ENTITIES],
            "s",
            seconds[0],
            "none in Redis",
        )
    ]


def _first_commit_s(kafka: KafkaSimulator, store: RedisServer, namespace: str, folder: Path) -> float:
    groups = load_definitions("shared_features.feature_views").groups
    with redis.Redis.from_url(store.url) as client:
        metas = {
            key: encode_meta(ShardMeta(os.urandom(16), _BUILD_ID, False, group.fingerprint, 0, key=key))
            for group in groups
            for key in (meta_key(namespace, group, number) for number in range(group.shards))
        }
        client.mset(metas)
        client.delete(f"{namespace}:online:lease")
        watched = [key for key in metas if f":{CUSTOMER_SPEND.name}:".encode() in key]
        environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "REDIS_URL": store.url,
            "MILLRACE_REDIS_NAMESPACE": namespace,
            "MILLRACE_TOPIC_MODE": "embedded",
            "MILLRACE_LAKE": str(folder / "lake"),
        }
        started = time.monotonic()
        command = [sys.executable, "-m", "streaming", "run", "--only", "online"]
        child = BackgroundProcess(command, log=folder / "online.log", cwd=ROOT, environment=environment)
        try:
            while all(client.getrange(key, 0, 15) == metas[key][:16] for key in watched):
                if not child.running or time.monotonic() - started > _WITHIN_S:
                    raise RuntimeError(f"no commit: {child.last_words(20)}")
                time.sleep(0.01)
            return time.monotonic() - started
        finally:
            child.kill()


def _transactions(count: int, customers: int) -> Transactions:
    r = np.random.default_rng(1)
    times_us = START_US + np.sort(r.integers(0, 20 * 86_400_000_000, count))
    number = np.arange(count)
    cents = r.integers(100, 10_000, count)
    return Transactions(number, times_us, number % customers, number % 1000, cents, np.zeros(count, np.bool_))


def _produce(bootstrap_servers: str) -> None:
    rows = _transactions(EVENTS, ENTITIES)
    some = replace(rows, customer_id=np.random.default_rng(2).integers(0, ENTITIES, EVENTS))
    topics, keys, values = encode(some, np.full(EVENTS, EVENT, np.uint8))
    producer = Producer({"bootstrap.servers": bootstrap_servers})
    sent = zip(topics.tolist(), keys.tolist(), values.tolist(), rows.event_time_us.tolist(), strict=True)
    for number, (topic, key, value, time_us) in enumerate(sent):
        producer.produce(topic, value, key, timestamp=time_us // 1000)
        if number % 5_000 == 0:
            producer.flush(10)
    producer.flush(10)
