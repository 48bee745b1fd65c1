"""Keeps the connections of one process within their bounds: how many there are, and how long each may let us wait."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from dataclasses import dataclass, field
from typing import cast

from serving.connections.client_connection import ClientConnection, Waits
from serving.connections.connection_problems import SLOW_REQUEST, TOO_MANY_CONNECTIONS
from serving.log import get_log
from serving.settings import ServingSettings

_LOOK_EVERY_S = 0.5
_FILES_BESIDE_CONNECTIONS = 128
_ACCEPTED_AT_ONCE = 2048  # libuv accepts all that wait, before anything here may close one
_ACCEPTED_WHERE_FILES_ARE_FEW = 64  # and those come out of the files beside connections
_LEAVING = 16  # connections beyond the bound that get time to see their 503
_END_S = 1.0  # for a client that still sends to see the answer
_PATIENCE_S = 0.5  # a client this young is not closed to make room: its request may be on its way
_ROOM = 32  # the part of the connections that is closed at once to make room


@dataclass
class ConnectionKeeper:
    """Made before the workers, and copied into each. Nothing is asked of it for a request, only for a connection."""

    most_connections: int
    most_head_bytes: int
    receive_s: float
    answer_s: float
    _connections: set[ClientConnection] = field(default_factory=set)
    _told: Counter[str] = field(default_factory=Counter)
    _looks: bool = False
    _full_until_s: float = 0.0
    _room: int = 0  # connections that were closed to make room, and whose place no other has taken yet

    @classmethod
    def of(cls, settings: ServingSettings) -> ConnectionKeeper:
        """As the settings say, with no more connections than the process may open files."""
        most = most_connections(settings)
        if most < settings.serving_max_connections:
            get_log("serving").warning(
                "lowering the bound on connections to what the limit of open files permits",
                connections=most, wanted=settings.serving_max_connections,
            )  # fmt: skip
        return cls(most, settings.serving_max_head_bytes, settings.serving_receive_s, settings.serving_answer_s)

    def opened(self, connection: ClientConnection) -> None:
        """See Keeper. Beyond the bound, connections on which no request is under way make room."""
        self._connections = cast(set[ClientConnection], connection.connections)  # uvicorn keeps it up to date
        loop = connection.loop
        if not self._looks:
            self._looks = True
            loop.call_later(_LOOK_EVERY_S, self._look, loop)
        connection.waits(loop.time())
        if len(self._connections) > self.most_connections and not self._make_room(loop.time()):
            most = self.most_connections
            detail = f"{most} connections are open, the most of one process. Try again."
            connection.refuse(TOO_MANY_CONNECTIONS, detail, waits=len(self._connections) <= most + _LEAVING)

    def tell(self, what: str) -> None:
        """See Keeper. One line for all clients of half a second: no client can fill the log."""
        self._told[what] += 1

    def _make_room(self, now_s: float) -> bool:
        """Close those that have waited longest for their client. False: every connection is at work."""
        if self._room:
            self._room -= 1
            return True
        if now_s < self._full_until_s:
            return False
        waiting = []
        for connection in self._connections:
            what, for_s = connection.waits(now_s)
            if what not in (Waits.ANSWER, Waits.READER, Waits.END) and for_s >= _PATIENCE_S:
                waiting.append((what is Waits.NEXT_REQUEST, -for_s, connection))
        if not waiting:
            self._full_until_s = now_s + _LOOK_EVERY_S
            return False
        waiting.sort(key=lambda each: each[:2])
        leaving = waiting[: self.most_connections // _ROOM + 1]
        for _, _, connection in leaving:
            self.tell("closed to make room for new connections")
            connection.abort()
        self._room = len(leaving) - 1
        return True

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        for connection in list(self._connections):
            what, for_s = connection.waits(loop.time())
            if for_s >= self._limit_s(what):
                self._end(connection, what)
        for told, count in self._told.items():
            get_log("serving.connections").warning("ending connections", reason=told, count=count)
        self._told.clear()
        self._room = 0
        self._looks = bool(self._connections)
        if self._looks:
            loop.call_later(_LOOK_EVERY_S, self._look, loop)

    def _limit_s(self, what: Waits) -> float:
        if what is Waits.NEXT_REQUEST:
            return float("inf")  # uvicorn's own limit: serving_keep_alive_s
        if what is Waits.BODY:
            return self.receive_s + _END_S  # the endpoint is first, with an answer that the metrics count
        if what in (Waits.ANSWER, Waits.READER):
            return self.answer_s
        return _END_S if what is Waits.END else self.receive_s

    def _end(self, connection: ClientConnection, what: Waits) -> None:
        if what is Waits.HEAD:
            detail = f"The request was not complete within {self.receive_s:g} seconds. Send it faster."
            connection.refuse(SLOW_REQUEST, detail)
            return
        if what is not Waits.END:
            self.tell(f"the client {what.value}")
        connection.abort()


def most_connections(settings: ServingSettings) -> int:
    """Those of one port of the process: of HTTP, and as many of gRPC, where it is on."""
    wanted, ports = settings.serving_max_connections, _ports(settings)
    return min(wanted, _files_for_connections(wanted * ports) // ports)


def accepted_at_once(settings: ServingSettings) -> int:
    """How many connections may wait to be accepted: a crowd of them must leave files for Redis and the registry."""
    taken = _FILES_BESIDE_CONNECTIONS + _ports(settings) * most_connections(settings)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)  # after `most_connections`, which raises it
    return max(_ACCEPTED_WHERE_FILES_ARE_FEW, min(soft - taken, _ACCEPTED_AT_ONCE))


def _ports(settings: ServingSettings) -> int:
    return 1 if settings.serving_grpc_port is None else 2


def _files_for_connections(wanted: int) -> int:
    """How many of these connections the process may open, after its limit of open files was raised as far as needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _FILES_BESIDE_CONNECTIONS + _ACCEPTED_AT_ONCE
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, soft - _FILES_BESIDE_CONNECTIONS)
