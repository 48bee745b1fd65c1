"""The servers of this folder's tests."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from tests.streaming.operations.payments_history import store_history
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


@pytest.fixture(scope="session")
def kept_history(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[StoredWorld]:
    """Stored once. Nobody changes it."""
    with KafkaSimulator({"payments": 2, "outcomes": 1}) as simulator:
        folder = tmp_path_factory.mktemp("history")
        world = StoredWorld(simulator, stored_settings(simulator.bootstrap_servers, redis_server.url, folder))
        store_history(world)
        yield world


@pytest.fixture
def history(kept_history: StoredWorld, tmp_path: Path) -> StoredWorld:
    """`payments_history`, with a lake and a namespace of the test's own."""
    shutil.copytree(kept_history.lake, tmp_path / "lake")
    own = {"lake": tmp_path / "lake", "redis_namespace": tmp_path.name}
    return replace(kept_history, settings=kept_history.settings.model_copy(update=own))
