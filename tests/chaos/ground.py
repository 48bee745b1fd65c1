"""What stands for many seeds: Apache Kafka, redis-server, proxies before them, clocks, a small disk for the lake."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from confluent_kafka import TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.embedded.kafka.apache_kafka import ApacheKafka
from deploy.embedded.ports import LOOPBACK, free_port
from deploy.embedded.redis_server import RedisServer
from tests.chaos import clock
from tests.chaos.proxy import Proxy
from tests.end_to_end.two_brokers import QUICK, TwoBrokers

DISK_MIB = 96
_ANSWER_S = 120.0
_ATTEMPTS = 50
_IN_STEP_WITHIN_S = 180.0

Say = Callable[[str], None]


class Ground:
    """A context manager. `lacks` says what of the faults cannot be had on this machine. `size`: one broker, or two."""

    def __init__(self, folder: Path, say: Say, size: int = 1) -> None:
        self.folder, self.size = folder, size
        self.lacks: dict[str, str] = {}
        """Kind of what is missing ("redis", "disk", "clock") -> why."""
        self._say = say
        self._open = ExitStack()

    def __enter__(self) -> Self:
        unmount(self.folder / "disk")  # of a run that was killed
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        with ExitStack() as opened:
            self._start(opened)
            self._open = opened.pop_all()
        for what, why in self.lacks.items():
            self._say(f"!!!!!!!! NOT TESTED: {what}: {why}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _start(self, opened: ExitStack) -> None:
        if missing := clock.missing():
            self.lacks["clock"] = " ".join(missing)
        library = clock.build_library(self.folder)
        self.job_clock = clock.SteppingClock(self.folder / "job.clock", library)
        self.broker_clock = clock.SteppingClock(self.folder / "broker.clock", library)
        self.lakes = opened.enter_context(SmallDisk(self.folder / "disk", self.lacks))

        proper = not RedisServer.missing(proper=True)
        if not proper:
            self.lacks["redis"] = "redis-server proper is not on the path, the wheel's takes its place"
        self.redis = RedisServer(self.folder / "redis", proper=proper)
        opened.enter_context(self.redis)
        self.redis_proxy = opened.enter_context(Proxy(self.redis.port))

        ports, environment = [free_port() for _ in range(self.size)], self.broker_clock.environment
        self.pair = None
        if self.size == 1:
            self.brokers = [ApacheKafka(self.folder / "kafka", behind=ports[0], environment={**QUICK, **environment})]
        else:
            self.pair = TwoBrokers(self.folder / "kafka", behind=ports, environment=environment)
            self.brokers = [self.pair.first, self.pair.second]
        self.kafka_proxies = [
            opened.enter_context(Proxy(broker.proxied_port, port))
            for broker, port in zip(self.brokers, ports, strict=True)
        ]
        for broker in self.brokers:
            opened.enter_context(broker)

    @property
    def bootstrap_servers(self) -> str:
        """Of the brokers themselves, not of the job's proxies."""
        return ",".join(broker.bootstrap_servers for broker in self.brokers)

    @property
    def job_servers(self) -> tuple[str, str]:
        """Bootstrap servers and Redis URL of the job: all behind their proxies."""
        kafka = ",".join(f"{LOOPBACK}:{proxy.port}" for proxy in self.kafka_proxies)
        return kafka, f"redis://{LOOPBACK}:{self.redis_proxy.port}/0"

    def admin(self) -> AdminClient:
        """A new client, because an old one may not know the leaders of today. Keep it until it has answered."""
        return AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 2})

    def be_good(self) -> None:
        """No fault any more, whatever a seed left behind."""
        for proxy in (self.redis_proxy, *self.kafka_proxies):
            proxy.be_good()
        self.job_clock.step_to(0)
        self.broker_clock.step_to(0)
        self.lakes.empty_ballast()
        self.redis.options = {}
        servers: list[RedisServer | ApacheKafka] = [self.redis, *self.brokers]
        for server in servers:
            if server.running:
                server.resume()
            else:
                server.start()
        self.wait_until_in_step()
        with redis.Redis.from_url(self.redis.url) as client:
            client.config_set("maxmemory", 0)

    def forget(self, topics: Iterable[str]) -> None:
        """After a seed: its topics and all of Redis."""
        names, admin = list(topics), self.admin()
        for future in admin.delete_topics(names, operation_timeout=_ANSWER_S).values():
            future.result(_ANSWER_S)
        with redis.Redis.from_url(self.redis.url) as client:
            client.flushall()

    def delete_records(self, up_to: dict[tuple[str, int], int]) -> None:
        """What retention does: everything below these offsets goes."""
        admin = self.admin()
        asked = admin.delete_records([TopicPartition(*key, offset) for key, offset in up_to.items()])
        for future in asked.values():
            future.result(_ANSWER_S)

    def topic_ids(self, names: list[str]) -> dict[str, str]:
        admin = self.admin()
        asked = admin.describe_topics(TopicCollection(names))
        return {name: str(future.result(_ANSWER_S).topic_id) for name, future in asked.items()}

    def wait_until_in_step(self) -> None:
        """Every broker has every record: the next fault may take any of them."""
        deadline = time.monotonic() + _IN_STEP_WITHIN_S
        while lagging := self._lagging():
            if time.monotonic() > deadline:
                raise AssertionError(f"not in step within {_IN_STEP_WITHIN_S:g} s: {lagging}")
            time.sleep(0.1)

    def _lagging(self) -> list[str]:
        found = self.admin().list_topics(timeout=_ANSWER_S).topics
        return [
            f"{name}/{number}"
            for name, topic in found.items()
            for number, partition in topic.partitions.items()
            if len(partition.isrs) < len(partition.replicas)
        ]


def unmount(folder: Path) -> None:
    """Harmless when nothing is mounted there."""
    while folder.is_mount():
        subprocess.run(["umount", "-l", str(folder)], check=True)


class SmallDisk:
    """A tmpfs that a ballast file can fill, when root; else a plain folder, and `lacks` says so."""

    def __init__(self, folder: Path, lacks: dict[str, str]) -> None:
        self.folder = folder
        self._lacks = lacks
        self._mounted = False

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        if sys.platform != "linux" or os.geteuid() != 0:
            self._lacks["disk"] = "only root on Linux can mount a small disk, so the disk under the lake is never full"
            return self
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self._mounted = done.returncode == 0
        if not self._mounted:
            self._lacks["disk"] = f"a small disk cannot be mounted ({done.stderr.strip()})"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        unmount(self.folder)

    def fill(self, leave_bytes: int = 0) -> None:
        """Take all its room but so much."""
        if not self._mounted:
            raise RuntimeError("this disk is the machine's own: it is not filled")
        with (self.folder / "ballast").open("ab") as ballast:
            for _ in range(_ATTEMPTS):
                disk = os.statvfs(self.folder)
                free = disk.f_bavail * disk.f_bsize - leave_bytes
                with contextlib.suppress(OSError):  # somebody took some of it a moment ago: take what there is now
                    if free > 0:
                        os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, free)
                    return

    def empty_ballast(self) -> None:
        """Give the room back."""
        (self.folder / "ballast").unlink(missing_ok=True)
