"""What is outside of a function: the files and connections that it opens are noted, and its modules imported again."""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import os
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

_CONNECTIONS = {"socket.connect": 1, "sqlite3.connect": 0, "subprocess.Popen": 0, "urllib.Request": 0}
"""Audit events that reach outside, and which of their arguments says where to."""
_READERS = ("read_", "scan_")


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


_OURS = ("training", "shared_features", "streaming", "serving", "deploy")


def own_modules() -> list[ModuleType]:
    """All in Python that lie in no installed distribution and are not Millrace."""
    found: list[ModuleType] = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.partition(".")[0] not in _OURS and not _is_code(file, only_installed=True):
            found.append(module)
    return found


def import_again(module: str, name: str) -> Callable[..., Any]:
    """`name` of the module as it was before it was ever called: every module of the user's own is imported once more,
    beside those that are loaded.

    A cache that the first call filled answers every later one, so no trial with less of the future sees it change. In a
    module that was imported again the cache is empty.

    Raises whatever the import raises: some modules, as one that registers a name, can be imported once only.
    """
    loaded = {each.__name__: each for each in own_modules() if each.__name__ != "__main__"}
    for each in loaded:
        sys.modules.pop(each, None)
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
        return found
    finally:
        for again in own_modules():
            if again.__name__ != "__main__":
                sys.modules.pop(again.__name__, None)
        sys.modules.update(loaded)
        for each, ours in loaded.items():
            package, _, last = each.rpartition(".")
            if hasattr(sys.modules.get(package), last):  # the import named the new module in its package
                setattr(sys.modules[package], last, ours)


_INSTALLED = tuple(
    {os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)
_PACKAGES = {"site-packages", "dist-packages"}
"""Folders of installed distributions, also of another Python than the one that runs."""
_COMPILED = tuple(importlib.machinery.EXTENSION_SUFFIXES)
"""Endings of extension modules: many of them can be imported once only."""
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/share/zoneinfo/")
_CODE = (".py", ".pyc", ".so", ".pyd", ".nbi", ".nbc")


def _is_code(file: str, only_installed: bool = False) -> bool:
    whole = os.path.realpath(file)
    if whole.startswith(_INSTALLED) or whole.endswith(_COMPILED) or not _PACKAGES.isdisjoint(Path(whole).parts):
        return True
    return not only_installed and (whole.startswith(_SYSTEM) or whole.endswith(_CODE) or "__pycache__" in whole)


def _is_below(file: str, allowed: list[Path]) -> bool:
    whole = Path(file).resolve()
    return any(whole == each or each in whole.parents for each in allowed)
