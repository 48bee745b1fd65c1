"""The online store as serving reads it: values of keys, read in atomic steps. Its implementation is Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from serving.errors import LostConnectionError, OnlineStoreError
from serving.log import get_log
from serving.redis_connection import RedisConnection, connect

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0
_PING_EVERY_S, _PING_WITHIN_S = 10.0, 1.0
NOT_A_STRING = b""
"""The value of a key that holds a hash, a list, ... No state and no meta has these bytes."""
_ABSENT = (b"none", b"string")  # a string: it was written since

Values = list[bytes | None]
_Commands = Sequence[Sequence[bytes]]
_Asked = asyncio.Future[list[Any]] | None


class OnlineStore(Protocol):
    """What the request path asks of a store."""

    def read(self, reads: Sequence[Sequence[bytes]]) -> Awaitable[list[Values]]:
        """The values of keys, None for a missing key. The keys of one read are read in one atomic step.

        The keys of one read share a hash tag. Raises OnlineStoreError within the deadline, whatever happens.
        """


class RedisOnlineStore:
    """Reads from Redis by MGET, which is atomic. Keeps one connection, and makes a new one when it is lost.

    Redis, or what lies between, may close a connection that is idle. So the connection is pinged now and then, and a
    read whose connection is lost is repeated once on the next connection, within its deadline. Once an attempt to
    connect has failed, a read fails at once instead of waiting for its deadline.
    """

    def __init__(self, url: str, deadline_s: float) -> None:
        self._url = url
        self._deadline_s = deadline_s
        self._connection: RedisConnection | None = None
        self._next: asyncio.Future[RedisConnection | None] | None = None
        """The connection that is made after a loss, None if it cannot be made. Not set while there is no such hope."""
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
        """See OnlineStore. The commands are on their way when this returns.

        A key that holds something else than a string is not missing. Its value is NOT_A_STRING.
        """
        until_s = asyncio.get_running_loop().time() + self._deadline_s
        commands = [(b"MGET", *keys) for keys in reads]
        asked = None if self._connection is None else self._connection.ask(commands)
        return self._values(reads, commands, asked, until_s)

    async def _values(
        self, reads: Sequence[Sequence[bytes]], commands: _Commands, asked: _Asked, until_s: float
    ) -> Any:
        values = await self._answers(commands, asked, until_s)
        absent = [(of, place) for of, row in enumerate(values) for place, value in enumerate(row) if value is None]
        if absent:  # MGET does not tell a key that holds a hash or a list from a missing key
            kinds = await self._answers([(b"TYPE", reads[of][place]) for of, place in absent], None, until_s)
            for (of, place), kind in zip(absent, kinds, strict=True):
                if kind not in _ABSENT:
                    values[of][place] = NOT_A_STRING
        return values

    async def _answers(self, commands: _Commands, asked: _Asked, until_s: float) -> list[Any]:
        try:
            answers = await (asked or self._ask(self._connection, commands, until_s))
        except LostConnectionError as error:
            await asyncio.sleep(0)  # what runs at the loss, `_lost`, may still be in the queue behind this
            renewed = self._connection or await self._renewed(until_s)
            if renewed is None:
                raise
            answers = await self._ask(renewed, commands, until_s)
            self._log.debug("repeated a read on a new connection", reason=error.detail)
        for answer in answers:
            if isinstance(answer, Exception):
                raise OnlineStoreError(f"Redis: {answer}")
        return answers

    def _ask(
        self, connection: RedisConnection | None, commands: _Commands, until_s: float
    ) -> asyncio.Future[list[Any]]:
        if connection is None:
            raise LostConnectionError(f"Redis: {self._reason}")
        return connection.ask(commands, until_s - asyncio.get_running_loop().time())

    async def _renewed(self, until_s: float) -> RedisConnection | None:
        """The connection that is being made after a loss. None if none is being made, or it is not ready in time."""
        if self._next is None:
            return None
        try:
            async with asyncio.timeout_at(until_s):
                return await asyncio.shield(self._next)
        except TimeoutError:
            return None

    async def _keep_connected(self) -> None:
        pause_s, told = _FIRST_PAUSE_S, False
        while True:
            try:
                connection = self._connection = await connect(self._url, self._deadline_s)
                self._tell_next(connection)
                if told:
                    self._log.info("reconnected to the online store")
                pause_s, told = _FIRST_PAUSE_S, False
                self._tried.set()
                connection.lost.add_done_callback(partial(self._lost, connection))
                await _until_lost(connection)
                continue  # at once: a connection that was closed because it was idle is not an outage
            except (OSError, OnlineStoreError) as error:
                self._reason = str(error) or "no connection within the deadline"
            self._tell_next(None)
            if not told:
                self._log.warning("reconnecting to the online store", reason=self._reason)
                told = True
            self._tried.set()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _lost(self, connection: RedisConnection, lost: asyncio.Future[str]) -> None:
        self._connection, self._reason = None, lost.result()
        # A read that was not answered in time says that Redis is slow: the next reads do not wait for a connection.
        self._next = None if connection.late else asyncio.get_running_loop().create_future()

    def _tell_next(self, connection: RedisConnection | None) -> None:
        if self._next is not None:
            self._next.set_result(connection)
            self._next = None


async def _until_lost(connection: RedisConnection) -> None:
    """Return when the connection is lost. A PING keeps it from being idle, and shows whether it is dead."""
    while not (await asyncio.wait([connection.lost], timeout=_PING_EVERY_S))[0]:
        with suppress(OnlineStoreError):
            await connection.ask([(b"PING",)], _PING_WITHIN_S)
