"""What a notebook or a console shows while something is computed: a bar, the step and the seconds, by no library.

A Jupyter kernel shows HTML under the cell and replaces it in place, in JupyterLab, VS Code and Colab alike; no widget
has to be installed. A console has one line that changes. Elsewhere, as in a script of a scheduler, nothing is shown.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Protocol, TextIO

from training.progress import Tell, untold

_CELLS = 24


class Shown(Protocol):
    """A place for the newest state."""

    def show(self, text: str, share: float | None, *, is_last: bool) -> None:
        """share: what is done, from 0 to 1; None where nobody counts. is_last: nothing comes after it."""


class Bar:
    """What a kernel shows: HTML, and a text where there is no HTML."""

    def __init__(self, text: str, share: float | None, is_last: bool) -> None:
        self._text, self._share, self._is_last = text, share, is_last

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        known = "" if self._share is None else f' value="{self._share:.3f}"'
        bar = "" if self._is_last else f'<progress max="1"{known} style="width:14em"></progress> '
        return f"<div>{bar}<small>{escape(self._text)}</small></div>"


class InCell:
    """Under the cell of a notebook that runs. display: that of IPython."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self._display = display
        self._handle: Any = None

    def show(self, text: str, share: float | None, *, is_last: bool) -> None:
        bar = Bar(text, share, is_last)
        if self._handle is None:
            self._handle = self._display(bar, display_id=True)
        else:
            self._handle.update(bar)


class OnConsole:
    """One line that changes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._width = stream, 0

    def show(self, text: str, share: float | None, *, is_last: bool) -> None:
        full = 0 if share is None else round(share * _CELLS)
        line = text if is_last else f"[{'#' * full:{_CELLS}}] {text}"
        self._stream.write("\r" + line.ljust(self._width) + ("\n" if is_last else ""))
        self._stream.flush()
        self._width = len(line)


class ShownWork:
    """A Tell. The part that is told has begun, so those before it are done."""

    def __init__(self, place: Shown, clock: Callable[[], float] = time.monotonic) -> None:
        self._place, self._clock, self._began_s = place, clock, clock()
        self._said = ""

    def __call__(self, says: str, part: int = 0, of: int = 0) -> None:
        parts = f" ({part} of {of})" if of > 1 else ""
        self._said = f"{says}{parts}"
        share = (part - 1) / of if of else None
        self._place.show(f"{self._said}, {self._seconds()}", share, is_last=False)

    def end(self, *, is_done: bool) -> None:
        """Say how long it took. is_done: False after an error."""
        if self._said:
            text = f"done in {self._seconds()}" if is_done else f"ended after {self._seconds()}: {self._said}"
            self._place.show(text, None, is_last=True)

    def _seconds(self) -> str:
        return f"{self._clock() - self._began_s:.1f} s"


@contextmanager
def shown_work(place: Shown | None = None, *, is_shown: bool = True) -> Iterator[Tell]:
    """A Tell that is shown, until the end of the block. place: None takes the cell or the console of this process."""
    place = place or _place()
    if place is None or not is_shown:
        yield untold
        return
    work, is_done = ShownWork(place), False
    try:
        yield work
        is_done = True
    finally:
        work.end(is_done=is_done)


def _place() -> Shown | None:
    ipython: Any = sys.modules.get("IPython")  # a kernel has loaded it
    shell = ipython.get_ipython() if ipython else None
    if hasattr(shell, "kernel"):
        return InCell(importlib.import_module("IPython.display").display)
    return OnConsole(sys.stderr) if sys.stderr.isatty() else None
