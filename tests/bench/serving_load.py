"""The endpoint under other loads than eight connections with one instance each: batches, two processes, a long run.

Each figure stands beside one of the same run. Latency below saturation is measured with requests that leave on time,
whatever became of those before: a client that waits for its answer would hide a stall.
"""

from __future__ import annotations

import time
from pathlib import Path

from shared_features.feature_views import CARD_FRAUD
from tests.bench.figures import Figure
from tests.bench.http_load import load
from tests.bench.paced_load import paced_load
from tests.bench.prediction_requests import prediction_requests
from tests.bench.served_predictions import BARE, PREDICT, ServedPredictions
from tests.bench.transactions import measured_transactions
from tests.bench.two_processes import two_processes

_BATCH = 100
_ROUND_S, _ROUNDS = 6.0, 3
_LONG_S = 60.0
_MANY = 400
"""Connections under overload: enough that nobody waits for one."""


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    bodies = prediction_requests(rows, 5_000)
    with ServedPredictions(rows) as served:
        bare, _ = served.start(BARE)
        began_s = time.perf_counter()
        one, child = served.start(PREDICT)
        started_s = time.perf_counter() - began_s
        ports = {PREDICT: one, BARE: bare}
        for path, port in ports.items():
            load(port, path, bodies, 1.0)
        alone = max(load(one, PREDICT, bodies, _ROUND_S).rate for _ in range(_ROUNDS))
        bare_alone = max(load(bare, BARE, bodies, _ROUND_S).rate for _ in range(_ROUNDS))
        batches = prediction_requests(rows, 500, instances=_BATCH)
        in_batches = max(load(one, PREDICT, batches, _ROUND_S).rate for _ in range(_ROUNDS)) * _BATCH
        half = alone / 2
        p99_ms, p999_ms, _ = paced_load(one, PREDICT, bodies, half, _ROUND_S * _ROUNDS)
        bare_p99_ms, bare_p999_ms, _ = paced_load(bare, BARE, bodies, half, _ROUND_S * _ROUNDS)
        at_most = in_batches / _BATCH
        saturated = paced_load(one, PREDICT, batches, at_most, _ROUND_S, _MANY)
        overloaded = paced_load(one, PREDICT, batches, 3 * at_most, _ROUND_S, _MANY)
        first_kib = _resident_kib(child.pid)
        asked = load(one, PREDICT, bodies, _LONG_S).rate * _LONG_S
        grown_kib = _resident_kib(child.pid) - first_kib
        of_two = two_processes(served, bodies)
    groups, functions = len(CARD_FRAUD.groups), len(CARD_FRAUD.columns)
    half_text = f"bare route at the same {half:,.0f} requests/s"
    return [
        Figure(f"start until it is ready ({groups} groups, {functions} features)", started_s, "s"),
        Figure("one process, one instance each", alone, "requests/s", bare_alone, "bare FastAPI route"),
        Figure(f"one process, {_BATCH} instances each", in_batches, "rows/s", alone, "rows/s of one instance each"),
        *of_two,
        Figure("half of saturation, p99", p99_ms, "ms", bare_p99_ms, half_text),
        Figure("half of saturation, p99.9", p999_ms, "ms", bare_p999_ms, half_text),
        Figure(
            f"three times too many batches, p99 of the accepted ({overloaded.refused:.0%} are refused)",
            overloaded.p99_ms,
            "ms",
            saturated.p99_ms,
            f"as many as can be answered ({saturated.refused:.0%} are refused)",
        ),
        Figure(f"growth in {asked:,.0f} requests", grown_kib, "KiB", first_kib, "resident before"),
    ]


def _resident_kib(process_id: int) -> float:
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1])
    raise RuntimeError(f"process {process_id} has ended")
