"""The stage: a Kafka, a Redis, topics, directories, and the environment in which Millrace's programs find them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.demo.errors import DemoError
from deploy.demo.options import ROOT, DemoOptions
from deploy.demo.stage.run_directory import RunDirectory
from deploy.demo.stage.topics import create_topics, make_live
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.kafka.apache_kafka import ApacheKafka
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.ports import free_port
from deploy.embedded.redis_server import RedisServer
from deploy.local.commands.wanted import refuse_missing
from deploy.local.parts.environment import ON_ONE_MACHINE, exports
from deploy.local.parts.topics import PARTITIONS, STAMPED_BY_PRODUCERS
from shared_features.definitions import load_definitions
from shared_features.kernel.event_time import to_datetime
from shared_features.settings.setting_names import PREFIX

DEFINITIONS = "shared_features.feature_views"
VIEW = "card_fraud"

KafkaKind = Literal["simulator", "apache", "yours"]


@dataclass(frozen=True)
class Stage:
    """What runs, and where. environment: what every program is started with."""

    run: RunDirectory
    kafka_kind: KafkaKind
    kafka: str
    redis_url: str
    topics: tuple[str, ...]
    environment: Mapping[str, str]
    serving_port: int
    runs_port: int
    embedded: tuple[tuple[str, KafkaSimulator | ApacheKafka | RedisServer], ...]

    @property
    def lake(self) -> Path:
        return self.run.path / "lake"

    @property
    def registry(self) -> Path:
        return self.run.path / "registry"

    @property
    def serving_url(self) -> str:
        return f"http://127.0.0.1:{self.serving_port}"

    @property
    def runs_url(self) -> str:
        """The page of training runs, where the demo stays up."""
        return f"http://127.0.0.1:{self.runs_port}"

    @property
    def needs_pacing(self) -> bool:
        """The simulator keeps little, so its producer must wait for the sinks."""
        return self.kafka_kind == "simulator"

    def check(self) -> None:
        """Raise DemoError when an embedded part has ended."""
        for name, part in self.embedded:
            try:
                part.pid  # noqa: B018  # it raises when the part is not running
            except EmbeddedError as error:
                raise DemoError(f"{name} has ended ({error}). Its log is in {self.run.path}") from error

    def go_live(self) -> None:
        """After the history: from now on a real broker stamps the records."""
        if self.kafka_kind != "simulator":
            make_live(self.kafka, self.topics)

    @property
    def shown_environment(self) -> dict[str, str]:
        """The part of the environment that a person needs to continue by hand."""
        return {
            name: value
            for name, value in self.environment.items()
            if name.startswith(PREFIX) or name in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL")
        }


def set_stage(options: DemoOptions, import_until_us: int, stack: ExitStack) -> Stage:
    """Start what has to be started; `stack` ends it. import_until_us: the history's end."""
    if options.kafka and "KAFKA_BOOTSTRAP_SERVERS" in os.environ:
        raise DemoError(
            "--kafka starts a Kafka, and KAFKA_BOOTSTRAP_SERVERS names one: unset it, or leave --kafka out."
        )
    refuse_missing(redis="REDIS_URL" not in os.environ, apache=options.kafka)
    run = RunDirectory(options.runs)
    stack.callback(run.close)
    topics = tuple(source.topic for source in load_definitions(DEFINITIONS).sources)
    embedded: list[tuple[str, KafkaSimulator | ApacheKafka | RedisServer]] = []
    redis_url = os.environ.get("REDIS_URL")
    namespace = "millrace" if redis_url is None else f"millrace-demo-{run.name}"
    if redis_url is None:
        redis = stack.enter_context(RedisServer(run.path / "redis"))
        embedded.append(("redis-server", redis))
        redis_url = redis.url
    kind, kafka = _kafka(options, run, topics, embedded, stack)
    port, runs_port = free_port(), free_port()
    environment = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "REDIS_URL": redis_url,
        "MILLRACE_DEFINITIONS": DEFINITIONS,
        "MILLRACE_REDIS_NAMESPACE": namespace,
        "MILLRACE_LAKE": str(run.path / "lake"),
        "MILLRACE_REGISTRY": str(run.path / "registry"),
        "MILLRACE_TRAINING_RUNS": str(run.path / "training"),
        "MILLRACE_TRAINING_RUNS_KEPT": "10",  # one a minute, and each can be looked at for a while
        "MILLRACE_RUNS_PORT": str(runs_port),
        "MILLRACE_LOG_FORMAT": "human",
        "MILLRACE_SERVING_PORT": str(port),
        **ON_ONE_MACHINE,
        "MILLRACE_TOPIC_MODE": "embedded",
    }
    if kind != "simulator":
        environment["MILLRACE_TOPIC_MODE"] = "import"
        environment["MILLRACE_IMPORT_UNTIL"] = to_datetime(import_until_us).isoformat()
    stage = Stage(run, kind, kafka, redis_url, topics, environment, port, runs_port, tuple(embedded))
    (run.path / "environment.sh").write_text(exports(stage.shown_environment))
    return stage


def _kafka(
    options: DemoOptions,
    run: RunDirectory,
    topics: tuple[str, ...],
    embedded: list[tuple[str, KafkaSimulator | ApacheKafka | RedisServer]],
    stack: ExitStack,
) -> tuple[KafkaKind, str]:
    yours = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if yours is not None:
        create_topics(yours, topics)
        return "yours", yours
    if options.kafka:
        kafka = stack.enter_context(ApacheKafka(run.path / "kafka"))
        embedded.append(("Apache Kafka", kafka))
        for name in topics:
            kafka.create_topic(name, PARTITIONS, STAMPED_BY_PRODUCERS)
        return "apache", kafka.bootstrap_servers
    simulator = stack.enter_context(KafkaSimulator(dict.fromkeys(topics, PARTITIONS), directory=run.path / "kafka"))
    embedded.append(("the Kafka simulator", simulator))
    return "simulator", simulator.bootstrap_servers


def shown(path: Path) -> str:
    """A path as short as it can be from the project's directory."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
