"""The client that a request came from: who it is, since when it waits for its answer, and whether it has left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import Scope

_EXTENSION = "millrace.client"


class Connection(Protocol):
    """What is asked of the connection of a client."""

    @property
    def has_left(self) -> bool:
        """Whether the client has closed it."""


@dataclass(frozen=True)
class _Staying:
    has_left: bool = False


_STAYING = _Staying()


@dataclass(frozen=True, slots=True)
class AskingClient:
    """since_s: when the head of its request was there, in seconds of `time.monotonic`. key: the name of its API key."""

    connection: Connection = _STAYING
    since_s: float = field(default_factory=time.monotonic)
    key: str = ""

    def write_to(self, scope: Scope) -> None:
        """For `of`."""
        scope.setdefault("extensions", {})[_EXTENSION] = self

    @classmethod
    def of(cls, scope: Scope, key: str = "") -> AskingClient:
        """The client of this request. Where no connection of ours carries it: one that came just now, and stays."""
        known: AskingClient | None = scope.get("extensions", {}).get(_EXTENSION)
        if key:
            return cls(key=key) if known is None else cls(known.connection, known.since_s, key)
        return known or cls()

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
