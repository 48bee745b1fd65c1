"""How a loop of the kernel is compiled: without the GIL, without fast-math, cached on disk.

Compiled functions allocate nothing, so Numba's runtime is left out of them: its reference counts of arrays cost ten
times what the loops do. They fill arrays that their callers made.

Numba's cache asks for the time stamp of the file a function stands in, not of the files it calls into. A loop that
inlined another file's function would outlive a change of it, so the cache is stamped by the source of the whole
kernel beside that of the function's own file.
"""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core import sigutils
from numba.core.caching import IndexDataCacheFile
from numba.core.ccallback import CFunc

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
# Python calls whole loops alone, and C calls none. A way to call a part would be a copy compiled for nothing.
_WHOLE: dict[str, Any] = {**_OPTIONS, "no_cfunc_wrapper": True}
_PART: dict[str, Any] = {**_OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: F) -> F:
    """The function as machine code, compiled at its first call or taken from the cache of this very source."""
    dispatcher = cast(Any, njit(cache=True, **_WHOLE)(function))
    _stamp(dispatcher._cache, function)
    return cast(F, dispatcher)


def inlined(function: F) -> F:
    """A part of compiled functions, copied into each caller: for what runs per event or per tile."""
    return cast(F, njit(forceinline=True, **_PART)(function))


def called(function: F) -> F:
    """A part of compiled functions that they call: for what runs over many events or tiles, in more than one place."""
    return cast(F, njit(**_PART)(function))


def address_of(function: Callable[..., Any], signature: Any) -> int:
    """Where the machine code of a plain function of numbers and pointers is, cached on disk as the loops are."""
    callback: Any = CFunc(function, sigutils.normalize_signature(signature), locals={}, options=_OPTIONS)
    # A function that was typed in by hand lies in no file: it is compiled in each process.
    with contextlib.suppress(RuntimeError, OSError):
        callback.enable_caching()
        _stamp(callback._cache, function)
    callback.compile()
    _KEPT.append(callback)
    return int(callback.address)


_KEPT: list[object] = []  # machine code lives as long as what compiled it


def _stamp(cache: Any, function: Callable[..., Any]) -> None:
    digest = _KERNEL.copy()
    digest.update(Path(function.__code__.co_filename).read_bytes())
    stamp = digest.hexdigest()
    file = IndexDataCacheFile(cache_path=cache._cache_path, filename_base=cache._impl.filename_base, source_stamp=stamp)
    # Numba reads nothing of an index of another version. What an earlier release left may name modules that are gone.
    file._version = f"{file._version} {stamp}"
    cache._cache_file = file


_KERNEL = hashlib.sha256()
_FOLDER = Path(__file__).parents[1]  # and all loops, which may have code of one another in them
for _path in sorted({*_FOLDER.rglob("*.py"), *_FOLDER.parent.rglob("*loops.py")}):
    _KERNEL.update(_path.read_bytes())
