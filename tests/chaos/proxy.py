"""A TCP proxy on loopback that makes a network: slow, torn, silent, or late with one message.

It has a thread and an event loop of its own. A client's bytes that it holds back reach the server even when the
client has given the connection up by then, as a network's do.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from deploy.embedded.ports import LOOPBACK, free_port

_CHUNK = 65_536
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: close by RST, nothing is sent any more
_ATTEMPTS = 20


@dataclass
class _Late:
    """Chunks of clients that contain `pattern` wait, as long as `left` lasts."""

    pattern: bytes
    wait_s: float
    left: int


class Proxy:
    """A context manager; `port` leads to `target_port` as the faults of the moment let it."""

    def __init__(self, target_port: int, port: int | None = None) -> None:
        self.target_port = target_port
        self.port = port or free_port()
        self.held_back = 0
        """Messages that were delivered late so far."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._open = asyncio.Event()
        self._latency_s = 0.0
        self._late: _Late | None = None
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def reset_all(self) -> int:
        """Tear every connection at once (RST on both sides); returns how many there were."""

        async def tear() -> int:
            return await self._tear()

        return asyncio.run_coroutine_threadsafe(tear(), self._loop).result(10)

    def slow_down(self, latency_s: float) -> None:
        """Every chunk takes this much longer, in both directions; 0: as fast as it goes."""
        self._latency_s = latency_s

    def fall_silent(self) -> None:
        """A black hole: connections stand, new ones are accepted, no byte passes until `speak`."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def speak(self) -> None:
        """End of the black hole: what was under way arrives, also of clients that are gone."""
        self._loop.call_soon_threadsafe(self._open.set)

    def hold_back(self, pattern: bytes, *, for_s: float, count: int) -> None:
        """The next `count` chunks of clients that contain the pattern arrive so much later."""
        self._late = _Late(pattern, for_s, count)

    def be_good(self) -> None:
        """No fault any more."""
        self._late = None
        self._latency_s = 0.0
        self.speak()

    async def _listen(self) -> None:
        self._open.set()
        for attempt in range(_ATTEMPTS):
            try:
                self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port)
                return
            except OSError:
                if attempt == _ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.1)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._open.set()
        await self._tear()

    async def _tear(self) -> int:
        torn = dict(self._connections)
        for task, writers in torn.items():
            task.cancel()
            for writer in writers:
                _reset(writer)
        await asyncio.gather(*torn, return_exceptions=True)
        return len(torn)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served outside of a task")
        self._connections[task] = (writer,)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            try:
                await self._serve(task, reader, writer)
            finally:
                for each in self._connections.pop(task):
                    each.transport.abort()

    async def _serve(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._open.wait()
        try:
            from_server, to_server = await asyncio.open_connection(LOOPBACK, self.target_port)
        except OSError:  # nobody listens there now: that is what the client shall see
            _reset(writer)
            return
        self._connections[task] = (writer, to_server)
        outward = asyncio.create_task(self._pump(reader, to_server, outward=True))
        homeward = asyncio.create_task(self._pump(from_server, writer, outward=False))
        try:
            # A client that is gone does not end the server's side before its last bytes were delivered.
            await asyncio.wait({outward, homeward}, return_when=asyncio.FIRST_COMPLETED)
            if homeward.done() and not outward.done() and not from_server.at_eof():
                await outward
        finally:
            outward.cancel()
            homeward.cancel()
            await asyncio.gather(outward, homeward, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, outward: bool) -> None:
        while data := await reader.read(_CHUNK):
            if outward and (late := self._late) is not None and late.left > 0 and late.pattern in data:
                late.left -= 1
                self.held_back += 1
                await asyncio.sleep(late.wait_s)
            elif self._latency_s:
                await asyncio.sleep(self._latency_s)
            await self._open.wait()
            writer.write(data)
            await writer.drain()
        await self._open.wait()
        writer.write_eof()
        if outward:
            await asyncio.sleep(0.05)  # the server reads what came before the end


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()
