"""Actors that run one at a time: each is a thread that runs on only while it holds the baton.

Whoever steps an actor decides after how many of its points it gives the baton back. A point is where it talks to a
store: between two of them nobody can tell when it ran, so these are all the interleavings there are.
"""

from __future__ import annotations

import threading
from _thread import allocate_lock
from collections.abc import Callable


class Killed(BaseException):
    """The actor is gone, as by `kill -9`: no handler of the product may catch it."""


class Actor:
    """A thread that waits for the baton. `ended_by`: what its body ended with, None for a return."""

    def __init__(self, name: str, body: Callable[[], None]) -> None:
        self.name = name
        self.alive, self.killed, self.points_left = True, False, 0
        self.ended_by: BaseException | None = None
        self._body = body
        self._worker = _idle.pop() if _idle else _Worker()
        self._worker.actor = self
        self._mine, self._theirs = self._worker.its_turn, self._worker.our_turn

    def step(self, points: int) -> None:
        """Let it run over so many points, or to its end."""
        if self.alive:
            self.points_left = points
            self._mine.release()
            self._theirs.acquire()

    def kill(self) -> None:
        """It runs no further than its `finally` blocks; a store that it asks there answers nothing."""
        self.killed = True
        while self.alive:
            self.step(1)

    def point(self) -> None:
        """Called in its own thread."""
        if not self.killed:
            self.points_left -= 1
            if self.points_left <= 0:
                self._theirs.release()
                self._mine.acquire()
        if self.killed:
            raise Killed(self.name)

    def rest(self) -> None:
        """A point at which it has nothing to do: somebody else's turn."""
        self.points_left = 1
        self.point()

    def run(self) -> None:
        """All that it does, in the thread of its worker."""
        try:
            _current.actor = self
            if not self.killed:
                self._body()
        except (Killed, Exception) as error:
            self.ended_by = error
        finally:
            self.alive = False


class _Worker:
    """A thread for one actor after the other: starting one takes longer than most actors run."""

    def __init__(self) -> None:
        self.actor: Actor | None = None
        self.its_turn, self.our_turn = allocate_lock(), allocate_lock()  # held: not yet your turn
        self.its_turn.acquire()
        self.our_turn.acquire()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            self.its_turn.acquire()
            try:
                if self.actor is not None:
                    self.actor.run()
                    self.actor = None
                    _idle.append(self)  # before the baton is given back: the next actor may have it at once
            finally:
                self.our_turn.release()


_idle: list[_Worker] = []


class _Current(threading.local):
    actor: Actor | None = None


_current = _Current()


def current_actor() -> Actor | None:
    """The actor whose thread this is; None in a thread that the product started itself, and outside."""
    return _current.actor
