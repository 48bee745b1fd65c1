"""The online store in Redis, opened for a test, and found again after an outage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serving.errors import OnlineStoreError
from serving.online_store.online_store import OnlineStore
from serving.online_store.redis_online_store import RedisOnlineStore

DEADLINE_S = 60.0  # no test is about it that does not give its own


@asynccontextmanager
async def redis_store(url: str, deadline_s: float = DEADLINE_S) -> AsyncIterator[RedisOnlineStore]:
    store = RedisOnlineStore(url, deadline_s)
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


async def found_again(store: OnlineStore, key: bytes = b"key") -> list[list[bytes | None]]:
    for _ in range(600):
        try:
            return await store.read([[key]])
        except OnlineStoreError:
            await asyncio.sleep(0.1)
    raise AssertionError("Redis was not found again")
