"""What the kernel tells of a server's connections, so that no test guesses how soon the server reads."""

from __future__ import annotations

import time
from pathlib import Path

_ESTABLISHED, _CLOSE_WAIT = "01", "08"


def until_all_is_read(port: int | None) -> None:
    """Return when the server has read what its clients sent, and has noticed who has left.

    Twice in a row: what was read a moment ago has then been looked at. On a system that does not tell: in a second.
    """
    if not Path("/proc/net/tcp").exists():
        time.sleep(1.0)
        return
    deadline_s, quiet = time.monotonic() + 60, 0
    while quiet < 2:
        assert time.monotonic() < deadline_s, f"the server of port {port} does not read"
        quiet = 0 if _unread(port or 0) else quiet + 1
        time.sleep(0.2)


def _unread(port: int) -> bool:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, queues, *_ = line.split()
        if int(local.partition(":")[2], 16) != port:
            continue
        if state == _CLOSE_WAIT or (state == _ESTABLISHED and int(queues.partition(":")[2], 16)):
            return True
    return False
