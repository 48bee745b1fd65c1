"""How far a `produce` is: a bar on a screen, and a line now and then where the output goes elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from shared_features.kernel.event_time import to_text
from streaming.operations.saying import say

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

_SAY_S, _DRAW_S = 5.0, 0.1

Row = TypeVar("Row")


class ProduceProgress:
    """First `reading`, then `sending` is called with each row. Drawn at most ten times a second: a row costs nothing.

    on_screen: whether a bar is drawn. waited_s: for how long the sending waited for others; no rate counts it.
    """

    def __init__(self, *, on_screen: bool | None = None) -> None:
        self.read = self.sent = 0
        self.waited_s = 0.0
        self._began_s = self._told_s = time.monotonic()
        self._bar = _bar() if (sys.stdout.isatty() if on_screen is None else on_screen) else None
        self._task = None if self._bar is None else self._bar.add_task("reading", total=None, where="")

    def __enter__(self) -> ProduceProgress:
        if self._bar is None:
            say("reading the rows in the order in which they became known ...")
        else:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self.sent or self.read)
            self._bar.stop()

    def reading(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, counted."""
        for row in rows:
            self.read += 1
            yield row
            if self._bar is not None and self._task is not None and self._is_due(_DRAW_S):
                self._bar.update(self._task, completed=self.read)

    def sending(self, known_us: int) -> None:
        """One more row is sent, which became known then."""
        if not self.sent:
            self._began_s = self._told_s = time.monotonic()
            if self._bar is not None and self._task is not None:
                self._bar.reset(self._task, description="sending", total=self.read)
        self.sent += 1
        if self._bar is not None and self._task is not None:
            if self._is_due(_DRAW_S):
                self._bar.update(self._task, completed=self.sent, where=to_text(known_us)[:19])
        elif self._is_due(_SAY_S):
            taken_s = max(1e-3, self._told_s - self._began_s)
            waited = ", mostly waiting for the stream job" if self.waited_s > taken_s / 2 else ""
            rate = f"{self.sent / taken_s:,.0f} rows/s{waited}"
            say(f"{self.sent:,} of {self.read:,} rows sent, up to {to_text(known_us)}, {rate}")

    @property
    def elapsed_s(self) -> float:
        """Since the first row was sent."""
        return time.monotonic() - self._began_s

    def _is_due(self, every_s: float) -> bool:
        now_s = time.monotonic()
        if now_s - self._told_s < every_s:
            return False
        self._told_s = now_s
        return True


def _bar() -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[where]}"),
    )
    return Progress(*columns, console=Console(file=sys.stdout, highlight=False))
