"""A request that the service cannot carry out now is answered by what to do, and harmless to send again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.ports import free_port
from tests.full_disk import files_end_at
from training.log import configure_log
from training.scheduler.runs.runs import Runs
from training.service.app import create_app
from training.service.web_server import serving_http
from training.settings import load_settings


def test_a_start_on_a_full_disk_is_refused_and_sent_again_it_is_one_run(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_RUNS_PORT", str(free_port()))
    settings, asked = load_settings(), {"json": {"template": "retrain"}, "headers": {"Idempotency-Key": "monday"}}
    configure_log(settings)
    with (
        Runs(settings) as runs,
        serving_http(settings, lambda keys: create_app(settings, runs, keys)) as address,
        httpx.Client(base_url=str(address), timeout=30.0, trust_env=False) as client,
    ):

        def start() -> Any:
            return client.post("/v1/runs", **asked)  # type: ignore[arg-type]

        with files_end_at(0):
            refused, listed = start(), client.get("/v1/runs")
        assert (refused.status_code, refused.json()["type"]) == (503, "/docs#unusable"), refused.text
        assert "Send the request again" in refused.json()["detail"]
        assert (listed.status_code, listed.json()) == (200, []), "what is stored can be read"
        assert start().status_code == start().status_code == 202
        assert len(runs.newest()) == 1
