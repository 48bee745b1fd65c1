"""Watching: a page that is drawn again and again, until somebody asks it to end."""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from streaming.job.stopping import stop_requested, wait
from streaming.operations.status.colours import UNKNOWN
from streaming.operations.status.table import instant_text

EVERY_S = 2.0


def watch_page(draw: Callable[[], tuple[int, RenderableType]], title: str, every_s: float = EVERY_S) -> None:
    """Until a request to stop. `draw` looks, and gives the instant of the look and the page. The last one stays."""
    console = Console(highlight=False)
    page: RenderableType = Text(f"{title}: looking ...")
    with Live(page, console=console, screen=True, auto_refresh=False) as live:
        while True:
            at_us, body = draw()
            head = Text.assemble((title, "bold"), f"  {instant_text(at_us)} UTC", ("  Ctrl-C ends", UNKNOWN))
            page = Group(head, body)
            live.update(page, refresh=True)
            if stop_requested() or wait(every_s):
                break
    console.print(page)


def is_drawn() -> bool:
    """Whether somebody sees the page: else plain lines are printed."""
    return sys.stdout.isatty()
