"""Load on an HTTP endpoint: POST after POST on a few connections, as fast as answers come.

By `wrk` where it is on the path. Else by a client of our own, through which a bare route looks a tenth slower. One
or the other for all figures of a run.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import uvloop

CONNECTIONS = 8
_SCRIPT = Path(__file__).with_name("wrk_load.lua")


@dataclass(frozen=True)
class Load:
    """What one round of load came to."""

    rate: float
    p50_ms: float
    p99_ms: float


def client_name() -> str:
    return "wrk" if shutil.which("wrk") else "asyncio client"


def load(port: int, path: str, bodies: Sequence[bytes], seconds: float, connections: int = CONNECTIONS) -> Load:
    """POST the bodies in turn. Raises RuntimeError when any answer is not a 200."""
    if shutil.which("wrk"):
        return _by_wrk(port, path, bodies, seconds, connections)
    return uvloop.run(_by_asyncio(port, path, bodies, seconds, connections))


def _by_wrk(port: int, path: str, bodies: Sequence[bytes], seconds: float, connections: int) -> Load:
    with TemporaryDirectory(prefix="millrace-load-") as folder:
        file = Path(folder) / "bodies"
        file.write_bytes(b"\n".join(bodies))
        url = f"http://127.0.0.1:{port}{path}"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(_SCRIPT), url, "--", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=False)
    if done.returncode:
        raise RuntimeError(f"wrk failed: {done.stderr or done.stdout}")
    found = json.loads(done.stdout.splitlines()[-1])
    if found["errors"]:
        raise RuntimeError(f"{found['errors']} of {found['requests']} requests to {path} failed")
    return Load(found["requests"] / found["seconds"], found["p50_us"] / 1000, found["p99_us"] / 1000)


class _Connection(asyncio.Protocol):
    """One connection: the next request leaves when the answer to the last one is complete."""

    def __init__(self, requests: Sequence[bytes], first: int, until_s: float) -> None:
        self._requests, self._next, self._until_s = requests, first, until_s
        self._received = b""
        self._sent_s = 0.0
        self.taken_s: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, _, body = self._received.partition(b"\r\n\r\n")
        if not self._received.startswith(b"HTTP/1.1 200"[: len(self._received)]):
            self._end(RuntimeError(f"not a 200: {self._received[:300]!r}"))
        elif b"content-length: " in head and len(body) >= int(head.split(b"content-length: ")[1].split(b"\r")[0]):
            now_s = time.perf_counter()
            self.taken_s.append(now_s - self._sent_s)
            if now_s < self._until_s:
                self._send()
            else:
                self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or RuntimeError("the server closed a connection"))

    def _send(self) -> None:
        self._received = b""
        self._sent_s = time.perf_counter()
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1

    def _end(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None) if error is None else self.done.set_exception(error)
        self._transport.close()


async def _by_asyncio(port: int, path: str, bodies: Sequence[bytes], seconds: float, connections: int) -> Load:
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: "
    requests = [b"%b%d\r\n\r\n%b" % (head.encode(), len(body), body) for body in bodies]
    loop = asyncio.get_running_loop()
    began_s = time.perf_counter()
    made: list[Any] = []
    for number in range(connections):
        first = number * len(requests) // connections
        _, connection = await loop.create_connection(
            lambda first=first: _Connection(requests, first, began_s + seconds),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        made.append(connection)
    await asyncio.gather(*(each.done for each in made))
    elapsed_s = time.perf_counter() - began_s
    taken_ms = np.concatenate([each.taken_s for each in made]) * 1000
    p50_ms, p99_ms = (float(each) for each in np.percentile(taken_ms, (50, 99)))
    return Load(len(taken_ms) / elapsed_s, p50_ms, p99_ms)
