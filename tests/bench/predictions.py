"""Predictions over HTTP beside a bare FastAPI route: one worker each, uvicorn with uvloop and httptools, 8 connections.

Rounds alternate, so that what else runs on the machine falls on both; figures are medians of the rounds.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.http_load import CONNECTIONS, Load, client_name, load
from tests.bench.prediction_requests import prediction_requests
from tests.bench.processor_time import processor_seconds
from tests.bench.served_predictions import BARE, PREDICT, ServedPredictions
from tests.bench.transactions import measured_transactions

_ROUNDS, _ROUND_S = 5, 4.0
_BODIES = 5_000


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    bodies = prediction_requests(rows, _BODIES)
    with ServedPredictions(rows) as served:
        servers = {path: served.start(path) for path in (PREDICT, BARE)}
        ports = {path: port for path, (port, _) in servers.items()}
        return _figures(*_rounds(ports, {path: child.pid for path, (_, child) in servers.items()}, bodies))


def _rounds(
    ports: Mapping[str, int], processes: Mapping[str, int], bodies: Sequence[bytes]
) -> tuple[dict[str, list[Load]], dict[str, float]]:
    """Per path the rounds, and the processor microseconds of its server per request."""
    for path, port in ports.items():
        load(port, path, bodies, 1.0)
    rounds: dict[str, list[Load]] = {path: [] for path in ports}
    used_s = dict.fromkeys(ports, 0.0)
    for _ in range(_ROUNDS):
        for path, port in ports.items():
            before_s = processor_seconds(processes[path])
            rounds[path].append(load(port, path, bodies, _ROUND_S))
            used_s[path] += processor_seconds(processes[path]) - before_s
    answered = {path: sum(each.rate * _ROUND_S for each in some) for path, some in rounds.items()}
    return rounds, {path: used_s[path] / answered[path] * 1e6 for path in ports}


def _figures(rounds: Mapping[str, list[Load]], used_us: Mapping[str, float]) -> list[Figure]:
    def median(path: str, name: str) -> float:
        return float(statistics.median(getattr(each, name) for each in rounds[path]))

    against = f"bare FastAPI route, {client_name()}, {CONNECTIONS} connections"
    return [
        Figure("predictions", median(PREDICT, "rate"), "requests/s", median(BARE, "rate"), against),
        Figure("predictions, p50", median(PREDICT, "p50_ms"), "ms", median(BARE, "p50_ms"), against),
        Figure("predictions, p99", median(PREDICT, "p99_ms"), "ms", median(BARE, "p99_ms"), against),
        Figure("predictions, server's processor time", used_us[PREDICT], "us/request", used_us[BARE], against),
    ]
