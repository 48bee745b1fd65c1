"""The servers of this folder's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from tests.streaming.operations.stored_world import StoredWorld, stored_settings


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, redis_server: RedisServer) -> Iterator[StoredWorld]:
    """An empty simulator, an empty lake, and a namespace of the test's own."""
    with KafkaSimulator({"payments": 2, "outcomes": 1}) as simulator:
        yield StoredWorld(simulator, stored_settings(simulator.bootstrap_servers, redis_server.url, tmp_path))
