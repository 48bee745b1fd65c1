"""The compilation of the kernel: by one process at a time, which says how far it is, while others say that they wait.

numba keeps what it compiled on the disk. Two processes that compile at once each compile all of it, in twice the time.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core.caching import NullCache
from numba.core.dispatcher import Dispatcher
from numba.core.event import Event, Listener, install_listener, register

from shared_features.compilation.compile_turn import TURN, Say
from shared_features.counted import counted
from shared_features.formats import entity_state  # noqa: F401  # its loops, and through it all of the kernel's
from shared_features.trees import tree_ensemble  # noqa: F401  # the loops of trees

_EVERY_S = 10.0
_ONCE = "compiling the kernel, once: about 2 minutes on two free cores"


@contextmanager
def compiled_once(say: Say) -> Iterator[None]:
    """What the block compiles, this process alone compiles. Nothing is said where all of it lies on the disk."""
    TURN.take(say)
    progress = _Progress(say)
    try:
        with install_listener("numba:compile", progress):
            yield
    finally:
        progress.end()
        TURN.give()


def compile_in_turn(say: Say) -> None:
    """From now on each function that lies nowhere is compiled by one process. Who needs it too waits, and loads it.

    Functions of modules that are imported later are not meant. Nothing is waited for where all of it lies on the disk.
    """
    for each in loops():
        if not isinstance(each._cache, _InTurn):
            each._cache = _InTurn(each._cache, say)
    if not _WATCHED:
        _WATCHED.append(_Failures())
        register("numba:compile", _WATCHED[0])  # type: ignore[no-untyped-call]  # numba gives no types


class _InTurn:
    """numba's cache of a function. It asks the cache, compiles what the cache lacks, and stores that."""

    def __init__(self, cache: Any, say: Say) -> None:
        self._cache, self._say = cache, say

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, *arguments: Any) -> Any:
        found = self._cache.load_overload(*arguments)
        if found is not None:
            return found
        TURN.take(self._say)
        found = self._cache.load_overload(*arguments)  # somebody may have compiled it meanwhile
        if found is not None:
            TURN.give()
        elif not _SAID:
            _SAID.append(True)
            self._say(_ONCE)
        return found

    def save_overload(self, *arguments: Any) -> None:
        try:
            self._cache.save_overload(*arguments)
        finally:
            TURN.give()


class _Failures(Listener):
    """A function that cannot be compiled is not stored either."""

    def on_start(self, event: Event) -> None:
        """The turn was taken before."""

    def on_end(self, event: Event) -> None:
        kind = (event._exc_details or (None,))[0]
        if kind is not None and isinstance(event.data["dispatcher"]._cache, _InTurn):
            TURN.give()


_WATCHED: list[_Failures] = []
_SAID: list[bool] = []


def loops() -> list[Any]:
    """The compiled functions that are kept on the disk."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("shared_features.")]
    found: dict[int, Any] = {
        id(each): each for module in modules for each in vars(module).values() if isinstance(each, Dispatcher)
    }
    return [each for each in found.values() if not isinstance(each._cache, NullCache)]


class _Progress(Listener):
    """Hears of each function that numba compiles. A thread of its own says now and then how many are there."""

    def __init__(self, say: Say) -> None:
        self._say, self._began_s = say, 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep_saying, daemon=True)
        self._thread.start()

    def on_start(self, event: Event) -> None:
        if not self._began_s:
            self._began_s = time.monotonic()
            self._say(_ONCE)

    def on_end(self, event: Event) -> None:
        """The count tells."""

    def end(self) -> None:
        self._end.set()
        self._thread.join()
        if self._began_s:
            self._say(f"compiled the kernel: {counted(self._done(), 'function')} in {self._seconds():.0f} s")

    def _keep_saying(self) -> None:
        while not self._end.wait(_EVERY_S):
            if self._began_s:
                of = len(loops())
                self._say(f"compiling the kernel: {self._done()} of up to {of} functions, {self._seconds():.0f} s")

    def _done(self) -> int:
        return sum(bool(each.signatures) for each in loops())

    def _seconds(self) -> float:
        return time.monotonic() - self._began_s
