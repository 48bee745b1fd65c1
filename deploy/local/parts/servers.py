"""Kafka and Redis of a stack: the embedded ones, or the user's, with the topics that the definitions need."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

import msgspec

from deploy.embedded.kafka.apache_kafka import ApacheKafka
from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.ports import free_port, is_free
from deploy.embedded.redis_server import RedisServer
from deploy.local.parts.environment import settings_of, stack_settings
from deploy.local.parts.log_beginnings import log_beginnings
from deploy.local.parts.topics import PARTITIONS, prepare_topics
from deploy.local.stack.board import Board
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from shared_features.counted import counted
from shared_features.definitions import Catalogue
from streaming.settings import load_settings

KAFKA, REDIS = "kafka", "redis"
_REMEMBERED_PORTS = ("redis_port", "kafka_port", "controller_port", "serving_port")
_NAMES = {
    "simulator": "the Kafka simulator",
    "apache": "Apache Kafka, its records outlive a restart",
    "yours": "your Kafka",
}


@dataclass
class Servers:
    """mode: of the topics. embedded: the servers that this process runs."""

    remembered: Remembered
    mode: str = "embedded"
    embedded: dict[str, RedisServer | KafkaSimulator | ApacheKafka] = field(default_factory=dict)

    def note_failures(self, board: Board) -> None:
        """Put an embedded server on the board that has ended."""
        for name, server in self.embedded.items():
            if not server.running:
                part = board.standing.part(name)
                log = "" if part is None else f" Its log is {part.log}."
                board.put(name, "failed", f"{server.called} has ended.{log} End the rest, then start it again.")


def choose_ports(remembered: Remembered) -> tuple[Remembered, list[str]]:
    """The earlier ports where they are free, others where they are not; which of them changed."""
    chosen, changed = {}, []
    for name in _REMEMBERED_PORTS:
        port = getattr(remembered, name)
        if port is not None and is_free(port):
            continue
        chosen[name] = free_port()
        if port is not None:
            changed.append(f"{name.removesuffix('_port')}: port {port} is taken by another program, now {chosen[name]}")
    return msgspec.structs.replace(remembered, **chosen), changed


def start_servers(
    directory: StackDirectory, remembered: Remembered, catalogue: Catalogue, board: Board, exits: ExitStack
) -> Servers:
    """Start what is not the user's, and create the topics; `exits` ends it. Raises LocalError or EmbeddedError."""
    servers = Servers(remembered)
    _start_redis(directory, servers, board, exits)
    topics = tuple(source.topic for source in catalogue.sources)
    written = written_topics(catalogue)
    fetches = remembered.kafka == "apache" and not ApacheKafka.is_fetched()
    once = "; Maven fetches it first, once, 43 MB" if fetches else ""
    board.put(KAFKA, "starting", f"{_NAMES[remembered.kafka]}{once}")
    if remembered.kafka == "simulator":
        simulator = _simulator(directory, servers.remembered, catalogue, (*topics, *written))
        exits.enter_context(simulator)
        _add_kafka(servers, simulator, board, directory)
    else:
        if remembered.kafka == "apache":
            ports = (remembered.kafka_port or free_port(), remembered.controller_port or free_port())
            kafka = exits.enter_context(ApacheKafka(directory.path / "kafka", ports=ports))
            _add_kafka(servers, kafka, board, directory)
        address = str(servers.remembered.kafka_address)
        servers.mode, created = prepare_topics(address, topics, load_settings().kafka_options, written)
        told = f"; created {', '.join(created)}" if created else ""
        board.put(
            KAFKA,
            "up",
            f"{_NAMES[remembered.kafka]}, {counted(len(topics) + len(written), 'topic')}{told}",
            address=address,
        )
    return servers


def written_topics(catalogue: Catalogue) -> dict[str, str | None]:
    """What the programs write: the topics of scores, each with that of the events that are scored, and the prediction
    log. A view that is not defined is left out.
    """
    settings = load_settings()
    events = {view.name: view.source.topic for view in catalogue.views}
    scores = {topic: events[name] for name, topic in settings.score_topics.items() if name in events}
    return {**scores, **({settings.prediction_log_topic: None} if settings.prediction_log_topic else {})}


def _start_redis(directory: StackDirectory, servers: Servers, board: Board, exits: ExitStack) -> None:
    remembered = servers.remembered
    if remembered.redis == "yours":
        board.put(REDIS, "up", f"your Redis, keys {remembered.namespace}:*", address=remembered.redis_address)
        return
    board.put(REDIS, "starting", "redis-server")
    redis = exits.enter_context(RedisServer(directory.path / "redis", port=remembered.redis_port))
    servers.remembered = msgspec.structs.replace(remembered, redis_address=redis.url)
    servers.embedded[REDIS] = redis
    log = directory.path / "redis" / "redis.log"
    board.put(REDIS, "up", "redis-server, its data outlive a restart", pid=redis.pid, address=redis.url, log=log)


def _simulator(
    directory: StackDirectory, remembered: Remembered, catalogue: Catalogue, topics: tuple[str, ...]
) -> KafkaSimulator:
    known = msgspec.structs.replace(remembered, kafka_address="127.0.0.1:1")  # nothing here asks it
    settings = settings_of(stack_settings(directory, known, "embedded"))
    begin_at = log_beginnings(settings, catalogue, PARTITIONS)
    partitions = dict.fromkeys(topics, PARTITIONS)
    folder = directory.path / "kafka"
    return KafkaSimulator(partitions, directory=folder, begin_at=begin_at, port=remembered.kafka_port)


def _add_kafka(servers: Servers, kafka: KafkaSimulator | ApacheKafka, board: Board, directory: StackDirectory) -> None:
    servers.remembered = msgspec.structs.replace(servers.remembered, kafka_address=kafka.bootstrap_servers)
    servers.embedded[KAFKA] = kafka
    kind = servers.remembered.kafka
    file = "kafka-simulator.log" if kind == "simulator" else "kafka.log"
    kept = "; a restart keeps what the lake and Redis have taken, not its records" if kind == "simulator" else ""
    board.put(
        KAFKA,
        "up",
        f"{_NAMES[kind]}{kept}",
        pid=kafka.pid,
        address=kafka.bootstrap_servers,
        log=directory.path / "kafka" / file,
    )
