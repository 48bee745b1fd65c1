"""The process that calls one plain function within limits: its request is a line on standard input.

It ends when standard input ends, because the process that asked is gone, with all that the function started.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import signal
import sys
import threading
from typing import Any

_MB = 2**20


def main() -> int:
    """Answer one request by a line of JSON on standard output."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the function prints must not look like an answer
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_asker, daemon=True).start()
    sys.path[:] = request["path"]
    if request["memory_mb"] is not None:
        limit = request["memory_mb"] * _MB
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    print(json.dumps(_answer(bytes.fromhex(request["call"]))), file=answers, flush=True)
    return 0


def _answer(call: bytes) -> dict[str, Any]:
    # Imported here: what they take counts as the function's, too.
    from training.errors import StepError
    from training.steps.plain_call import call_plain
    from training.steps.transient import is_transient

    try:
        return {"line": call_plain(*pickle.loads(call))}
    except StepError as error:
        memory = isinstance(error.__cause__, MemoryError)
        return {"error": str(error), "transient": is_transient(error), "memory": memory}


def _end_with_asker() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(0, signal.SIGKILL)  # its group is its own


if __name__ == "__main__":
    sys.exit(main())
