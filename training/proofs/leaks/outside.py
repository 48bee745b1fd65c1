"""What a function takes from outside while it runs: the clock of Python is set, and files it opens are noted."""

from __future__ import annotations

import contextlib
import datetime
import os
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from shared_features.kernel.event_time import DAY_US

NOON_US = 20_000 * DAY_US + DAY_US // 2
"""An instant at which the clock stands during a trial."""
LATER_US = NOON_US + 400 * DAY_US + 7_654_321
"""Another one: every unit of a calendar is another."""

_CONNECTIONS = {"socket.connect": 1, "sqlite3.connect": 0, "subprocess.Popen": 0, "urllib.Request": 0}
"""Audit events that reach outside, and which of their arguments says where to."""
_READERS = ("read_", "scan_")
_TRUE_DATETIME, _TRUE_DATE = datetime.datetime, datetime.date


class Watch:
    """Notes what is opened, while it is on. Python cannot take an audit hook away, so there is one that sleeps.

    Threads that ran before, as one that looks at a file of keys now and then, do the work of others: what they open
    does not count.
    """

    def __init__(self) -> None:
        self._opened: list[str] | None = None
        self._others: set[threading.Thread] = set()
        self._hooked = False

    @contextlib.contextmanager
    def on(self) -> Iterator[list[str]]:
        """The list grows by what is opened, each as it was named."""
        if not self._hooked:
            sys.addaudithook(self._hear)
            self._hooked = True
        self._others = set(threading.enumerate()) - {threading.current_thread()}
        opened = self._opened = []
        try:
            with _heard_readers(opened):
                yield opened
        finally:
            self._opened = None

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._opened is None or threading.current_thread() in self._others:
            return
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            self._opened.append(os.fsdecode(arguments[0]))
        elif event in _CONNECTIONS:
            self._opened.append(f"{event.partition('.')[0]} {arguments[_CONNECTIONS[event]]}")


WATCH = Watch()


def foreign_files(opened: list[str], allowed: tuple[Path, ...] = ()) -> list[str]:
    """Those that are neither code, nor of the system, nor below an allowed path; each once."""
    ours = [each.resolve() for each in allowed]
    return list(dict.fromkeys(each for each in opened if not _is_code(each) and not _is_below(each, ours)))


@contextlib.contextmanager
def clock_at(at_us: int) -> Iterator[None]:
    """Let `time` and `datetime` tell this instant, in every module that took something of them and is not installed.

    What asks the system by itself, as numpy and Polars do, still gets the true time.
    """
    replaced: list[tuple[Any, str, Any]] = []
    stands = _clocks(at_us)
    try:
        for module in _modules():
            for name, value in list(vars(module).items()):
                instead = stands.get(id(value))
                if instead is not None:
                    replaced.append((module, name, value))
                    setattr(module, name, instead)
        yield
    finally:
        for module, name, value in replaced:
            setattr(module, name, value)


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


def _modules() -> list[ModuleType]:
    """`time` and `datetime` themselves, and all that lie in no installed distribution and are not Millrace."""
    found: list[ModuleType] = [time, datetime]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and not _is_installed(name, file):
            found.append(module)
    return found


_OURS = ("training", "shared_features", "streaming", "serving", "deploy")


def _is_installed(name: str, file: str) -> bool:
    return name.partition(".")[0] in _OURS or _is_code(file, only_installed=True)


@contextlib.contextmanager
def _heard_readers(opened: list[str]) -> Iterator[None]:
    """Polars opens files by itself, and Python hears nothing of it."""
    import polars

    kept = {name: each for name, each in vars(polars).items() if name.startswith(_READERS) and callable(each)}
    for name, each in kept.items():
        setattr(polars, name, _noted(each, opened))
    try:
        yield
    finally:
        for name, each in kept.items():
            setattr(polars, name, each)


def _noted(reader: Callable[..., Any], opened: list[str]) -> Callable[..., Any]:
    def noted(source: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(source, str | os.PathLike):
            opened.append(os.fspath(source))
        return reader(source, *arguments, **named)

    return noted


_INSTALLED = tuple(
    {os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/share/zoneinfo/")
_CODE = (".py", ".pyc", ".so", ".pyd", ".nbi", ".nbc")


def _is_code(file: str, only_installed: bool = False) -> bool:
    whole = os.path.realpath(file)
    if whole.startswith(_INSTALLED):
        return True
    return not only_installed and (whole.startswith(_SYSTEM) or whole.endswith(_CODE) or "__pycache__" in whole)


def _is_below(file: str, allowed: list[Path]) -> bool:
    whole = Path(file).resolve()
    return any(whole == each or each in whole.parents for each in allowed)
