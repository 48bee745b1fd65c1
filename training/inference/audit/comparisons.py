"""Comparisons one after the other, on a thread of their own: the records of the next are read meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType

from training.inference.audit.findings import Audited

Compare = Callable[[Audited], None]


class Comparisons:
    """What they find is added in their order, each when the next begins or at the end: the same at any speed.

    Raises what a comparison raises there. Ends its thread on exit.
    """

    def __init__(self, found: Audited, *, aside: bool) -> None:
        """aside: whether `begin` returns before the comparison has ended."""
        self._found, self._aside = found, aside
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="compare")
        self._under_way: Future[Audited] | None = None

    def __enter__(self) -> Comparisons:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def begin(self, compare: Compare) -> None:
        """Waits for the previous comparison, so that the records of two are in memory at most."""
        self.end()
        self._under_way = self._pool.submit(self._found_by, compare)
        if not self._aside:
            wait([self._under_way])

    def end(self) -> None:
        """Waits for the last one."""
        if self._under_way is not None:
            under_way, self._under_way = self._under_way, None
            self._found.add(under_way.result())

    def _found_by(self, compare: Compare) -> Audited:
        found = Audited(self._found.most, unseen=None if self._found.unseen is None else Counter())
        compare(found)
        return found
