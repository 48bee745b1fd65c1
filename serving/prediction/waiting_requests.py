"""The requests that wait for the next round trip to the online store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import msgspec

from serving.connections.asking_client import AskingClient
from serving.errors import ClientLeftError, OverloadedError
from serving.prediction.batch_answers import Asked

_MOST_ROWS = 256
ENOUGH_ROWS = 32
"""Rows that are worth a round trip of their own. Up to so many take about a millisecond to compute; the event loop must
not wait for more.
"""
_GATHER_S, _GATHER_AT_MOST_S = 0.0001, 0.001
"""Who waits is joined by those that come within so long of one another. With 8 connections this lifts the rate by a
fifth: their requests come in one round trip instead of two that take turns.
"""


class Waiting(msgspec.Struct, frozen=True):
    """A request, and its answer that is to come."""

    asked: Asked
    client: AskingClient
    answer: asyncio.Future[bytes]


class WaitingRequests:
    """In the order in which they came. max_wait_s: who waits for longer is refused.

    `rows`: how many instances they have.
    """

    def __init__(self, max_wait_s: float) -> None:
        self._max_wait_s = max_wait_s
        self._pending: list[Waiting] = []
        self.rows = 0
        self._taken = 0

    def __bool__(self) -> bool:
        return bool(self._pending)

    def add(self, waiting: Waiting) -> None:
        """The last in the line."""
        self._pending.append(waiting)
        self.rows += waiting.asked.rows

    def check_load(self, client: AskingClient) -> None:
        """Raises OverloadedError where the answer to this client would come too late."""
        oldest = self._pending[0].client if self._pending else client
        if client.has_waited(self._max_wait_s) or oldest.has_waited(self._max_wait_s):
            self.let_go_of_who_left()
            raise OverloadedError(self._too_long())

    def let_go_of_who_left(self) -> None:
        """Refuse the requests whose client has left, and those that have waited for too long."""
        staying = []
        for each in self._pending:
            if each.client.has_left:
                fail([each], ClientLeftError("The client closed the connection before the answer."))
            elif each.client.has_waited(self._max_wait_s):
                fail([each], OverloadedError(self._too_long()))
            else:
                staying.append(each)
        if len(staying) < len(self._pending):
            self._pending, self.rows = staying, sum(each.asked.rows for each in staying)

    def take(self) -> tuple[list[Waiting], int]:
        """The requests of the next round trip and their rows; at least one request, where one waits."""
        batch, rows = self._pending, self.rows
        if rows > _MOST_ROWS:
            rows = count = 0
            for waiting in self._pending:
                if count and rows + waiting.asked.rows > _MOST_ROWS:
                    break
                rows, count = rows + waiting.asked.rows, count + 1
            batch, self._pending = self._pending[:count], self._pending[count:]
        else:
            self._pending = []
        self.rows -= rows
        self._taken = len(batch)
        return batch, rows

    async def gather(self) -> None:
        """Where requests wait, let others join them for a moment: as many as were taken last, while they keep coming.

        Clients that were answered together ask again together. A round trip costs as much as ten rows, so it pays to
        take them with the next one. Their answers are written, and their requests read, meanwhile.
        """
        seen, wanted = -1, len(self._pending) + self._taken
        began_s = came_s = time.perf_counter()
        while True:
            await asyncio.sleep(0)  # what was answered is written
            await asyncio.sleep(0)  # what has come is here
            now_s = time.perf_counter()
            if len(self._pending) != seen:
                seen, came_s = len(self._pending), now_s
            if not 0 < seen < wanted or self.rows >= ENOUGH_ROWS:
                return
            if now_s - came_s > _GATHER_S or now_s - began_s > _GATHER_AT_MOST_S:
                return

    def fail_all(self, error: Exception) -> None:
        """None of them is answered."""
        fail(self._pending, error)
        self._pending, self.rows = [], 0

    def _too_long(self) -> str:
        return f"Requests wait for longer than {self._max_wait_s:g} seconds. Send the request again later."


def fail(batch: Sequence[Waiting], error: Exception) -> None:
    """Refuse requests. One whose client has gone is left as it is."""
    for each in batch:
        if not each.answer.done():
            each.answer.set_exception(error)
