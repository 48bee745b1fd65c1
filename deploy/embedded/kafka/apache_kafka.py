"""Apache Kafka itself, in KRaft mode, on loopback: one node, or two; its jars come by Maven (`kafka_artifacts`).

Measured (4.3.1, Java 17, 2 busy cores): jars 44 MB, fetched in 6 s once; formatted in 0.7-2 s, up 3-4 s
later, 350 MB resident (440 after 200,000 events); restarts in 6 s, also after a kill; takes 250 thousand
events/s from one Python producer and gives 650.

Time stamps are the topic's choice: LogAppendTime (the broker's clock) or CreateTime (the producer's). Under
CreateTime the broker refuses a stamp more than an hour ahead of its clock; an old one is welcome. Retention
is off unless a topic sets it, so that history imported with its own times is not deleted for its age.
"""

from __future__ import annotations

import base64
import functools
import logging
import os
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.kafka import kafka_artifacts
from deploy.embedded.kafka.broker_settings import broker_settings
from deploy.embedded.ports import LOOPBACK, answers, free_port
from deploy.embedded.processes.background_process import BackgroundProcess
from deploy.embedded.processes.embedded_server import EmbeddedServer

_UP_WITHIN_S = 240.0
_FORMATTED_WITHIN_S = 60.0
_CREATED_WITHIN_S = 30.0
_ATTEMPTS = 5
_LOGGING = kafka_artifacts.POM.with_name("log4j2.properties")
# The admin client retries by itself; while the broker is unavailable its log would only say so, many times a second.
_SILENT = logging.getLogger("deploy.embedded.kafka.apache_kafka.client")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class ApacheKafka(EmbeddedServer):
    """A context manager and a `Broker`; restarts on the same ports with the same data.

    `directory` keeps data and log (default: a temporary one, removed at the end), `heap` is the JVM's -Xmx.
    `behind` is the port of a proxy: clients that come by `proxied_port` are sent to it ever after, as the proxy
    must send its clients there. `environment` is added to the broker's. `ports`: of the broker and of its controller.

    `replicas` is of every topic without another number, Kafka's own topics too. With 2 a second broker has to join:
    another ApacheKafka with `joins`. The first one is the only controller: without it no partition gets another leader.
    """

    called = "Apache Kafka"
    stopped_within_s = 20.0

    def __init__(
        self,
        directory: Path | None = None,
        *,
        heap: str = "512m",
        libraries: Path = kafka_artifacts.LIBRARIES,
        behind: int | None = None,
        environment: Mapping[str, str] | None = None,
        replicas: int = 1,
        joins: ApacheKafka | None = None,
        ports: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(directory)
        self._replicas: int = replicas if joins is None else joins._replicas
        self._first = self if joins is None else joins
        self._cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        self._behind = behind
        self._proxied_port = None if behind is None else free_port()
        self._environment = {**os.environ, **(environment or {})}
        self._heap = heap
        self._libraries = libraries
        self._ports = ports

    @staticmethod
    def missing(libraries: Path = kafka_artifacts.LIBRARIES) -> list[str]:
        """What keeps it from starting here, as sentences; empty when nothing does."""
        return kafka_artifacts.missing(libraries)

    @staticmethod
    def is_fetched(libraries: Path = kafka_artifacts.LIBRARIES) -> bool:
        """Whether its jars lie here already, so that a start need not fetch them."""
        return kafka_artifacts.are_fetched(libraries)

    @property
    def bootstrap_servers(self) -> str:
        """For any Kafka client."""
        if self._ports is None:
            raise EmbeddedError("Apache Kafka was not started; use it in a `with` statement")
        return f"{LOOPBACK}:{self._ports[0]}"

    @property
    def proxied_port(self) -> int:
        """Where the proxy leads to that this broker stands `behind`."""
        if self._proxied_port is None:
            raise EmbeddedError("Apache Kafka stands behind no proxy; give its port as `behind`")
        return self._proxied_port

    @property
    def node(self) -> int:
        """Its number in the cluster."""
        return 1 if self._first is self else 2

    def start(self) -> None:
        """Start it with its data, on the ports it had before if it had any; it answers when this returns."""
        missing = self.missing(self._libraries)
        if missing:
            raise EmbeddedError(" ".join(missing))
        directory = self._own_directory("millrace-kafka-").resolve()
        jars = kafka_artifacts.fetch_libraries(self._libraries)
        chosen = self._ports
        for attempt in range(_ATTEMPTS):
            ports = (free_port(), free_port()) if chosen is None else chosen
            properties = self._configure(directory, ports)
            if not (directory / "data" / "meta.properties").exists():
                self._format(directory, jars, properties)
            child = BackgroundProcess(
                [*self._java(directory, jars), f"-Xmx{self._heap}", "kafka.Kafka", str(properties)],
                log=directory / "kafka.out",
                cwd=directory,
                environment=self._environment,
            )
            try:
                child.wait_until(
                    functools.partial(_ready, ports[0], self.node), what="Apache Kafka", within_s=_UP_WITHIN_S
                )
            except EmbeddedError as error:
                log = directory / "kafka.log"
                logged = log.read_text(errors="replace")[-20_000:] if log.exists() else ""
                if "Address already in use" in logged and attempt < _ATTEMPTS - 1:
                    continue
                raise EmbeddedError(f"{error}\nand {log}") from None
            self._ports, self._child = ports, child
            return

    def create_topic(self, name: str, partitions: int, config: Mapping[str, str] | None = None) -> None:
        """Create a topic with any of Kafka's own settings of a topic, such as `message.timestamp.type`."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers}, logger=_SILENT)
        topic = NewTopic(name, num_partitions=partitions, replication_factor=self._replicas, config=dict(config or {}))
        try:
            admin.create_topics([topic], operation_timeout=_CREATED_WITHIN_S)[name].result(_CREATED_WITHIN_S)
        except KafkaException as error:
            raise EmbeddedError(f"creating topic {name} with {partitions} partitions: {error}") from error

    def _java(self, directory: Path, jars: Path) -> list[str]:
        return [
            kafka_artifacts.java(),
            "-cp",
            f"{jars.resolve()}/*",
            f"-Dlog4j2.configurationFile={_LOGGING}",
            f"-Dmillrace.kafka.log={directory / 'kafka.log'}",
            "-XX:-UsePerfData",  # or every JVM leaves a file in the temporary directory when it is killed
            "-XX:+ExitOnOutOfMemoryError",
        ]

    @property
    def _controller(self) -> int:
        if self._ports is None:
            raise EmbeddedError("the first broker of a cluster starts first; start it")
        return self._ports[1]

    def _format(self, directory: Path, jars: Path, properties: Path) -> None:
        cluster = self._first._cluster
        # "=" keeps an id that begins with "-" from being read as an option.
        tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config", str(properties)]
        command = [*self._java(directory, jars), "-XX:TieredStopAtLevel=1", *tool]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_FORMATTED_WITHIN_S
        )
        if done.returncode != 0:
            raise EmbeddedError(f"Apache Kafka could not format {directory}: {done.stderr or done.stdout}")

    def _configure(self, directory: Path, ports: tuple[int, int]) -> Path:
        properties = directory / "server.properties"
        joins = None if self._first is self else self._first._controller
        proxied = None if self._behind is None else (self.proxied_port, self._behind)
        settings = broker_settings(directory / "data", ports, self._replicas, joins=joins, proxied=proxied)
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return properties


def _ready(port: int, node: int) -> bool:
    """Whether the broker answers, belongs to the cluster, and every partition has a leader."""
    if not answers(port):
        return False
    try:
        cluster = AdminClient({"bootstrap.servers": f"{LOOPBACK}:{port}"}, logger=_SILENT).list_topics(timeout=1.0)
    except KafkaException:
        return False
    partitions = [partition for topic in cluster.topics.values() for partition in topic.partitions.values()]
    return node in cluster.brokers and all(partition.leader in cluster.brokers for partition in partitions)
