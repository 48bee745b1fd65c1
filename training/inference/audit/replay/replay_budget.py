"""What the replays of one audit may hold together: each view has replays, and each version of a view."""

from __future__ import annotations

from typing import Protocol

_BYTES_AN_EVENT = 200
"""Of memory, about, while events are read: what is carried may have as much."""


class Carrying(Protocol):
    """A replay that carries entities from rows to rows."""

    @property
    def nbytes(self) -> int: ...
    @property
    def oldest_us(self) -> int | None:
        """When the entity that was asked for longest ago was asked for; None where it carries none."""

    def evict_half(self) -> None:
        """Forget the half of the entities that was asked for longest ago."""


class ReplayBudget:
    """events_at_once: how many events are in memory at most, where no entity alone has more."""

    def __init__(self, events_at_once: int) -> None:
        self.events_at_once = events_at_once
        self._replays: list[Carrying] = []

    def add(self, replay: Carrying) -> None:
        self._replays.append(replay)

    @property
    def is_exceeded(self) -> bool:
        return sum(each.nbytes for each in self._replays) > self.events_at_once * _BYTES_AN_EVENT

    def evict(self) -> None:
        """Entities that nobody asked for lately, until the others fit. While no replay works."""
        while self.is_exceeded:
            oldest = [(each.oldest_us, at) for at, each in enumerate(self._replays) if each.oldest_us is not None]
            if not oldest:
                return
            self._replays[min(oldest)[1]].evict_half()
