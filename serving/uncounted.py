"""What the request path saw and the metrics have yet to count: many observations are counted at once.

A metric costs a lock and a look-up each time that it is counted up: 70 of the 1,600 us of 8 requests that are answered
together. `Metrics.settle` counts what waits.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol

_ENOUGH = 1024
_EVERY_S = 0.25


class Answered(NamedTuple):
    """A request that was answered by a prediction, and how long that took."""

    view: str
    seconds: float


class RoundTrip(NamedTuple):
    """To the online store: for how many instances, and how long it took."""

    instances: int
    seconds: float


class RowsOfGroup(Protocol):
    """What one group says of the rows of a batch, as far as it is counted."""

    @property
    def name(self) -> str:
        """The group's."""

    @property
    def ages_s(self) -> Sequence[float | None]:
        """Of each row, seconds from the newest event behind its features to its instant."""

    @property
    def missing(self) -> Sequence[bool]:
        """Of each row, whether the store has no entity."""

    @property
    def unreadable(self) -> Sequence[bool]:
        """Of each row, whether its bytes are damaged."""


Observation = Answered | RoundTrip | RowsOfGroup


class Seen:
    """Observations put together. ages_s, missing and unreadable: by group. answered_s: by view."""

    def __init__(self) -> None:
        self.answered_s = defaultdict[str, list[float]](list)
        self.instances: list[float] = []
        self.reads_s: list[float] = []
        self.ages_s = defaultdict[str, list[float]](list)
        self.missing, self.unreadable = Counter[str](), Counter[str]()

    def add(self, each: Observation) -> None:
        match each:
            case Answered():
                self.answered_s[each.view].append(each.seconds)
            case RoundTrip():
                self.instances.append(each.instances)
                self.reads_s.append(each.seconds)
            case group:
                self.ages_s[group.name] += [age for age in group.ages_s if age is not None]
                self.missing[group.name] += sum(group.missing)
                self.unreadable[group.name] += sum(group.unreadable)


class Uncounted:
    """Observations that wait. For any threads."""

    def __init__(self) -> None:
        self._waiting: deque[Observation] = deque()

    def add(self, observation: Observation) -> bool:
        """Whether so many wait that they should be counted now."""
        self._waiting.append(observation)
        return len(self._waiting) >= _ENOUGH

    def take(self) -> Seen:
        """All that wait. Each is taken once, also where several threads do this at the same time."""
        seen = Seen()
        for _ in range(len(self._waiting)):
            try:
                seen.add(self._waiting.popleft())
            except IndexError:
                break
        return seen


@asynccontextmanager
async def settled_regularly(settle: Callable[[], None]) -> AsyncIterator[None]:
    """Meanwhile it is called now and then, and once at the end."""

    async def regularly() -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            settle()

    settling = asyncio.create_task(regularly())
    try:
        yield
    finally:
        settling.cancel()
        settle()
