"""Two processes of the endpoint beside one, with eight connections for each process.

On two cores the client and Redis take what the second process would need. So each process is held to a share of a core,
which leaves room for them. What the operating system does not allow to hold is measured without.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack

from tests.bench.core_share import CoreShare
from tests.bench.figures import Figure
from tests.bench.http_load import CONNECTIONS, load
from tests.bench.processor_time import processor_seconds, worker_processes
from tests.bench.served_predictions import PREDICT, ServedPredictions

_SHARE = 0.35
_ROUND_S, _ROUNDS = 4.0, 5


def two_processes(served: ServedPredictions, bodies: Sequence[bytes]) -> list[Figure]:
    """Requests/s of two processes and processor microseconds of a request, each beside those of one process."""
    with ExitStack() as stack:
        servers = {}
        for workers in (1, 2):
            port, child = served.start(PREDICT, workers=workers)
            servers[workers] = port, ([child.pid] if workers == 1 else worker_processes(child.pid))
            load(port, PREDICT, bodies, 1.0, CONNECTIONS * workers)
        held = not CoreShare.missing()
        for _, processes in servers.values():
            for each in processes if held else ():
                stack.enter_context(CoreShare(_SHARE)).hold(each)
        rates: dict[int, list[float]] = {workers: [] for workers in servers}
        used_s = dict.fromkeys(servers, 0.0)
        for _ in range(_ROUNDS):
            for workers, (port, processes) in servers.items():
                before_s = sum(map(processor_seconds, processes))
                rates[workers].append(load(port, PREDICT, bodies, _ROUND_S, CONNECTIONS * workers).rate)
                used_s[workers] += sum(map(processor_seconds, processes)) - before_s
    one, two = (float(statistics.median(rates[workers])) for workers in (1, 2))
    us_of_one, us_of_two = (used_s[workers] / sum(rates[workers]) / _ROUND_S * 1e6 for workers in (1, 2))
    against = f"one process; each has {_SHARE:.0%} of a core" if held else f"one process; {CoreShare.missing()}"
    return [
        Figure("two processes", two, "requests/s", one, against),
        Figure("two processes, processor time", us_of_two, "us/request", us_of_one, "one process"),
    ]
