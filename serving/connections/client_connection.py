"""One connection of a client: uvicorn's protocol on httptools, with a bound on all that a client can make it hold.

uvicorn bounds neither the head of a request nor the time that a client takes, and it reads the body of a request that
asks to change protocols (`Upgrade: h2c`, which Java's HttpClient sends by default) as the next request. See
`docs/decisions/0012-limits-of-connections.md`.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, cast

import httptools
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from serving.connections.asking_client import AskingClient
from serving.connections.connection_problems import BAD_REQUEST, HEAD_TOO_LONG, answer
from serving.connections.drain import STATE_KEY, Drain
from serving.connections.joined_writes import JoinedWrites
from serving.problems import Problem

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

_SLICE = 16_384  # what a head may be longer than its limit: it is counted after each slice
_MOST_PARTS = 16_384  # of one body: a chunk of a byte costs as much as one of 16 kB
_MOST_AT_ONCE = 128  # requests that wait for the answers to those before them (pipelining)


class Waits(Enum):
    """What a connection waits for. `value` is how the log calls a client that let it wait too long."""

    FIRST_BYTE = "sent nothing"
    HEAD = "sent the head of a request too slowly"
    BODY = "sent the body of a request too slowly"
    NEXT_REQUEST = "sent no further request"
    ANSWER = "waited too long for its answer"
    READER = "did not read its answer"
    END = "did not close its side"


class Keeper(Protocol):
    """What a connection asks of who keeps all connections of a process."""

    most_head_bytes: int

    def opened(self, connection: ClientConnection) -> None:
        """A client has connected."""

    def tell(self, what: str) -> None:
        """Say in the log what was done to a client."""


class ClientConnection(HttpToolsProtocol):
    """A connection that refuses what is too long and says what it waits for. `ConnectionKeeper` looks at the clock."""

    def __init__(self, keeper: Keeper, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._keeper = keeper
        self._since_body = 0  # bytes that were neither a complete head nor body: of a head, of trailers, of chunk sizes
        self._parts = 0  # in which the body came
        self._ended = False
        self.has_left = False
        self._under_way: RequestResponseCycle | None = None
        self._seen: tuple[Waits, object] | None = None
        self._seen_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(JoinedWrites(transport, self.loop))
        self._keeper.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.has_left = True
        self._let_go()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if len(data) <= _SLICE:
            self._feed(data)
            return
        for start in range(0, len(data), _SLICE):
            self._feed(data[start : start + _SLICE])

    def _feed(self, data: bytes) -> None:
        while data and not self._ended:
            self._since_body += len(data)
            try:
                self.parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as upgrade:
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
            except httptools.HttpParserError:
                self.refuse(BAD_REQUEST, "The request is not HTTP/1.1 as RFC 9112 has it. Send it with an HTTP client.")
        if len(self.pipeline) > _MOST_AT_ONCE:
            self._keeper.tell("the client sent too many requests without waiting for an answer")
            self.abort()
        if self._since_body > self._keeper.most_head_bytes and not self._ended:
            most = self._keeper.most_head_bytes
            self.refuse(HEAD_TOO_LONG, f"The head of the request is longer than {most} bytes. Send fewer headers.")

    # Callbacks of the parser.

    def on_headers_complete(self) -> None:
        self._since_body = self._parts = 0
        if not self.parser.should_upgrade():
            AskingClient(self, self.loop.time()).write_to(cast(Scope, self.scope))
            super().on_headers_complete()
            drain: Drain | None = self.app_state.get(STATE_KEY)
            if drain is not None and drain.is_on:
                self.cycle.keep_alive = False  # the answer says that the connection ends with it

    def on_body(self, body: bytes) -> None:
        if self._ended:
            return
        self._since_body = 0
        self._parts += 1
        if self._parts > _MOST_PARTS:
            self.refuse(BAD_REQUEST, f"The body comes in more than {_MOST_PARTS} chunks. Send larger ones.")
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._since_body = 0
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._under_way = cycle
        super()._start_asgi_task(cycle, app)

    def _head_without_upgrade(self) -> bytes:
        """For another parser: the head without the wish for another protocol, which RFC 9110 (7.8) allows to ignore.

        The parser that has read the wish takes the body for bytes of the other protocol.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.refuse(BAD_REQUEST, "CONNECT is for proxies. The docs page lists the paths of this service.")
            return b""
        lines = [b"%s %s HTTP/%s" % (method, self.url, self.parser.get_http_version().encode())]
        for name, value in self.headers:
            if name == b"connection":
                value = b",".join(each for each in value.split(b",") if each.strip().lower() != b"upgrade")
            if name != b"upgrade":
                lines.append(b"%s: %s" % (name, value))
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        return b"\r\n".join([*lines, b"", b""])

    # The end.

    def refuse(self, problem: Problem, detail: str, *, waits: bool = True) -> None:
        """Answer with problem details and read no further. waits: a client that still sends gets time to see that."""
        self._keeper.tell(f"refused: {problem.title}")
        cycle = self._last_request()
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started or cycle is not self._under_way:  # the answer has begun, or others come before it
                self.abort()
                return
            self._let_go()
        self._ended = True
        self._unset_keepalive_if_required()
        headers, body = answer(problem, detail)
        lines = [b"%s: %s\r\n" % header for header in (*self.server_state.default_headers, *headers)]
        self.transport.write(b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", body]))
        if waits and self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def abort(self) -> None:
        """End the connection now."""
        self._ended = True
        self._let_go()
        self.transport.abort()

    def _let_go(self) -> None:
        """The request under way writes no more. uvicorn tells only the last of several that were sent at once."""
        if self._under_way is not None and not self._under_way.response_complete:
            self._under_way.disconnected = True
            self._under_way.message_event.set()

    # What it waits for.

    def waits(self, now_s: float) -> tuple[Waits, float]:
        """What it waits for, and for how long it has been seen to; as exact as often as this is asked."""
        seen = self._waits_for(), self.cycle
        if seen != self._seen:
            self._seen, self._seen_s = seen, now_s
        return seen[0], now_s - self._seen_s

    @property
    def body_is_here(self) -> bool:
        """Whether the body of the request under way has arrived."""
        cycle = self._last_request()  # the one under way, or one behind it: whose head came after the body
        return cycle is not None and not cycle.more_body

    def _last_request(self) -> RequestResponseCycle | None:
        return self.cycle  # None at first, which uvicorn's types do not say

    def _waits_for(self) -> Waits:
        cycle = self._last_request()
        if self._ended:
            return Waits.END
        if self.transport.get_write_buffer_size():
            return Waits.READER
        if self.transport.is_closing():
            return Waits.END
        if cycle is not None and cycle.more_body:
            return Waits.BODY
        if cycle is not None and not cycle.response_complete:
            return Waits.ANSWER
        if self._since_body:
            return Waits.HEAD
        return Waits.FIRST_BYTE if cycle is None else Waits.NEXT_REQUEST
