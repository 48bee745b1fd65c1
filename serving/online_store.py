"""The online store as serving reads it: values of keys, read in atomic steps. Its implementation is Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from serving.errors import OnlineStoreError
from serving.log import get_log
from serving.redis_connection import RedisConnection, connect

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0

Values = list[bytes | None]


class OnlineStore(Protocol):
    """What the request path asks of a store."""

    def read(self, reads: Sequence[Sequence[bytes]]) -> Awaitable[list[Values]]:
        """The values of keys, None for a missing key. The keys of one read are read in one atomic step.

        The keys of one read share a hash tag. Raises OnlineStoreError within the deadline, whatever happens.
        """


class RedisOnlineStore:
    """Reads from Redis by MGET, which is atomic. Keeps one connection, and reconnects when it is lost.

    Without a connection a read fails at once instead of waiting for its deadline.
    """

    def __init__(self, url: str, deadline_s: float) -> None:
        self._url = url
        self._deadline_s = deadline_s
        self._connection: RedisConnection | None = None
        self._reason = "not connected yet"
        self._keeper: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self._log = get_log("serving.online_store")

    async def start(self) -> None:
        """Begin to keep a connection. Returns after the first attempt, successful or not."""
        self._keeper = asyncio.create_task(self._keep_connected(), name="redis connection")
        await self._tried.wait()

    async def stop(self) -> None:
        """End the connection."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        if self._connection is not None:
            self._connection.close("the service is stopping")

    def read(self, reads: Sequence[Sequence[bytes]]) -> Awaitable[list[Values]]:
        """See OnlineStore. The commands are on their way when this returns."""
        if self._connection is None:
            return _fail(OnlineStoreError(f"Redis: {self._reason}"))
        return _checked(self._connection.ask([(b"MGET", *keys) for keys in reads]))

    async def _keep_connected(self) -> None:
        pause_s, told = _FIRST_PAUSE_S, False
        while True:
            try:
                self._connection = await connect(self._url, self._deadline_s)
                if told:
                    self._log.info("reconnected to the online store")
                pause_s, told = _FIRST_PAUSE_S, False
                self._tried.set()
                self._reason = await self._connection.lost
                self._connection = None
                continue  # at once: a connection that was closed because it was idle is not an outage
            except (OSError, OnlineStoreError) as error:
                self._reason = str(error) or "no connection within the deadline"
            if not told:
                self._log.warning("reconnecting to the online store", reason=self._reason)
                told = True
            self._tried.set()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def _fail(error: OnlineStoreError) -> list[Values]:
    raise error


async def _checked(asked: Awaitable[list[Any]]) -> list[Values]:
    answers = await asked
    for answer in answers:
        if isinstance(answer, Exception):
            raise OnlineStoreError(f"Redis: {answer}")
    return answers
