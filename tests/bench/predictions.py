"""Predictions over HTTP beside a bare FastAPI route: one worker each, uvicorn with uvloop and httptools, 8 connections.

Rounds alternate, so that what else runs on the machine falls on both; figures are medians of the rounds.
"""

from __future__ import annotations

import functools
import os
import statistics
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from deploy.embedded.ports import free_port
from deploy.embedded.processes.background_process import BackgroundProcess
from deploy.embedded.redis_server import RedisServer
from shared_features.feature_views import CARD_FRAUD
from tests.bench.figures import Figure
from tests.bench.filled_redis import fill_redis
from tests.bench.http_load import CONNECTIONS, Load, client_name, load
from tests.bench.prediction_requests import prediction_requests
from tests.bench.processor_time import processor_seconds
from tests.bench.small_model import publish_small_model
from tests.bench.transactions import measured_transactions

ROOT = Path(__file__).parents[2]
PREDICT = f"/v1/views/{CARD_FRAUD.name}:predict"
BARE = "/predict"
_NAMESPACE = "bench"
_ROUNDS, _ROUND_S = 5, 4.0
_BODIES = 5_000
_UVICORN = ("--workers", "1", "--loop", "uvloop", "--http", "httptools", "--no-access-log")


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    bodies = prediction_requests(rows, _BODIES)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="millrace-bench-")))
        redis = stack.enter_context(RedisServer(proper=not RedisServer.missing(proper=True)))
        fill_redis(redis.url, _NAMESPACE, CARD_FRAUD.groups, rows)
        publish_small_model(folder / "registry", CARD_FRAUD, rows)
        ports = {PREDICT: free_port(), BARE: free_port()}
        children = {
            PREDICT: _serving(folder, redis.url, ports[PREDICT]),
            BARE: _bare(folder, ports[BARE]),
        }
        for child in children.values():
            stack.callback(child.stop)
        for path, health in ((PREDICT, "/health/ready"), (BARE, "/openapi.json")):
            url = f"http://127.0.0.1:{ports[path]}{health}"
            children[path].wait_until(functools.partial(_answers, url), what=path, within_s=90)
        return _figures(*_rounds(ports, {path: child.pid for path, child in children.items()}, bodies))


def _serving(folder: Path, redis_url: str, port: int) -> BackgroundProcess:
    settings = {
        "REDIS_URL": redis_url,
        "MILLRACE_REDIS_NAMESPACE": _NAMESPACE,
        "MILLRACE_REGISTRY": str(folder / "registry"),
        "MILLRACE_SERVING_PORT": str(port),
        "MILLRACE_SERVING_DRAIN_S": "0",
    }
    return _start([sys.executable, "-m", "serving"], folder / "serving.log", settings)


def _bare(folder: Path, port: int) -> BackgroundProcess:
    command = [sys.executable, "-m", "uvicorn", "tests.bench.bare_route:app", "--port", str(port), *_UVICORN]
    return _start(command, folder / "bare.log", {})


def _start(command: list[str], log: Path, settings: Mapping[str, str]) -> BackgroundProcess:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
    return BackgroundProcess(command, log=log, cwd=ROOT, environment={**inherited, **settings})


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


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
