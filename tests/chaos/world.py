"""What a fault acts on: one seed's job and traffic on the ground that stands for all seeds."""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from shared_features.definitions import Catalogue
from streaming.bootstrap.judge import Verdict
from streaming.bootstrap.process import Bootstrap
from streaming.operations.status.positions import DurablePositions
from tests.chaos import domain
from tests.chaos.asked import Asker
from tests.chaos.ground import Ground
from tests.chaos.instances import Instances
from tests.chaos.served import Served
from tests.chaos.traffic import Traffic
from tests.end_to_end.archived_truth import read_log
from tests.end_to_end.job import Job

DEFINITIONS = "tests.chaos.domain"
LATENESS_S = 1
REDIS_TIMEOUT_S = 1.5
SETTINGS = {
    "MILLRACE_TOPIC_MODE": "live",
    "MILLRACE_ALLOWED_LATENESS": str(LATENESS_S),
    "MILLRACE_MARK_SLACK": "0.2",
    "MILLRACE_IDLE_MARK": "0.2",
    "MILLRACE_TOPIC_CHECK": "2",
    "MILLRACE_IDLE_COMMIT": "0.3",
    "MILLRACE_CACHED_ENTITIES": "6",  # states are loaded and evicted all the time
    "MILLRACE_REDIS_TIMEOUT": str(REDIS_TIMEOUT_S),
    "MILLRACE_ARCHIVE_COMMIT": "0.25",
    "MILLRACE_MATERIALIZE_INTERVAL": "0.25",
    "MILLRACE_SNAPSHOT_INTERVAL": "3",
    "MILLRACE_MAINTENANCE_INTERVAL": "4",
    "MILLRACE_KAFKA_OPTIONS": '{"socket.timeout.ms": "4000", "reconnect.backoff.max.ms": "500"}',
    "NUMBA_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
}
"""Every rule within seconds, in processes that leave the two cores to each other."""

Log = dict[tuple[str, int, int], tuple[bytes | None, int]]


@dataclass
class World:
    """One seed's. `kept` is what the log held before retention deleted it; `begun` when the first fault could come.

    served: the endpoint, where the seed has one. log_topic: of its predictions.
    """

    seed: int
    folder: Path
    ground: Ground
    job: Job
    instances: Instances
    traffic: Traffic
    asker: Asker
    served: Served | None = None
    log_topic: str | None = None
    kept: Log = field(default_factory=dict)
    deleted: set[tuple[str, int, int]] = field(default_factory=set)
    begun: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.positions = DurablePositions(self.job.settings())
        self._judge: Bootstrap | None = None
        self._lines = (self.folder / "schedule.log").open("a")
        self._locks = {name: threading.Lock() for name in RESOURCES}

    def verdicts(self) -> Mapping[str, Verdict]:
        """What every shard needs, as the job's own judge says: at rest, nothing is about to be built."""
        if self._judge is None:
            self._judge = Bootstrap(self.job.settings())
        return self._judge.verdicts()

    @property
    def catalogue(self) -> Catalogue:
        return self.job.catalogue

    @property
    def topics(self) -> list[str]:
        return [source.topic for source in self.catalogue.sources]

    @property
    def bootstrap_servers(self) -> str:
        """Of the broker itself, not of the job's proxy."""
        return self.ground.bootstrap_servers

    def note(self, text: str) -> None:
        """A line of the seed's schedule as it really went."""
        self._lines.write(f"{time.monotonic() - self.begun:7.2f} {text}\n")
        self._lines.flush()

    @contextmanager
    def alone_with(self, resources: frozenset[str]) -> Iterator[None]:
        """While nobody else does something to these; in one order, so that no two wait for each other."""
        held = [self._locks[name] for name in sorted(resources)]
        for lock in held:
            lock.acquire()
        try:
            yield
        finally:
            for lock in held:
                lock.release()

    def redis(self) -> redis.Redis:
        """A client of the server itself, not of the job's proxy."""
        return redis.Redis.from_url(self.ground.redis.url, socket_timeout=10)

    def log(self) -> Log:
        """All records that the log ever held."""
        self.kept |= read_log(self.bootstrap_servers, self.topics)
        return self.kept

    def topic_ids(self) -> dict[str, str]:
        return self.ground.topic_ids(self.topics)

    def close(self) -> None:
        self._lines.close()


RESOURCES = frozenset({"job", "redis", "redis_net", "broker", "kafka_net", "lake", "job_clock", "broker_clock"})


def build_world(
    seed: int, run: str, folder: Path, ground: Ground, *, partitions: int, rate: float, predictions: int = 0
) -> World:
    """The seed's topics, job, traffic and endpoint, none of them started. `run` tells runs over the same seed apart.

    predictions: how many the endpoint makes; without any there is no endpoint.
    """
    os.environ[domain.TOPIC_SUFFIX] = f"{run}s{seed}"
    importlib.reload(domain)
    lake = ground.lakes.folder / f"lake_{run}s{seed}"
    servers, redis_url = ground.job_servers
    also = {**SETTINGS, **ground.job_clock.environment}
    log_topic = f"predictions.{run}s{seed}" if predictions else None
    also |= {"MILLRACE_PREDICTION_LOG_TOPIC": log_topic} if log_topic else {}
    job = Job(
        folder, servers, redis_url, definitions=DEFINITIONS, also=also, lake=lake, namespace=f"chaos_{run}s{seed}"
    )
    stamped: Any = {"message.timestamp.type": "LogAppendTime"}
    ground.brokers[0].create_topic(domain.READINGS.topic, partitions, stamped)
    ground.brokers[0].create_topic(domain.INSPECTIONS.topic, max(1, partitions - 1), stamped)
    if log_topic:
        ground.brokers[0].create_topic(log_topic, 1, stamped)
    traffic = Traffic(seed, ground.bootstrap_servers, domain.READINGS, domain.INSPECTIONS, rate=rate)
    asker = Asker(seed, job.catalogue.views[0], job.namespace, ground.redis.url, traffic.recent)
    served = None
    if predictions:
        environment = {
            name: value for name, value in job.environment.items() if name not in ground.job_clock.environment
        }
        served = Served(seed, folder, environment, job.catalogue, traffic.recent, predictions)
    instances = Instances(folder, job.environment)
    return World(seed, folder, ground, job, instances, traffic, asker, served, log_topic)
