"""What the request path leaves for a thread of its own: it never waits, and what is left is bounded."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

_GATHER_S = 0.05  # a thread that wakes for each answer would take the request path's time

Item = TypeVar("Item")


class BoundedQueue(Generic[Item]):
    """Any thread puts, one takes. most: how much all that is left may be together."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._left: deque[tuple[Item, int]] = deque()
        self._changing = threading.Lock()
        self._wanted, self._ends = threading.Event(), threading.Event()

    def __len__(self) -> int:
        return len(self._left)

    def put(self, item: Item, size: int) -> bool:
        """Leave an item. False where it has no room. Takes no time."""
        with self._changing:
            has_room = self._size + size <= self._most
            self._size += size if has_room else 0
        if has_room:
            self._left.append((item, size))
            if not self._wanted.is_set():
                self._wanted.set()
        return has_room

    def wait(self, within_s: float | None = None) -> bool:
        """Until something was left, and a moment longer, or until the end. False where nothing was within this time."""
        if not self._wanted.wait(within_s):
            return False
        self._ends.wait(_GATHER_S)
        self._wanted.clear()
        return True

    def items(self) -> Iterator[Item]:
        """Takes away what is left. An item has its room until the next one is asked for."""
        while self._left:
            item, size = self._left.popleft()
            yield item
            with self._changing:
                self._size -= size

    def end(self) -> None:
        """Nobody has to wait any more."""
        self._ends.set()
        self._wanted.set()

    @property
    def has_ended(self) -> bool:
        """Whether `end` was called."""
        return self._ends.is_set()
