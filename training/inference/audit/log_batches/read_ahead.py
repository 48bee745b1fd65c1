"""Batches are read ahead on other threads, while those before are compared: most of the work leaves the GIL free."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")


def read_ahead(read: Callable[[Given], Found], batches: Iterable[Given], most: int, threads: int) -> Generator[Found]:
    """What `read` finds in each, in their order. most: how many are read or wait at once. threads: 0 reads none ahead.

    Raises what `read` raises, where its batch comes. Ends its threads with the iteration.
    """
    if not threads:
        yield from map(read, batches)
        return
    under_way = deque[Future[Found]]()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="log")
    try:
        for each in batches:
            under_way.append(pool.submit(read, each))
            if len(under_way) >= most:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
