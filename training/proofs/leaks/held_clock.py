"""The clock of Python stands at an instant that a trial sets, wherever a module of the user's own has taken it from."""

from __future__ import annotations

import contextlib
import datetime
import functools
import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from types import BuiltinMethodType, CellType, FunctionType, ModuleType
from typing import Any

from shared_features.kernel.event_time import DAY_US
from training.proofs.leaks.outside import own_modules

NOON_US = 20_000 * DAY_US + DAY_US // 2
"""An instant at which the clock stands during a trial."""
LATER_US = NOON_US + 400 * DAY_US + 7_654_321
"""Another one: every unit of a calendar is another."""

_MOST = 10_000
"""Entries of a container that are looked at: a larger one is a table of data."""
_MOST_IN_A_MODULE = 100_000
"""Entries of all containers and objects together that are looked at for one module."""
_PLAIN = frozenset((int, float, str, bytes, bool, type(None)))
"""Kinds that hold nothing."""
_TRUE_DATETIME, _TRUE_DATE = datetime.datetime, datetime.date


@contextlib.contextmanager
def clock_at(at_us: int) -> Iterator[None]:
    """Let `time` and `datetime` tell this instant, in every module that took something of them and is not installed:
    under a name, in a default, in a closure, in a `functools.partial`, in a class or in a container.

    What asks the system by itself, as numpy and Polars do, still gets the true time.
    """
    stands = _clocks(at_us)
    undo: list[Callable[[], None]] = []
    _let_polars_see_true_times()
    try:
        for module in (time, datetime, *own_modules()):
            _Held(module.__name__, stands, undo).hold(module)
        yield
    finally:
        for each in reversed(undo):
            with contextlib.suppress(Exception):  # one that can no longer be set keeps no other from it
                each()


class _Held:
    """One module and all that its names reach. stands: id of a clock -> what stands in for it. undo: how to end it.

    What raises while it is looked at, or does not let itself be set, is left alone.
    """

    def __init__(self, module: str, stands: dict[int, Any], undo: list[Callable[[], None]]) -> None:
        self._module, self._stands, self._undo = module, stands, undo
        self._seen: set[int] = set()
        self._left = _MOST_IN_A_MODULE
        self._order = itertools.count()
        self._waiting: list[tuple[int, int, Any]] = []
        """Heap of size, order, object. The smallest come first: no table uses up what others need."""

    def hold(self, holder: Any) -> None:
        """Replace every clock that this object holds, and those of what it holds."""
        self._wait(holder)
        while self._waiting:
            with contextlib.suppress(Exception):
                self._look(heapq.heappop(self._waiting)[2])

    def _wait(self, holder: Any) -> None:
        if type(holder) in _PLAIN or id(holder) in self._seen:
            return
        self._seen.add(id(holder))
        heapq.heappush(self._waiting, (_size(holder), next(self._order), holder))

    def _look(self, holder: Any) -> None:
        if isinstance(holder, ModuleType):
            if holder.__name__ == self._module:
                self._attributes(holder)
        elif isinstance(holder, FunctionType) and holder.__module__ == self._module:
            self._function(holder)
        elif isinstance(holder, functools.partial):
            self._partial(holder)
        elif isinstance(holder, dict | list | tuple):
            self._container(holder)
        elif isinstance(holder, staticmethod | classmethod):
            self._wait(holder.__func__)
        elif self._module in (getattr(holder, "__module__", None), type(holder).__module__) and (
            isinstance(holder, type) or self._spend(len(getattr(holder, "__dict__", ())))
        ):
            self._attributes(holder)  # a class of the module, or an object of one

    def _spend(self, entries: int) -> bool:
        """Whether so many entries may still be looked at."""
        if entries > min(_MOST, self._left):
            return False
        self._left -= entries
        return True

    def _container(self, holder: dict[Any, Any] | list[Any] | tuple[Any, ...]) -> None:
        if not self._spend(len(holder)):
            return
        if isinstance(holder, tuple):
            for each in holder:
                self._wait(each)
            return
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if type(value) not in _PLAIN:
                self._place(value, functools.partial(holder.__setitem__, key))

    def _attributes(self, holder: Any) -> None:
        for name, value in list(getattr(holder, "__dict__", {}).items()):
            self._place(value, functools.partial(setattr, holder, name))

    def _function(self, holder: FunctionType) -> None:
        self._place(holder.__defaults__, functools.partial(setattr, holder, "__defaults__"))
        self._wait(holder.__kwdefaults__)
        for cell in holder.__closure__ or ():
            self._cell(cell)
        self._attributes(holder)  # what it wraps, too

    def _cell(self, cell: CellType) -> None:
        with contextlib.suppress(ValueError):  # it is empty
            self._place(cell.cell_contents, functools.partial(setattr, cell, "cell_contents"))

    def _partial(self, holder: functools.partial[Any]) -> None:
        given = (holder.func, holder.args, holder.keywords)
        changed = tuple(self._instead(each) for each in given)
        if any(ours is not theirs for ours, theirs in zip(given, changed, strict=True)):
            holder.__setstate__((*changed, holder.__dict__ or None))  # type: ignore[attr-defined]
            self._undo.append(lambda: holder.__setstate__((*given, holder.__dict__ or None)))  # type: ignore[attr-defined]
        for each in (holder.func, holder.args, holder.keywords):
            self._wait(each)

    def _place(self, value: Any, put: Callable[[Any], None]) -> None:
        if type(value) is tuple and not self._spend(len(value)):
            return
        instead = self._instead(value)
        if instead is value:
            self._wait(value)
            return
        try:
            put(instead)
        except Exception:  # it cannot be set, or checks what it is given
            with contextlib.suppress(Exception):
                put(value)  # one that checks afterwards has it by now
            return
        self._undo.append(functools.partial(put, value))

    def _instead(self, value: Any) -> Any:
        if type(value) is BuiltinMethodType and id(value.__self__) in self._stands:  # such as `datetime.now`
            return getattr(self._stands[id(value.__self__)], value.__name__)
        if type(value) is tuple and any(id(each) in self._stands for each in value):
            return tuple(self._stands.get(id(each), each) for each in value)
        return self._stands.get(id(value), value)


def _size(holder: Any) -> int:
    """How many entries a container has; 0 for all else."""
    kind = type(holder)
    return next((each.__len__(holder) for each in (dict, list, tuple) if issubclass(kind, each)), 0)


@functools.cache
def _let_polars_see_true_times() -> None:
    """Polars remembers the classes of the first times that it is given, and takes no others until the process ends."""
    import polars

    now = _TRUE_DATETIME(2000, 1, 1)
    for each in (now, now.date(), now.time(), now - now):
        polars.lit(each)


def _clocks(at_us: int) -> dict[int, Any]:
    now = _TRUE_DATETIME.fromtimestamp(at_us / 1e6, datetime.UTC)
    local = now.replace(tzinfo=None)
    times = {
        "now": classmethod(lambda _, tz=None: now.astimezone(tz) if tz else local),
        "utcnow": classmethod(lambda _: local),
        "today": classmethod(lambda _: local),
    }
    dates = {"today": classmethod(lambda _: now.date())}
    stands: list[tuple[Any, Any]] = [
        (time.time, lambda: at_us / 1e6),
        (time.time_ns, lambda: at_us * 1000),
        (_TRUE_DATETIME, _LooksLike("datetime", (_TRUE_DATETIME,), times)),
        (_TRUE_DATE, _LooksLike("date", (_TRUE_DATE,), dates)),
    ]
    return {id(given): instead for given, instead in stands}


class _LooksLike(type):
    """Every true date or time counts as one of the class that stands in for it."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__mro__[1])
