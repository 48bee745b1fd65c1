"""What this process waits for, and for how long already. `status` shows it, as the process tells it (`told_waits`)."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wait that has not ended. `why`: the facts and the first error, as text."""

    what: str
    why: str
    for_s: float


class Wait:
    """Something that this process may have to wait for. It is listed from `begin` to `end`, or until nobody holds it.

    what: a phrase for people, such as "waiting for Kafka".
    """

    def __init__(self, what: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.what, self.why, self.since_s = what, "", 0.0
        self._clock_s = clock_s

    def begin(self, **why: Any) -> None:
        """The wait begins, for this reason. If it has begun, only the reason is new."""
        self.why = ", ".join(f"{name}: {value}" for name, value in why.items())
        with _LOCK:
            if self not in _WAITS:
                self.since_s = self._clock_s()
                _WAITS.add(self)

    def end(self) -> None:
        """Harmless if it has not begun."""
        with _LOCK:
            _WAITS.discard(self)

    @property
    def for_s(self) -> float:
        return self._clock_s() - self.since_s


_WAITS: weakref.WeakSet[Wait] = weakref.WeakSet()
_LOCK = threading.Lock()


def waits() -> list[Waiting]:
    """Everything that this process waits for now, the longest wait first."""
    with _LOCK:
        found = [Waiting(each.what, each.why, each.for_s) for each in _WAITS]
    return sorted(found, key=lambda each: -each.for_s)


@contextmanager
def waiting(what: str, **why: Any) -> Iterator[None]:
    """This process waits for it inside the `with` statement."""
    wait = Wait(what)
    wait.begin(**why)
    try:
        yield
    finally:
        wait.end()
