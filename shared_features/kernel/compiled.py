"""How a loop of the kernel is compiled: without the GIL, without fast-math, cached on disk.

Numba's cache asks for the time stamp of the file a function stands in, not of the files it calls into. A loop that
inlined another file's function would outlive a change of it, so the cache is stamped by the whole kernel's source.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core.caching import IndexDataCacheFile

F = TypeVar("F", bound=Callable[..., Any])


def _source_stamp(package: Path) -> str:
    """A digest of every source file that compiled functions may be made of."""
    digest = hashlib.sha256()
    for path in sorted((*package.glob("kernel/*.py"), *package.glob("formats/*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


_STAMP = _source_stamp(Path(__file__).parent.parent)


def compiled(function: F) -> F:
    """The function as machine code, compiled at its first call or taken from the cache of this very source."""
    dispatcher = njit(cache=True, nogil=True, error_model="numpy")(function)
    cache = dispatcher._cache
    cache._cache_file = IndexDataCacheFile(
        cache_path=cache._cache_path, filename_base=cache._impl.filename_base, source_stamp=_STAMP
    )
    return cast(F, dispatcher)
