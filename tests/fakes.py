"""Stand-ins that pass the tests of what they stand for: an online store in memory, a clock that is pushed by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta

from serving.errors import OnlineStoreError
from shared_features.kernel.event_time import to_us


class PushedClock:
    """Microseconds since the epoch; stands still until it is pushed."""

    def __init__(self, now_us: int) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us

    def push(self, by: timedelta) -> None:
        self.now_us += to_us(by)


class InMemoryOnlineStore:
    """An online store in a dict. `away` is why it does not answer; `gate` holds answers back while it is unset."""

    def __init__(self, values: dict[bytes, bytes] | None = None) -> None:
        self.values = {} if values is None else values
        self.away: str | None = None
        self.gate: asyncio.Event | None = None
        self.asked: list[list[list[bytes]]] = []

    def read(self, reads: Sequence[Sequence[bytes]]) -> Awaitable[list[list[bytes | None]]]:
        self.asked.append([list(keys) for keys in reads])
        return self._answer([list(keys) for keys in reads])

    async def _answer(self, reads: list[list[bytes]]) -> list[list[bytes | None]]:
        if self.gate is not None:
            await self.gate.wait()
        if self.away is not None:
            raise OnlineStoreError(f"Redis: {self.away}")
        return [[self.values.get(key) for key in keys] for keys in reads]
