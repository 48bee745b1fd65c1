"""Apache Kafka and redis-server proper for the tests, or a loud line at the end that says what was not tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.embedded.kafka.apache_kafka import ApacheKafka
from deploy.embedded.redis_server import RedisServer
from tests.end_to_end.two_brokers import QUICK, TwoBrokers

NOT_TESTED: list[str] = []
"""What this run left out; `tests/conftest.py` prints it where nobody overlooks it."""


def proper_kafka(directory: Path) -> ApacheKafka:
    """Apache Kafka itself. Skips the test where java or mvn is missing."""
    if missing := ApacheKafka.missing():
        NOT_TESTED.append(f"Apache Kafka: {' '.join(missing)}")
        pytest.skip(NOT_TESTED[-1])
    return ApacheKafka(directory, environment=QUICK)


def proper_redis(directory: Path) -> RedisServer:
    """The machine's redis-server; where it has none, the wheel's takes its place."""
    if missing := RedisServer.missing(proper=True):
        NOT_TESTED.append(f"redis-server proper (the wheel's took its place): {' '.join(missing)}")
        return RedisServer(directory)
    return RedisServer(directory, proper=True)


def two_brokers(directory: Path) -> TwoBrokers:
    """Apache Kafka itself, twice. Skips the test where java or mvn is missing."""
    proper_kafka(directory)
    return TwoBrokers(directory)
