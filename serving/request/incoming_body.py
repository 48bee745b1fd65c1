"""The body of a request as it arrives: read within a length and a time, and dropped where it is refused."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import Receive

from serving.errors import ClientLeftError, SlowRequestError, TooManyInstancesError

_DROP_WITHIN_S = 1.0


class IncomingBody:
    """`is_complete`: whether nothing of it can come any more. is_here: it has arrived, so that no clock need run."""

    def __init__(self, receive: Receive, within_s: float, *, is_here: bool = False) -> None:
        self._receive, self._within_s, self._is_here = receive, within_s, is_here
        self.is_complete = False

    async def read(self, most_bytes: int) -> bytes:
        """All of it. Raises TooManyInstancesError, SlowRequestError; ClientLeftError."""
        parts, length = list[bytes](), 0
        if self._is_here:
            parts.append(await self._next())
            length = len(parts[0])
            if self.is_complete and length <= most_bytes:
                return parts[0]
        try:
            async with asyncio.timeout(self._within_s):
                while length <= most_bytes and not self.is_complete:
                    parts.append(await self._next())
                    length += len(parts[-1])
        except TimeoutError as error:
            raise SlowRequestError(
                f"The body was not complete within {self._within_s:g} seconds. Send it faster, or send fewer instances."
            ) from error
        if length > most_bytes:
            raise TooManyInstancesError(
                f"The body is longer than {most_bytes} bytes. Send fewer instances.", limit=most_bytes
            )
        return b"".join(parts)

    async def drop(self) -> None:
        """Read on for a moment: a client that still sends when its connection ends might not see the answer."""
        with suppress(TimeoutError, ClientLeftError):
            async with asyncio.timeout(_DROP_WITHIN_S):
                while not self.is_complete:
                    await self._next()

    async def _next(self) -> bytes:
        message = await self._receive()
        self.is_complete = not message.get("more_body", False)
        if message["type"] == "http.disconnect":
            raise ClientLeftError("The client closed the connection before the body was complete.")
        body: bytes = message.get("body", b"")
        return body
