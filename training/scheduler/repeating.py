"""What a scheduler does again and again, beside all else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(name: str, every_s: float, act: Callable[[], None]) -> Iterator[None]:
    """Inside the block a thread calls `act`, at once and then with pauses of so many seconds. `act` raises nothing."""
    over = threading.Event()

    def again_and_again() -> None:
        while not over.is_set():
            act()
            over.wait(every_s)

    thread = threading.Thread(target=again_and_again, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
