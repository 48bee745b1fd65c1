"""The online store in Redis: reads over two connections, repeated where one is slow or lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any

from serving.errors import LostConnectionError, OnlineStoreError
from serving.log import get_log
from serving.online_store.kept_connection import KeptConnection
from serving.online_store.online_store import NOT_A_STRING, Values
from serving.online_store.redis_connection import RedisConnection

_ATTEMPTS = 3  # on either connection, and on a new one
_TELL_EVERY_S = 10.0
_ABSENT = (b"none", b"string")  # a string: it was written since

_Commands = Sequence[Sequence[bytes]]
_Answers = asyncio.Future[list[Any]]


class RedisOnlineStore:
    """Reads from Redis by MGET, which is atomic, over one of two connections. A lost connection is made again.

    Answers come in the order of the commands, so one that is slow holds back all behind it. A read that has waited for
    half of its deadline is sent once more, over the second connection. The answer that comes first counts. Later reads
    take the second connection until the first has answered.

    Redis, or what lies between, may close a connection that is idle. So the connections are pinged now and then, and a
    read whose connection is lost is repeated on another, within its deadline. Once an attempt to connect has failed, or
    answers are late on both connections, a read fails at once instead of waiting for its deadline.
    """

    def __init__(self, url: str, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._kept = [KeptConnection(url, deadline_s, self._made, self._lost) for _ in range(2)]
        self._away = False
        self._slow_reads, self._told_slow_s = 0, -_TELL_EVERY_S
        self._log = get_log("serving.online_store")

    async def start(self) -> None:
        """Begin to keep the connections. Returns after the first attempt, successful or not."""
        await asyncio.gather(*(each.start() for each in self._kept))

    async def stop(self) -> None:
        """End the connections."""
        await asyncio.gather(*(each.stop() for each in self._kept))

    def read(self, reads: Sequence[Sequence[bytes]]) -> Awaitable[list[Values]]:
        """See OnlineStore. The commands are on their way when this returns.

        A key that holds something else than a string is not missing. Its value is NOT_A_STRING.
        """
        until_s = asyncio.get_running_loop().time() + self._deadline_s
        commands = [(b"MGET", *keys) for keys in reads]
        connection = self._ready()
        asked = None if connection is None else self._ask(connection, commands, until_s)
        return self._values(reads, commands, asked, until_s)

    async def _values(
        self, reads: Sequence[Sequence[bytes]], commands: _Commands, asked: _Answers | None, until_s: float
    ) -> Any:
        values = await self._answers(commands, asked, until_s)
        absent = [(of, place) for of, row in enumerate(values) for place, value in enumerate(row) if value is None]
        if absent:  # MGET does not tell a key that holds a hash or a list from a missing key
            kinds = await self._answers([(b"TYPE", reads[of][place]) for of, place in absent], None, until_s)
            for (of, place), kind in zip(absent, kinds, strict=True):
                if kind not in _ABSENT:
                    values[of][place] = NOT_A_STRING
        return values

    async def _answers(self, commands: _Commands, asked: _Answers | None, until_s: float) -> list[Any]:
        for left in reversed(range(_ATTEMPTS)):
            try:
                answers = await (asked or self._ask(self._ready(), commands, until_s))
                break
            except LostConnectionError as error:
                await asyncio.sleep(0)  # what runs at the loss may still be in the queue behind this
                renewed = self._ready() or await self._renewed(until_s)
                if renewed is None or not left:
                    raise
                asked = self._ask(renewed, commands, until_s)
                self._log.debug("repeating a read on another connection", reason=error.detail)
        for answer in answers:
            if isinstance(answer, Exception):
                raise OnlineStoreError(f"Redis: {answer}")
        return answers

    def _ready(self) -> RedisConnection | None:
        """The first connection, unless only the second answers in time."""
        first, second = (each.connection for each in self._kept)
        if first is None or (first.is_slow and second is not None and not second.is_slow):
            return second
        return first

    def _ask(self, connection: RedisConnection | None, commands: _Commands, until_s: float) -> _Answers:
        if connection is None:
            raise LostConnectionError(f"Redis: {self._kept[0].reason}")
        again = partial(self._ask_again, connection, commands, until_s)
        return connection.ask(commands, until_s - asyncio.get_running_loop().time(), again)

    def _ask_again(self, slow: RedisConnection, commands: _Commands, until_s: float, asked: _Answers) -> None:
        """Half of the time of a read has passed."""
        now_s = asyncio.get_running_loop().time()
        self._tell_slow(now_s)
        for each in self._kept:
            other = each.connection
            if other is not None and other is not slow and not other.is_slow:
                other.ask(commands, until_s - now_s).add_done_callback(partial(_pass_on, asked))

    def _tell_slow(self, now_s: float) -> None:
        self._slow_reads += 1
        if now_s - self._told_slow_s >= _TELL_EVERY_S:
            self._log.warning(
                "waiting for a slow online store", reads=self._slow_reads, longer_than_ms=self._deadline_s * 500
            )
            self._slow_reads, self._told_slow_s = 0, now_s

    async def _renewed(self, until_s: float) -> RedisConnection | None:
        """A connection that is being made after a loss. None if none is being made, or it is not ready in time."""
        coming = next((each.next for each in self._kept if each.next is not None), None)
        if coming is None:
            return None
        try:
            async with asyncio.timeout_at(until_s):
                return await asyncio.shield(coming)
        except TimeoutError:
            return None

    def _made(self) -> None:
        if self._away:
            self._log.info("reconnected to the online store")
        self._away = False

    def _lost(self, reason: str) -> None:
        if not self._away and all(each.connection is None for each in self._kept):
            self._log.warning("reconnecting to the online store", reason=reason)
            self._away = True


def _pass_on(asked: _Answers, repeated: _Answers) -> None:
    """The answer of the repeated read, unless the first one's came meanwhile."""
    if not repeated.cancelled() and repeated.exception() is None and not asked.done():
        asked.set_result(repeated.result())
