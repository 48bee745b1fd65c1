"""The presence of `produce`: a lock beside the tables while it sends, which ends with its process however that ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_LOCK = ".producing"


@contextmanager
def present(lake: Path) -> Iterator[None]:
    """While this lasts, `is_present` is true. Where the lake is not on this machine, nobody is told."""
    with ExitStack() as exits:
        try:
            lock = exits.enter_context((lake / _LOCK).open("ab"))
            fcntl.flock(lock, fcntl.LOCK_SH)
        except OSError:
            pass
        yield


def is_present(lake: Path) -> bool:
    """Whether a `produce` sends to the stream of this lake just now."""
    try:
        with (lake / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
