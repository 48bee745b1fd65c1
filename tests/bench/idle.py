"""What a job costs that has little to do: the share of a core of its processes, idle and at 50 events a second.

The topics are live, as in production: Apache Kafka stamps the records, and quiet partitions get marks.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Producer

from deploy.demo.traffic.cards.disturbances import Disturbances
from deploy.demo.traffic.cards.handbook import simulate
from deploy.demo.traffic.live_traffic import LiveTraffic
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.kafka.apache_kafka import ApacheKafka
from deploy.embedded.processes.background_process import BackgroundProcess
from deploy.embedded.redis_server import RedisServer
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from shared_features.kernel.event_time import DAY_US
from streaming.job.programs import programs_of
from tests.bench.figures import Figure
from tests.bench.processor_time import dataflow_processes, processor_seconds
from tests.bench.stream_job import ROOT

EVENTS_A_SECOND = 50
MEASURED_S = 60.0
TOPICS = {CARD_TRANSACTIONS.topic: 2, CARD_LABELS.topic: 2}
_SETTLED_S = 60.0  # so long that every program has made its first commit, which loads more code
_WITHIN_S = 300.0


def measure(file: Path | None) -> list[Figure]:
    # A job compiles its kernel once after an installation. Its cost at rest does not include this.
    subprocess.run([sys.executable, "-m", "deploy.local.compile_kernel"], cwd=ROOT, check=True)
    with (
        tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder,
        RedisServer(Path(folder) / "redis") as store,
        live_kafka() as bootstrap_servers,
        running_job(Path(folder), bootstrap_servers, store.url) as job,
    ):
        figures = shares(job, "idle")
        with traffic(bootstrap_servers):
            return figures + shares(job, f"at {EVENTS_A_SECOND} events/s")


@contextmanager
def live_kafka() -> Iterator[str]:
    """Apache Kafka with empty topics that stamp records themselves. Yields its address."""
    if missing := ApacheKafka.missing():
        raise EmbeddedError(f"the figures of an idle job need Apache Kafka itself. {' '.join(missing)}")
    with ApacheKafka(heap="512m") as kafka:
        for topic, partitions in TOPICS.items():
            kafka.create_topic(topic, partitions, {"message.timestamp.type": "LogAppendTime"})
        yield kafka.bootstrap_servers


@contextmanager
def running_job(folder: Path, bootstrap_servers: str, redis_url: str) -> Iterator[BackgroundProcess]:
    """The stream job as users run it, with default settings, on a lake in the folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")} | {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "REDIS_URL": redis_url,
        "MILLRACE_LAKE": str(folder / "lake"),
        "MILLRACE_REGISTRY": str(folder / "registry"),
    }
    command = [sys.executable, "-m", "streaming", "run"]
    job = BackgroundProcess(command, log=folder / "job.log", cwd=ROOT, environment=environment)
    try:
        yield job
    finally:
        job.stop(grace_s=40)


@contextmanager
def traffic(bootstrap_servers: str) -> Iterator[None]:
    """Card traffic at 50 events a second, from another thread."""
    stopped = threading.Event()
    feeding = threading.Thread(target=_feed, args=(bootstrap_servers, stopped), daemon=True)
    feeding.start()
    try:
        yield
    finally:
        stopped.set()
        feeding.join()


def shares(job: BackgroundProcess, when: str) -> list[Figure]:
    """The share of a core that each process of the job takes over a minute, after it has settled."""
    processes = {**_settled(job), "supervisor": job.pid}
    before, from_s = {name: processor_seconds(pid) for name, pid in processes.items()}, time.monotonic()
    time.sleep(MEASURED_S)
    seconds = time.monotonic() - from_s
    used = {name: 100 * (processor_seconds(pid) - before[name]) / seconds for name, pid in processes.items()}
    if any(share != share for share in used.values()):
        raise RuntimeError(f"a process ended while it was measured: {job.last_words(20)}")
    figures = [Figure(f"{name}, {when}", share, "% of a core") for name, share in sorted(used.items())]
    return [*figures, Figure(f"the whole job, {when}", sum(used.values()), "% of a core")]


def _settled(job: BackgroundProcess) -> dict[str, int]:
    """The process of each program, once none was restarted for a while: online restarts when its shards are built."""
    deadline, since_s = time.monotonic() + _WITHIN_S, time.monotonic()
    programs: dict[str, int] = {}
    while len(programs) < len(programs_of(scores=False)) or time.monotonic() - since_s < _SETTLED_S:
        if not job.running or time.monotonic() > deadline:
            raise RuntimeError(f"the four programs did not settle: {job.last_words(20)}")
        time.sleep(0.2)
        if (found := dict(dataflow_processes(job.pid))) != programs:
            programs, since_s = found, time.monotonic()
    return programs


def _feed(bootstrap_servers: str, stopped: threading.Event) -> None:
    today_us = time.time_ns() // 1000 // DAY_US * DAY_US
    world = simulate(customers=500, terminals=1_000, days=1, start_us=today_us, seed=3)
    live = LiveTraffic(world, EVENTS_A_SECOND, Disturbances(), seed=3)
    producer = Producer({"bootstrap.servers": bootstrap_servers, "linger.ms": 5})
    for some in live.stream(stopped.is_set):
        for topic, key, value, milliseconds in some:
            producer.produce(topic, value, key, timestamp=milliseconds)
        producer.poll(0)
    producer.flush(10)
