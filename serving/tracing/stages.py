"""The stages of a request, noted as they end. Its spans are written from them after the answer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, Protocol

RECEIVE, PARSE, READ = "receive body", "parse body", "read redis"
FEATURES, MODEL, WRITE = "compute features", "run model", "write answer"
"""In the order of an answer. Requests that share a round trip share `read redis` and `compute features`."""


class RequestTrace:
    """Of one request that is traced. stages: (name, when it began, when it ended), nanoseconds since the epoch."""

    __slots__ = ("facts", "span", "stages")

    def __init__(self, span: Any) -> None:
        self.span = span
        self.stages: list[tuple[str, int, int]] = []
        self.facts: dict[str, str | int] = {}


class Traced(Protocol):
    """A client, as far as it matters here."""

    @property
    def trace(self) -> RequestTrace | None: ...


class Asking(Protocol):
    """A request, as far as it matters here."""

    @property
    def client(self) -> Traced: ...


class Laps:
    """The clock of requests that do something together: a stage begins where the previous stage ended."""

    __slots__ = ("_since_ns", "_traces")

    def __init__(self, traces: Sequence[RequestTrace | None]) -> None:
        self._traces = traces
        self._since_ns = time.time_ns()

    def ended(self, stage: str, which: Iterable[bool] = repeat(True)) -> None:
        """Note for each of the requests that the stage has ended now. which: those that have had it."""
        now_ns = time.time_ns()
        for trace, has in zip(self._traces, which, strict=False):
            if trace is not None and has:
                trace.stages.append((stage, self._since_ns, now_ns))
        self._since_ns = now_ns


class _NoLaps(Laps):
    """Of requests that are not traced: it does not look at the clock."""

    __slots__ = ()

    def __init__(self) -> None: ...

    def ended(self, stage: str, which: Iterable[bool] = ()) -> None: ...


NO_LAPS = _NoLaps()


def lap_of(client: Traced) -> Laps:
    """The clock of a request."""
    return NO_LAPS if client.trace is None else Laps((client.trace,))


def laps_of(batch: Sequence[Asking]) -> Laps:
    """The clock of the requests of a batch."""
    for each in batch:
        if each.client.trace is not None:
            return Laps([asked.client.trace for asked in batch])
    return NO_LAPS
