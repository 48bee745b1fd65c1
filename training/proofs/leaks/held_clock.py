"""The clock of Python stands at an instant that a trial sets, wherever a module of the user's own has taken it from."""

from __future__ import annotations

import contextlib
import datetime
import functools
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
            each()


class _Held:
    """One module and all that its names reach. stands: id of a clock -> what stands in for it. undo: how to end it."""

    def __init__(self, module: str, stands: dict[int, Any], undo: list[Callable[[], None]]) -> None:
        self._module, self._stands, self._undo = module, stands, undo
        self._seen: set[int] = set()

    def hold(self, holder: Any) -> None:
        """Replace every clock that this object holds, and those of what it holds."""
        if id(holder) in self._seen or (isinstance(holder, dict | list | tuple) and len(holder) > _MOST):
            return
        self._seen.add(id(holder))
        if isinstance(holder, ModuleType):
            if holder.__name__ == self._module:
                self._attributes(holder)
        elif isinstance(holder, FunctionType) and holder.__module__ == self._module:
            self._function(holder)
        elif isinstance(holder, functools.partial):
            self._partial(holder)
        elif isinstance(holder, dict):
            self._items(holder, list(holder.items()))
        elif isinstance(holder, list):
            self._items(holder, list(enumerate(holder)))
        elif isinstance(holder, tuple | staticmethod | classmethod):
            for each in holder if isinstance(holder, tuple) else (holder.__func__,):
                self.hold(each)
        elif self._module in (getattr(holder, "__module__", None), type(holder).__module__):
            self._attributes(holder)  # a class of the module, or an object of one

    def _attributes(self, holder: Any) -> None:
        for name, value in list(getattr(holder, "__dict__", {}).items()):
            self._place(value, functools.partial(setattr, holder, name))

    def _items(self, holder: Any, items: list[tuple[Any, Any]]) -> None:
        for key, value in items:
            self._place(value, functools.partial(holder.__setitem__, key))

    def _function(self, holder: FunctionType) -> None:
        self._place(holder.__defaults__, functools.partial(setattr, holder, "__defaults__"))
        if holder.__kwdefaults__:
            self.hold(holder.__kwdefaults__)
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
        for each in given:
            self.hold(each)

    def _place(self, value: Any, put: Callable[[Any], None]) -> None:
        instead = self._instead(value)
        if instead is value:
            self.hold(value)
            return
        with contextlib.suppress(AttributeError, TypeError):  # what cannot be set stays
            put(instead)
            self._undo.append(functools.partial(put, value))

    def _instead(self, value: Any) -> Any:
        if isinstance(value, BuiltinMethodType) and id(value.__self__) in self._stands:  # such as `datetime.now`
            return getattr(self._stands[id(value.__self__)], value.__name__)
        if type(value) is tuple and any(id(each) in self._stands for each in value):
            return tuple(self._stands.get(id(each), each) for each in value)
        return self._stands.get(id(value), value)


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
