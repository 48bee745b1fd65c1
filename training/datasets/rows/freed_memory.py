"""Memory that was freed, given back to the system at once."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Arrays of a few megabytes lie in glibc's heap, which keeps what is freed below the last one that is in use.

    Other allocators have no such call, and need none.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
