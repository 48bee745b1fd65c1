"""Servings under test: the application in process on the fakes, and stored states to read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from fastapi import FastAPI

from deploy.embedded.redis_server import RedisServer
from serving.app import create_app
from serving.settings import ServingSettings
from tests.domains import machines
from tests.fakes import InMemoryOnlineStore, PushedClock
from tests.serving.published_models import publish
from tests.serving.stored_states import NAMESPACE, event_batch, stored_states

NOW_US = 1_767_225_600_000_000  # 2026-01-01
GROUPS = machines.BREAKDOWN.groups
INSTANCE: dict[str, Any] = {"plant": "north", "machine": "press|1", "celsius": 71.25, "firmware": "2.1"}


def readings() -> list[dict[str, Any]]:
    """Two machines of one plant in the last hours; celsius in tenths."""
    return [
        {
            "reading": f"r{number}",
            "at": NOW_US - number * 600_000_000 - 1,
            "plant": "north",
            "machine": "press|1" if number % 3 else "press|2",
            "celsius": 500 + 37 * number,
            "humidity": 100 + number if number % 2 else None,
            "firmware": "2.0" if number else "2.1",
        }
        for number in range(40)
    ]


def machine_states() -> dict[bytes, bytes]:
    return stored_states(GROUPS, [event_batch(machines.READINGS, readings())])


@contextmanager
def redis_with_states() -> Iterator[RedisServer]:
    """A Redis of its own that holds the machines."""
    with RedisServer() as server:
        with redis.Redis.from_url(server.url) as client:
            client.mset(machine_states())
        yield server


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    with redis_with_states() as server:
        yield server


@pytest.fixture
def store() -> InMemoryOnlineStore:
    return InMemoryOnlineStore(machine_states())


@pytest.fixture
def clock() -> PushedClock:
    return PushedClock(NOW_US)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    registry: Path = tmp_path_factory.mktemp("registry")
    publish(registry, machines.BREAKDOWN)
    return registry


Client = httpx.AsyncClient
StartServing = Callable[..., AbstractAsyncContextManager[Client]]


@asynccontextmanager
async def asking(app: FastAPI) -> AsyncIterator[Client]:
    """A client of an application that runs in this process."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), Client(transport=transport, base_url="http://serving") as client:
        yield client


@pytest.fixture
def serving(store: InMemoryOnlineStore, clock: PushedClock, published: Path) -> StartServing:
    """`async with serving(setting=...) as client`: the application in this process, on the fakes."""

    @asynccontextmanager
    async def start(**changed: Any) -> AsyncIterator[Client]:
        given: dict[str, Any] = {
            "definitions": "tests.domains.machines",
            "redis_namespace": NAMESPACE,
            "registry": published,
            "model_poll_s": 0.05,
            "serving_max_wait_ms": 60_000,
        }
        app = create_app(ServingSettings(**(given | changed)), store=store, clock=clock)
        async with asking(app) as client:
            yield client

    return start
