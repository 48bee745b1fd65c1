"""What the product does in threads beside an actor, done in the actor's own: it too is paused, killed and fails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class InTurn(Executor):
    """A pool without threads: what is submitted is done at once, as if the caller had been slow meanwhile."""

    def __init__(self, *_: Any) -> None: ...

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # `Killed` is none: it ends the actor here
            future.set_exception(error)
        return future
