"""One redis-server for all tests here; each test has a namespace of its own."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from deploy.embedded.redis_server import RedisServer
from streaming.settings import StreamingSettings, load_settings


@pytest.fixture(scope="package")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_server.url) as client:
        yield client


@pytest.fixture
def settings(redis_server: RedisServer) -> StreamingSettings:
    return load_settings(redis_url=redis_server.url, redis_namespace=f"t{uuid4().hex[:8]}")
