"""A kept connection to Redis: made again when it is lost, at once or after a pause, and pinged while it is idle."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from serving.errors import OnlineStoreError
from serving.online_store.redis_connection import RedisConnection, connect

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0
_STEADY_S = 10.0  # a connection that lasted as long was sound: the next pause is a short one
_PING_EVERY_S, _PING_WITHIN_S = 10.0, 1.0


class KeptConnection:
    """`connection`: None while there is none; then `reason` says why.

    made, lost: called after each successful, and each failed, attempt to connect.
    """

    def __init__(self, url: str, deadline_s: float, made: Callable[[], None], lost: Callable[[str], None]) -> None:
        self._url, self._deadline_s = url, deadline_s
        self._made, self._told_lost = made, lost
        self.connection: RedisConnection | None = None
        self.next: asyncio.Future[RedisConnection | None] | None = None
        """The connection that is made after a loss, None if it cannot be made. Not set while there is no such hope."""
        self.reason = "not connected yet"
        self._keeper: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()

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
        if self.connection is not None:
            self.connection.close("the service is stopping")

    async def _keep_connected(self) -> None:
        pause_s, loop = _FIRST_PAUSE_S, asyncio.get_running_loop()
        while True:
            began_s, told = loop.time(), ""
            try:
                connection = self.connection = await connect(self._url, self._deadline_s)
                self._tell_next(connection)
                self._made()
                self._tried.set()
                connection.lost.add_done_callback(partial(self._lost, connection))
                await _until_lost(connection, max(self._deadline_s, _PING_WITHIN_S))
                if loop.time() - began_s >= _STEADY_S:
                    pause_s = _FIRST_PAUSE_S
                if not connection.late:
                    continue  # at once: a connection that was closed because it was idle is not an outage
            except (OSError, OnlineStoreError) as error:
                self.reason, told = _for_clients(error), str(error)
            self._tell_next(None)
            self._told_lost(told or self.reason)
            self._tried.set()
            # Not all processes at one instant: what made Redis slow would make it slow again.
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # no secret
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _lost(self, connection: RedisConnection, lost: asyncio.Future[str]) -> None:
        self.connection, self.reason = None, lost.result()
        # A connection that was silent for long says that Redis is unavailable: the next reads do not wait for another.
        self.next = None if connection.late else asyncio.get_running_loop().create_future()

    def _tell_next(self, connection: RedisConnection | None) -> None:
        if self.next is not None:
            self.next.set_result(connection)
            self.next = None


def _for_clients(error: Exception) -> str:
    """Why there is no connection, without addresses and files of this machine: those are for the log."""
    if isinstance(error, OnlineStoreError):
        return error.detail.removeprefix("Redis: ")
    if isinstance(error, ssl.SSLError):
        return f"no connection by TLS ({error.reason})"
    if isinstance(error, socket.gaierror):
        return "no address for its name"
    number = error.errno if isinstance(error, OSError) else None
    return f"no connection ({os.strerror(number)})" if number else "no connection within the deadline"


async def _until_lost(connection: RedisConnection, within_s: float) -> None:
    """Return when the connection is lost. A PING keeps it from being idle, and shows whether it is dead."""
    while not (await asyncio.wait([connection.lost], timeout=_PING_EVERY_S))[0]:
        try:
            await connection.ask([(b"PING",)], within_s)
        except OnlineStoreError as error:
            connection.end_as_late(error.detail.removeprefix("Redis: "))
