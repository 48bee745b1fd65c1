"""A stream job under test: the supervised programs, in processes of their own, on the brokers that a test hands it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path

import redis
from confluent_kafka import Producer
from deltalake import DeltaTable

from deploy.embedded.processes.background_process import BackgroundProcess
from shared_features.definitions import Catalogue, load_definitions
from shared_features.formats import offline_tables
from streaming.operations.status.positions import DurablePositions
from streaming.settings import StreamingSettings, load_settings
from tests.end_to_end.archived_truth import check_log, read_log
from tests.end_to_end.feature_row_truth import check_feature_rows
from tests.end_to_end.online_truth import check_online

ROOT = Path(__file__).parents[2]
LATENESS_S = 2
_LOOK_EVERY_S = 0.5
"""A look reads Redis and the lake, which takes the processor from the job."""


class Job:
    """`python -m streaming run` with its lake and log under `folder`; `also` are further MILLRACE_ settings.

    `lake` and `namespace` where it shall have others than its own.
    """

    def __init__(
        self,
        folder: Path,
        bootstrap_servers: str,
        redis_url: str,
        *,
        definitions: str = "shared_features.feature_views",
        also: Mapping[str, str] | None = None,
        lake: Path | None = None,
        namespace: str = "tested",
    ) -> None:
        self.lake = lake or folder / "lake"
        self.log = folder / "stream.log"
        self.bootstrap_servers, self.redis_url = bootstrap_servers, redis_url
        self.namespace = namespace
        self.catalogue: Catalogue = load_definitions(definitions)
        self.environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "REDIS_URL": redis_url,
            "MILLRACE_REDIS_NAMESPACE": self.namespace,
            "MILLRACE_DEFINITIONS": definitions,
            "MILLRACE_LAKE": str(self.lake),
            "MILLRACE_REGISTRY": str(folder / "registry"),
            "MILLRACE_ALLOWED_LATENESS": str(LATENESS_S),
            "MILLRACE_ARCHIVE_COMMIT": "0.5",
            "MILLRACE_MATERIALIZE_INTERVAL": "0.5",
            "MILLRACE_LOG_FORMAT": "json",
            **(also or {}),
        }
        self._child: BackgroundProcess | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "streaming", "run"]
        self._child = BackgroundProcess(command, log=self.log, cwd=ROOT, environment=self.environment)

    @property
    def supervisor(self) -> BackgroundProcess:
        if self._child is None:
            raise RuntimeError("the job was not started")
        return self._child

    def dataflows(self) -> dict[str, int]:
        """Process id by name of the dataflows that run now."""
        found = {}
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.supervisor.pid)], capture_output=True, text=True, check=False
        )
        for line in listed.stdout.splitlines():
            pid, _, command = line.strip().partition(" ")
            if "--only" in command:
                found[command.split()[-1]] = int(pid)
        return found

    def kill_one(self, chosen: random.Random) -> str:
        """kill -9 of one dataflow, or of everything, which is then started again. Returns what was killed."""
        running = self.dataflows()
        name = chosen.choice([*sorted(running), "everything"])
        if name == "everything":
            self.kill_everything()
        else:
            _end(running[name])
        return name

    def kill_everything(self) -> None:
        """kill -9 of the supervisor and its programs, and a new start."""
        running = self.dataflows()
        self.supervisor.kill()
        for pid in running.values():
            _end(pid)
        self.start()

    def stop(self) -> int | None:
        """SIGTERM; the exit code after draining."""
        self.supervisor.stop(grace_s=240)
        return self.supervisor.exit_code

    def settings(self) -> StreamingSettings:
        """The job's settings in this process."""
        return load_settings(
            kafka_bootstrap_servers=self.bootstrap_servers,
            redis_url=self.redis_url,
            redis_namespace=self.namespace,
            definitions=self.environment["MILLRACE_DEFINITIONS"],
            lake=self.lake,
        )

    @cached_property
    def positions(self) -> DurablePositions:
        """Called, it looks where the sinks are."""
        return DurablePositions(self.settings())

    def wait_for(self, ends: Mapping[tuple[str, int], int], within_s: float = 300) -> None:
        """Until the sinks of Kafka have everything up to `ends` (last offsets)."""

        taken = {source.topic for group in self.catalogue.groups for source in group.sources}
        wanted = {"archive": ends, "online": {place: end for place, end in ends.items() if place[0] in taken}}

        def done() -> bool:
            sinks = self.positions()
            return all(
                sinks.get(sink, {}).get(place, -1) >= end for sink in wanted for place, end in wanted[sink].items()
            )

        self.until(done, within_s, lambda: f"positions {self.positions()} of {ends}")

    def wait_for_cut(self, cut_us: int, within_s: float = 300) -> None:
        """Until every group's feature rows are complete up to the arrival watermark `cut_us`."""
        self.until(lambda: self.cut_us() >= cut_us, within_s, lambda: f"cut {self.cut_us()} of {cut_us}")

    def cut_us(self) -> int:
        """The smallest cut over the groups, 0 before there is one in each."""
        cuts = []
        for group, spine in self.catalogue.spines:
            path = str(self.lake / offline_tables.features_table(group, spine))
            if not DeltaTable.is_deltatable(path):
                return 0
            cuts.append(DeltaTable(path).transaction_version(offline_tables.CUT_APP) or 0)
        return min(cuts)

    def until(self, done: Callable[[], bool], within_s: float, what: Callable[[], str]) -> None:
        deadline = time.monotonic() + within_s
        while not done():
            assert self.supervisor.running, f"the job ended: {self.supervisor.last_words(40)}"
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within_s} s: {what()}\n{self.supervisor.last_words(40)}")
            time.sleep(_LOOK_EVERY_S)

    def check_truth(self, *, sample: int = 3_000) -> dict[str, int]:
        """PROTOCOL's "correct": log = events and dead letters; states and rows = the oracle over the stored events."""
        topics = [source.topic for source in self.catalogue.sources]
        counts = {"dead": check_log(self.lake, self.catalogue, read_log(self.bootstrap_servers, topics))}
        with redis.Redis.from_url(self.redis_url) as client:
            for group in self.catalogue.groups:
                counts[f"entities of {group.label}"] = check_online(client, self.namespace, self.lake, group)
        up_to = self.cut_us() - LATENESS_S * 1_000_000
        for group, spine in self.catalogue.spines:
            rows = check_feature_rows(self.lake, group, spine, up_to_us=up_to, sample=sample)
            counts[f"rows of {group.label}"] = rows
        return counts


def produce(bootstrap_servers: str, records: Iterable[tuple[str, bytes, bytes, int]]) -> None:
    """Send (topic, key, value, milliseconds) and return when the log has them."""
    producer = Producer({"bootstrap.servers": bootstrap_servers, "linger.ms": 5, "enable.idempotence": True})
    for topic, key, value, milliseconds in records:
        producer.produce(topic, value, key, timestamp=milliseconds)
        producer.poll(0)
    left = producer.flush(30)
    assert left == 0, f"{left} records did not reach the log"


def log_ends(bootstrap_servers: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """The last offset of each partition that holds anything."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "ends"})
    ends = {}
    known = consumer.list_topics(timeout=10).topics
    for topic in topics:
        for number in known[topic].partitions:
            high = consumer.get_watermark_offsets(TopicPartition(topic, number), 10)[1]
            if high:
                ends[topic, number] = high - 1
    consumer.close()
    return ends


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
