"""The page shows the runs that there are, with a button for what can be done with each, and runs no text of theirs."""

from __future__ import annotations

from tests.training.service.conftest import Service
from training.errors import StepFailedError


def test_the_page_shows_runs_steps_and_schedules(service: Service) -> None:
    service.client.put("/v1/schedules/nightly", json={"cron": "0 3 * * *", "parameters": {"top": 5}})
    service.played.errors["validate"] = StepFailedError("one class <script>alert(1)</script>")
    run_id = service.client.post("/v1/runs", json={"template": "retrain", "parameters": {"top": 7}}).json()["id"]
    service.wait_for(lambda: service.runs.status(run_id) == "failed")
    service.played.errors.clear()
    page = service.client.get("/")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert f'<a href="/runs/{run_id}">{run_id}</a></div><td data-label="status">' in page.text
    assert '<span class="state failed">failed</span>' in page.text
    assert "top 7" in page.text
    assert 'data-path="/v1/schedules/nightly/pause"' in page.text
    one = service.client.get(f"/runs/{run_id}").text
    assert "one class &lt;script&gt;" in one
    assert "<script>alert" not in one
    assert 'dataset <span class="state done">done</span>' in one
    assert 'aria-label="Steps: dataset done, validate failed, leaks waiting, fit waiting' in one
    assert service.client.get("/compare?run=x").status_code == 422
    assert service.client.get("/models/none/1").status_code == 404
    assert service.client.get("/runs/none").status_code == 404
    assert service.client.get("/page/page.js").headers["content-type"].startswith("text/javascript")
    assert service.client.get("/page/app.py").status_code == 404
    service.client.delete("/v1/schedules/nightly")
