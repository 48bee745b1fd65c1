"""Load at a given rate: each request leaves at its time, and its latency counts from then, sent or not."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
import uvloop

_CONNECTIONS = 16


class Paced(NamedTuple):
    """Of the answers with 200 the latency in milliseconds; refused: the share of requests with a 503."""

    p99_ms: float
    p999_ms: float
    refused: float


def paced_load(
    port: int, path: str, bodies: Sequence[bytes], rate: float, seconds: float, connections: int = _CONNECTIONS
) -> Paced:
    """`rate` requests a second. Raises RuntimeError when any answer is neither a 200 nor a 503."""
    return uvloop.run(_paced(port, path, bodies, rate, seconds, connections))


class _Free(asyncio.Protocol):
    """A connection: one request at a time."""

    def __init__(
        self, idle: deque[_Free], due_s: deque[tuple[float, bytes]], taken_s: list[float], refused_s: list[float]
    ) -> None:
        self._idle, self._due = idle, due_s
        self._of_status = {b"200": taken_s, b"503": refused_s}
        self._received, self._due_s = b"", 0.0
        self.fault: RuntimeError | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._idle.append(self)

    def send(self, due_s: float, request: bytes) -> None:
        self._received, self._due_s = b"", due_s
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, _, body = self._received.partition(b"\r\n\r\n")
        if b"content-length: " not in head or len(body) < int(head.split(b"content-length: ")[1].split(b"\r")[0]):
            return
        if head[9:12] not in self._of_status:
            self.fault = RuntimeError(f"neither a 200 nor a 503: {self._received[:300]!r}")
        else:
            self._of_status[head[9:12]].append(time.perf_counter() - self._due_s)
            if self._due:
                self.send(*self._due.popleft())
            else:
                self._idle.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.fault = self.fault or RuntimeError("the server closed a connection")

    def close(self) -> None:
        self._transport.close()


async def _paced(port: int, path: str, bodies: Sequence[bytes], rate: float, seconds: float, connections: int) -> Paced:
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: "
    requests = [b"%b%d\r\n\r\n%b" % (head.encode(), len(body), body) for body in bodies]
    idle: deque[_Free] = deque()
    due: deque[tuple[float, bytes]] = deque()
    taken_s: list[float] = []
    refused_s: list[float] = []
    loop = asyncio.get_running_loop()
    made = [
        (await loop.create_connection(lambda: _Free(idle, due, taken_s, refused_s), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    began_s = time.perf_counter()
    for number in range(int(rate * seconds)):
        due_s = began_s + number / rate
        if (ahead_s := due_s - time.perf_counter()) > 0:
            await asyncio.sleep(ahead_s)
        request = requests[number % len(requests)]
        if idle:
            idle.popleft().send(due_s, request)
        else:
            due.append((due_s, request))
    async with asyncio.timeout(30):
        while len(taken_s) + len(refused_s) < int(rate * seconds) and not any(each.fault for each in made):
            await asyncio.sleep(0.01)
    if fault := next((each.fault for each in made if each.fault), None):
        raise fault
    for each in made:
        each.close()
    p99_ms, p999_ms = (float(each) for each in np.percentile(np.array(taken_s) * 1000, (99, 99.9)))
    return Paced(p99_ms, p999_ms, len(refused_s) / (len(refused_s) + len(taken_s)))
