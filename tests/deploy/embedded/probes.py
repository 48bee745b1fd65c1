"""What the tests of the embedded parts look at from outside: processes, ports, records through a client."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Consumer, Message, Producer, TopicPartition

_SILENT = logging.getLogger("tests.deploy.embedded.client")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition: Callable[[], bool], within_s: float = 90.0) -> bool:
    """Whether the condition comes to hold in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def port_of(address: str) -> int:
    """The port in `host:port` or in a URL."""
    return int(address.rpartition(":")[2].partition("/")[0])


def producer(bootstrap_servers: str, **options: str | int) -> Producer:
    """A client that is silent about brokers that are away."""
    return Producer({"bootstrap.servers": bootstrap_servers, **options}, logger=_SILENT)


def consumer(bootstrap_servers: str, **options: str | int) -> Consumer:
    """A client that is silent about brokers that are away, and reports a lost offset as an error."""
    given = {"bootstrap.servers": bootstrap_servers, "group.id": "test", "auto.offset.reset": "error"}
    return Consumer({**given, "fetch.wait.max.ms": 10, **options}, logger=_SILENT)


def read(bootstrap_servers: str, topic: str, partition: int, offset: int, count: int) -> list[Message]:
    """`count` records (or errors) from an offset on, or what came of them within 90 s."""
    client = consumer(bootstrap_servers)
    try:
        client.assign([TopicPartition(topic, partition, offset)])
        found: list[Message] = []
        deadline = time.monotonic() + 90.0
        while len(found) < count and time.monotonic() < deadline:
            found.extend(client.consume(count - len(found), 0.1))
        return found
    finally:
        client.close()
