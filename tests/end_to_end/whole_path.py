"""The rest of the path after the stream: training, publishing, and an endpoint that answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from deploy.embedded.ports import free_port
from deploy.embedded.processes.background_process import BackgroundProcess
from tests.end_to_end.job import ROOT


def train(environment: Mapping[str, str], *options: str, models: str = "logistic_regression") -> str:
    """Training, publishing and promoting, with the windows that `options` choose. Returns what it printed."""
    command = [sys.executable, "-m", "training", "run", "--models", models, *options]
    done = subprocess.run(command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is champion" in done.stdout
    return done.stdout


@contextmanager
def endpoint(environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """The address of `python -m serving`, which is ready."""
    port = free_port()
    settings = {**environment, "MILLRACE_SERVING_PORT": str(port), "MILLRACE_SERVING_DRAIN_S": "0"}
    serving = BackgroundProcess([sys.executable, "-m", "serving"], log=log, cwd=ROOT, environment=settings)
    url = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        try:
            return httpx.get(f"{url}/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    try:
        serving.wait_until(is_ready, what="the endpoint", within_s=240)
        yield url
    finally:
        serving.stop()


def predict(url: str, view: str, body: Mapping[str, Any]) -> Any:
    """What the endpoint answers for a view."""
    answered = httpx.post(f"{url}/v1/views/{view}:predict", json=body)
    assert answered.status_code == 200, answered.text
    return answered.json()
