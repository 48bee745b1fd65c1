"""In which pages the system gives memory to numpy's arrays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def small_pages() -> Iterator[None]:
    """Within it numpy does not ask for large pages (2 MB) for its arrays; it asks again afterwards.

    A virtual machine that gives free memory back to its host fills each large page from the host again. That takes two
    to six times what it takes to fill small pages from memory that the machine still has. Where memory is the machine's
    own, large pages save little: a dataset touches most of its memory once.
    """
    arrays = getattr(getattr(np, "_core", None), "multiarray", None)
    ask = getattr(arrays, "_set_madvise_hugepage", None)  # as NUMPY_MADVISE_HUGEPAGE does when a process starts
    asked = ask(False) if ask is not None else False
    try:
        yield
    finally:
        if ask is not None:
            ask(asked)
