"""What the person sees while the demo runs: phases, lines, and a progress bar, or plain lines without a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_PLAIN_EVERY_S = 5.0
_PLAIN_WIDTH = 120


@dataclass
class Screen:
    """`seconds`: how long each phase took, by its name."""

    console: Console = field(default_factory=lambda: _console())
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str, text: str) -> Iterator[None]:
        """A part of the story; its time is kept under its name."""
        self.console.print(f"[bold cyan]{name:>9}[/]  {text}")
        began_s = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began_s

    def line(self, text: str) -> None:
        """A line inside a phase."""
        self.console.print(f"{'':>9}  [dim]{text}[/]")

    @contextmanager
    def bar(self, total: int) -> Iterator[Bar]:
        """A progress bar inside a phase, or now and then a line where there is no terminal."""
        if not self.console.is_terminal:
            yield Bar(self, total)
            return
        columns = (
            TextColumn(f"{'':>9} "),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as progress:
            yield Bar(self, total, progress)


class Bar:
    """Moves forward only."""

    def __init__(self, screen: Screen, total: int, progress: Progress | None = None) -> None:
        self._screen, self._total, self._progress = screen, total, progress
        self._task = None if progress is None else progress.add_task("", total=total, note="")
        self._said_s = time.monotonic()
        self._done = 0

    def show(self, done: int, note: str) -> None:
        self._done = max(done, self._done)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=self._done, note=note)
        elif time.monotonic() - self._said_s >= _PLAIN_EVERY_S:
            self._screen.line(f"{self._done:,} of {self._total:,}  {note}")
            self._said_s = time.monotonic()


class _Console(Console):
    """A console that is silent once nobody reads it, so that what follows can still be cleaned up."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise  # the BrokenPipeError under way: `main` ends the demo


def _console() -> Console:
    found = _Console(highlight=False)
    return found if found.is_terminal else _Console(highlight=False, width=_PLAIN_WIDTH, soft_wrap=True)
