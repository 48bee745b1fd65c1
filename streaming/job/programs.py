"""The programs of the stream job, and the processes that each program consists of, for the supervisor."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from streaming.job.supervisor import Command, Part

PROGRAMS = {
    "online": "streaming.online.dataflow",
    "archive": "streaming.archive.dataflow",
    "materialize": "streaming.materialize.dataflow",
    "bootstrap": "streaming.bootstrap.process",
    "scores": "streaming.scores.dataflow",
}
"""The programs that run side by side: the dataflows, and the one that builds the shards that they cannot continue from.
Each name leads to the module whose `run(settings)` runs the program."""


def programs_of(*, scores: bool) -> tuple[str, ...]:
    """Those that a job runs. scores: whether it scores events."""
    return tuple(name for name in PROGRAMS if scores or name != "scores")


def dataflow_parts(names: Sequence[str], *, workers: int = 1, metrics_port: int | None = None) -> list[Part]:
    """A part per program, in processes of `python -m streaming run --only NAME`.

    `workers`: processes of the first one, as one Bytewax cluster on loopback. `metrics_port`: of the first process;
    the others follow it, one each.
    """
    parts = []
    port = metrics_port
    for index, name in enumerate(names):
        count = workers if index == 0 else 1
        parts.append(_part(name, count, port))
        port = port + count if port else port  # 0 is "any free one" and stays so
    return parts


def _part(name: str, count: int, metrics_port: int | None) -> Part:
    return Part(name, lambda: list(_commands(name, count, metrics_port)))


def _commands(name: str, count: int, metrics_port: int | None) -> Iterator[Command]:
    # New addresses at each start: the earlier ones may be in use.
    addresses = json.dumps(_free_addresses(count)) if count > 1 else None
    for worker in range(count):
        environment = {}
        if addresses is not None:
            environment = {"MILLRACE_WORKERS": addresses, "MILLRACE_WORKER": str(worker)}
        if metrics_port:
            environment["MILLRACE_METRICS_PORT"] = str(metrics_port + worker)
        yield (sys.executable, "-m", "streaming", "run", "--only", name), environment


def _free_addresses(count: int) -> list[str]:
    with ExitStack() as held:  # held together, so that they differ
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
