"""`python -m streaming status`: prints the status, once or repeatedly, for people or for machines."""

from __future__ import annotations

import json
import sys

from streaming.errors import EXIT_OK
from streaming.job.stopping import install, stop_requested, wait
from streaming.operations.status.answer import status_json
from streaming.operations.status.observer import StatusObserver
from streaming.operations.status.table import status_table
from streaming.settings import StreamingSettings


def show_status(settings: StreamingSettings, *, as_json: bool, watch: bool) -> int:
    """Print the status, once or repeatedly. The exit code is 0 even if parts are unavailable: the status names them."""
    observer = StatusObserver(settings)
    if watch:
        install()
        _watch(observer, as_json=as_json)
    else:
        _print(observer, as_json=as_json)
    return EXIT_OK


def _print(observer: StatusObserver, *, as_json: bool) -> None:
    status = observer.observe()
    sys.stdout.write((json.dumps(status_json(status)) if as_json else status_table(status, _screen_width())) + "\n")
    sys.stdout.flush()


def _screen_width() -> int | None:
    """None where the output goes to a file or a pipe."""
    if not sys.stdout.isatty():
        return None
    from rich.console import Console  # only here: see below

    return Console().width


def _watch(observer: StatusObserver, *, as_json: bool) -> None:
    """A page where somebody sees it; else a JSON line, or a table, every time."""
    from streaming.operations.status.watch import EVERY_S, is_drawn, watch_page  # only here: it loads what draws

    if is_drawn() and not as_json:
        from streaming.operations.status.page import StatusPages

        watch_page(StatusPages(observer.observe).next, "streaming")
        return
    while True:
        _print(observer, as_json=as_json)
        if stop_requested() or wait(EVERY_S):
            return
