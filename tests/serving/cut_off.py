"""A proxy before Redis that fails as networks do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast


class CutOff:
    """A proxy before Redis: cuts its connections, forgets them, lets nothing through, or holds answers back."""

    def __init__(self, behind: int) -> None:
        self._behind = behind
        self._open: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._forgotten: set[asyncio.StreamWriter] = set()
        self._serving: list[asyncio.Task[None]] = []
        self.silent, self.accepted, self.port = False, 0, 0
        self.holds_next = self.holds_all = False
        self.held: set[asyncio.StreamWriter] = set()
        """The connections whose answers are held back: of the next that is asked on, where `holds_next` was set."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._serving.append(cast(asyncio.Task[None], asyncio.current_task()))
        from_redis, to_redis = await asyncio.open_connection("127.0.0.1", self._behind)
        self._open.append((writer, to_redis))
        await asyncio.gather(self._pass(reader, to_redis, writer), self._pass(from_redis, writer, writer))

    async def _pass(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter, of: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if to is not of and self.holds_next:
                    self.held, self.holds_next = {of}, False
                while to is of and (self.holds_all or of in self.held):
                    await asyncio.sleep(0.01)
                if not self.silent and of not in self._forgotten:
                    to.write(data)

    def cut(self) -> None:
        for writer, to_redis in self._open:
            writer.transport.abort()
            to_redis.transport.abort()
        self._open.clear()

    async def end(self) -> None:
        self.holds_all, self.held = False, set()
        self.cut()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def forget(self) -> None:
        self._forgotten = {writer for writer, _ in self._open}


@asynccontextmanager
async def cut_off(behind: int) -> AsyncIterator[CutOff]:
    proxy = CutOff(behind)
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        await proxy.end()
