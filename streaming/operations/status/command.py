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

_WATCH_EVERY_S = 2.0


def show_status(settings: StreamingSettings, *, as_json: bool, watch: bool) -> int:
    """Print the status, once or repeatedly. The exit code is 0 even if parts are unavailable: the status names them."""
    observer = StatusObserver(settings)
    if watch:
        install()
    while True:
        status = observer.observe()
        if as_json:
            text = json.dumps(status_json(status))
        else:
            text = ("\x1b[2J\x1b[H" if watch and sys.stdout.isatty() else "") + status_table(status)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        if not watch or stop_requested() or wait(_WATCH_EVERY_S):
            return EXIT_OK
