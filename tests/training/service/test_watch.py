"""News reach a real HTTP server once, after its errors too; the metrics count the runs that it was about."""

from __future__ import annotations

import time

from tests.training.service.conftest import Service
from training.errors import StepFailedError

PATIENCE_S = 240.0


def test_a_webhook_that_fails_first_gets_each_news_once(service: Service) -> None:
    service.listener.refusals = 2
    service.played.errors["fit"] = StepFailedError("the windows hold one class")
    failed = service.client.post("/v1/runs", json={"template": "retrain"}).json()["id"]
    service.wait_for(lambda: service.runs.status(failed) == "failed")
    service.played.errors.clear()
    service.played.summary = {"model": "m", "version": 2, "promoted": False, "reasons": ["worse"], "metrics": {}}
    refused = service.client.post("/v1/runs", json={"template": "retrain"}).json()["id"]
    service.wait_for(lambda: len(service.listener.got) >= 2)
    time.sleep(0.5)  # the watch looks every 0.2 s
    got = sorted((each["kind"], each["run"], each["text"]) for each in service.listener.got)
    assert [each[:2] for each in got] == [("gate_refused", refused), ("run_failed", failed)]
    assert "the windows hold one class" in got[1][2]
    assert service.listener.refused == 2
    metrics = service.client.get("/metrics").text
    assert 'training_runs{status="failed"} 1.0' in metrics
    assert 'training_runs{status="succeeded"} 1.0' in metrics
    assert 'training_run_end_timestamp_seconds{status="failed"}' in metrics
