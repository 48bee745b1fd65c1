"""The client that a request came from: who it is, since when it waits for its answer, and whether it has left."""

from __future__ import annotations

import time
from typing import Protocol

import msgspec
from starlette.types import Scope

from serving.tracing.stages import RequestTrace

_EXTENSION = "millrace.client"


class Connection(Protocol):
    """What is asked of the connection of a client."""

    @property
    def has_left(self) -> bool:
        """Whether the client has closed it."""

    @property
    def body_is_here(self) -> bool:
        """Whether the body of its request has arrived, as far as it knows: nobody has to wait for it."""


class _Staying(msgspec.Struct, frozen=True):
    has_left: bool = False
    body_is_here: bool = False


_STAYING = _Staying()


class AskingClient(msgspec.Struct, frozen=True):
    """since_s: when the head of its request was there, in seconds of `time.monotonic`. key: the name of its API key.

    trace: where the stages of its request are noted; None where it is not traced.
    """

    connection: Connection = _STAYING
    since_s: float = msgspec.field(default_factory=time.monotonic)
    key: str = ""
    trace: RequestTrace | None = None

    def write_to(self, scope: Scope) -> None:
        """For `of`."""
        scope.setdefault("extensions", {})[_EXTENSION] = self

    @classmethod
    def of(cls, scope: Scope) -> AskingClient:
        """The client of this request. Where no connection of ours carries it: one that came just now, and stays."""
        known: AskingClient | None = scope.get("extensions", {}).get(_EXTENSION)
        return cls() if known is None else known

    def with_key(self, name: str) -> AskingClient:
        """The same client, known by its API key."""
        return AskingClient(self.connection, self.since_s, name, self.trace)

    def with_trace(self, trace: RequestTrace) -> AskingClient:
        """The same client, whose request is traced."""
        return AskingClient(self.connection, self.since_s, self.key, trace)

    @property
    def body_is_here(self) -> bool:
        """Whether nobody has to wait for its body."""
        return self.connection.body_is_here

    @property
    def has_left(self) -> bool:
        """Whether nobody would read its answer."""
        return self.connection.has_left

    @property
    def caller(self) -> str:
        """Who it is, as far as it is known: the name of its API key, or else where it comes from."""
        return self.key or self.address

    @property
    def address(self) -> str:
        """Where its connection comes from; empty where nobody knows. Behind a proxy it is the proxy's."""
        peer: tuple[str, int] | None = getattr(self.connection, "client", None)
        return peer[0] if peer else ""

    def has_waited(self, longer_than_s: float) -> bool:
        """Whether its request has waited so long."""
        return time.monotonic() - self.since_s > longer_than_s
