"""A lake that is not mounted is told from one that is new."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from deploy.embedded.redis_server import RedisServer
from streaming.bootstrap.lake_mark import MARK, another_lake
from streaming.online_store.link import RedisLink
from streaming.settings import load_settings


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def test_a_lake_that_is_not_mounted_is_told_from_a_new_one(server: RedisServer, tmp_path: Path) -> None:
    link = RedisLink(load_settings(redis_url=server.url))
    lake, aside = tmp_path / "lake", tmp_path / "aside"
    assert another_lake(link, "one", lake) is None
    assert another_lake(link, "one", lake) is None
    lake.rename(aside)
    assert "does not belong" in (another_lake(link, "one", lake) or "")
    lake.mkdir()  # the empty mount point
    assert "Mount the right lake" in (another_lake(link, "one", lake) or "")
    assert not (lake / MARK).exists()
    assert another_lake(link, "two", lake) is None  # another store, which begins here
    assert "does not belong" in (another_lake(link, "one", lake) or "")
    assert another_lake(link, "one", aside) is None


def test_a_redis_that_was_emptied_takes_the_lake_there_is(server: RedisServer, tmp_path: Path) -> None:
    link = RedisLink(load_settings(redis_url=server.url))
    assert another_lake(link, "three", tmp_path) is None
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    assert another_lake(link, "three", tmp_path) is None
