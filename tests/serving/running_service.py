"""The service as it runs, `python -m serving` in a process of its own, for tests that talk to it over a socket."""

from __future__ import annotations

import os
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.embedded.ports import free_port
from deploy.embedded.processes.background_process import BackgroundProcess
from deploy.embedded.redis_server import RedisServer
from tests.serving.conftest import INSTANCE, NOW_US
from tests.serving.stored_states import NAMESPACE

ROOT = Path(__file__).parents[2]
BODY = {"instances": [INSTANCE], "as_of": NOW_US, "include_features": True}


@contextmanager
def running(
    redis_server: RedisServer,
    registry: Path,
    log: Path,
    *options: str,
    open_files: int | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[tuple[httpx.Client, BackgroundProcess]]:
    """`python -m serving` for the domain of machines. open_files: as `ulimit -n` sets it. tls: for HTTPS."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
    environment |= {
        "PYTHONPATH": str(ROOT),
        "REDIS_URL": redis_server.url,
        "MILLRACE_DEFINITIONS": "tests.domains.machines",
        "MILLRACE_REDIS_NAMESPACE": NAMESPACE,
        "MILLRACE_REGISTRY": str(registry),
        "MILLRACE_SERVING_PORT": str(port),
        "MILLRACE_SERVING_DEADLINE_MS": "60000",
        "MILLRACE_SERVING_MAX_WAIT_MS": "60000",
        "MILLRACE_SERVING_DRAIN_S": "0",
    }
    limited = [] if open_files is None else ["prlimit", f"--nofile={open_files}:{open_files}"]
    command = [*limited, sys.executable, "-m", "serving", *options]
    child = BackgroundProcess(command, log=log, environment=environment)
    try:
        scheme, verify = ("http", True) if tls is None else ("https", tls)
        with httpx.Client(base_url=f"{scheme}://127.0.0.1:{port}", timeout=120.0, verify=verify) as client:
            child.wait_until(lambda: is_up(client), what="serving", within_s=120.0)
            yield client, child
    finally:
        child.stop()


def is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/health/live").status_code == 200
    except httpx.TransportError:
        return False


def predict(client: httpx.Client) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    response = client.post("/v1/views/breakdown:predict", json=BODY)
    return response, time.monotonic() - began
