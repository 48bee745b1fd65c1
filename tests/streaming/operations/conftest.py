"""The servers of this folder's tests."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.embedded.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from streaming.settings import load_settings
from tests.streaming.operations.stored_world import DEFINITIONS, StoredWorld


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, redis_server: RedisServer) -> Iterator[StoredWorld]:
    """An empty simulator, an empty lake, and a namespace of the test's own."""
    with KafkaSimulator({"payments": 2, "outcomes": 1}) as simulator:
        settings = load_settings(
            kafka_bootstrap_servers=simulator.bootstrap_servers,
            redis_url=redis_server.url,
            redis_namespace=tmp_path.name,
            definitions=DEFINITIONS,
            lake=tmp_path / "lake",
            registry=tmp_path / "registry",
            without_registry=True,
            topic_mode="embedded",
            allowed_lateness=timedelta(seconds=10),
            idle_mark=timedelta(seconds=0.1),
        )
        yield StoredWorld(simulator, settings)
