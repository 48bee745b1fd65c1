"""A process that does the steps of a run on request. The process that asks can end it at any time.

A request is a line of JSON on standard input, its answer a line of JSON on standard output. When standard input ends,
because the process that asks is gone, this one ends in the middle of whatever it does, even of loading its libraries.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Mapping
from typing import Any

_ENDED = 0


def main() -> int:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not look like an answer
    requests: queue.Queue[Mapping[str, Any]] = queue.Queue()
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    # Loaded only now, because that takes seconds.
    from training.log import configure_log
    from training.runs.step_requests import answer
    from training.settings import load_settings

    settings = load_settings()
    configure_log(settings)
    while True:
        print(json.dumps(answer(settings, requests.get())), file=answers)


def _read_requests(requests: queue.Queue[Mapping[str, Any]]) -> None:
    for line in sys.stdin:
        requests.put(json.loads(line))
    os._exit(_ENDED)


if __name__ == "__main__":
    sys.exit(main())
