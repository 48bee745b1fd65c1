"""The endpoint and a bare FastAPI route to put beside it: Redis with the history, a model, the servers."""

from __future__ import annotations

import functools
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.demo.traffic.cards.transactions import Transactions
from deploy.embedded.ports import free_port
from deploy.embedded.processes.background_process import BackgroundProcess
from deploy.embedded.redis_server import RedisServer
from shared_features.feature_views import CARD_FRAUD
from tests.bench.filled_redis import fill_redis
from tests.bench.small_model import SERVED_TREES, publish_small_model

ROOT = Path(__file__).parents[2]
PREDICT = f"/v1/views/{CARD_FRAUD.name}:predict"
BARE = "/predict"
_NAMESPACE = "bench"
_READY = {PREDICT: "/health/ready", BARE: "/openapi.json"}
_UVICORN = ("--loop", "uvloop", "--http", "httptools", "--no-access-log")


class ServedPredictions(ExitStack):
    """What a server needs, and servers on free ports of loopback. All of it ends with the block."""

    def __init__(self, rows: Transactions) -> None:
        super().__init__()
        self._folder = Path(self.enter_context(TemporaryDirectory(prefix="millrace-bench-")))
        self._redis = self.enter_context(RedisServer(proper=not RedisServer.missing(proper=True)))
        fill_redis(self._redis.url, _NAMESPACE, CARD_FRAUD.groups, rows)
        publish_small_model(self._folder / "registry", CARD_FRAUD, rows, SERVED_TREES)

    def start(self, path: str, workers: int = 1) -> tuple[int, BackgroundProcess]:
        """A server that answers PREDICT, or BARE: its port, and its first process. It is ready."""
        port = free_port()
        child = self._endpoint(port, workers) if path == PREDICT else self._bare(port, workers)
        self.callback(child.stop)
        url = f"http://127.0.0.1:{port}{_READY[path]}"
        child.wait_until(functools.partial(_answers, url), what=path, within_s=90)
        return port, child

    def _endpoint(self, port: int, workers: int) -> BackgroundProcess:
        settings = {
            "REDIS_URL": self._redis.url,
            "MILLRACE_REDIS_NAMESPACE": _NAMESPACE,
            "MILLRACE_REGISTRY": str(self._folder / "registry"),
            "MILLRACE_SERVING_PORT": str(port),
            "MILLRACE_SERVING_WORKERS": str(workers),
            "MILLRACE_SERVING_DRAIN_S": "0",
        }
        return self._process([sys.executable, "-m", "serving"], f"serving{port}.log", settings)

    def _bare(self, port: int, workers: int) -> BackgroundProcess:
        ours = ("--port", str(port), "--workers", str(workers), *_UVICORN)
        return self._process(
            [sys.executable, "-m", "uvicorn", "tests.bench.bare_route:app", *ours], f"bare{port}.log", {}
        )

    def _process(self, command: list[str], log: str, settings: Mapping[str, str]) -> BackgroundProcess:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
        return BackgroundProcess(command, log=self._folder / log, cwd=ROOT, environment={**inherited, **settings})


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False
