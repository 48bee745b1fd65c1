"""The metrics tell of runs, queues and ticks as they stand, without a look into the database."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.training.service.conftest import Service
from training.scheduler.database import database_url
from training.scheduler.worker_files import Worker, living
from training.scheduler.workflow.queued_steps import QueuedSteps
from training.settings import load_settings

PATIENCE_S = 240.0


def value(service: Service, name: str) -> float | None:
    """Of one sample."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", service.client.get("/metrics").text, re.MULTILINE)
    return None if found is None else float(found[1])


def test_runs_that_wait_and_are_done_are_counted_with_the_age_of_the_oldest(service: Service) -> None:
    assert value(service, 'training_oldest_active_run_seconds{status="running"}') == 0
    service.played.held["fit"] = Event()
    runs = [service.client.post("/v1/runs", json={"template": "retrain"}).json()["id"] for _ in range(3)]
    service.wait_for(lambda: value(service, 'training_runs{status="running"}') == 1)
    assert value(service, 'training_runs{status="queued"}') == 2
    for status in ("queued", "running"):
        service.wait_for(lambda: (value(service, f'training_oldest_active_run_seconds{{status="{status}"}}') or 0) > 0)  # noqa: B023  # called within the loop
    service.played.held.pop("fit").set()
    service.wait_for(lambda: {service.runs.status(each) for each in runs} == {"succeeded"})
    assert value(service, 'training_runs{status="queued"}') == value(service, 'training_runs{status="running"}') == 0
    assert value(service, 'training_runs{status="succeeded"}') == 3
    assert value(service, 'training_oldest_active_run_seconds{status="queued"}') == 0


def test_a_queue_tells_its_steps_the_age_of_the_oldest_and_its_workers(service: Service) -> None:
    settings, given_up = load_settings(), Event()

    def look() -> None:
        if given_up.is_set():
            raise RuntimeError("enough")

    queued = QueuedSteps(database_url(settings), settings.training_runs, patient=True, look_s=0.05)
    wanted = {"queue": "gpu", "code": "c1", "waits_at_most_seconds": 60}
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(queued.perform, "one", {"run": "/a/b", "step": "embed"}, wanted, 60.0, look)
        service.wait_for(lambda: value(service, 'training_queue_steps{queue="gpu",state="waiting"}') == 1)
        assert value(service, 'training_queue_steps{queue="gpu",state="running"}') == 0
        assert value(service, 'training_queue_workers{queue="gpu"}') == 0
        service.wait_for(lambda: (value(service, 'training_queue_oldest_step_seconds{queue="gpu"}') or 0) > 0)
        with living(settings.training_runs, Worker("host-1", ("gpu", "cpu"), "c1")):
            assert value(service, 'training_queue_workers{queue="gpu"}') == 1
            assert value(service, 'training_queue_steps{queue="cpu",state="waiting"}') == 0
        given_up.set()
        with pytest.raises(RuntimeError, match="enough"):
            asked.result(60)
    queued.close()
    assert value(service, 'training_queue_steps{queue="gpu",state="waiting"}') is None


def test_each_outcome_of_a_tick_is_told_with_its_instant_and_shown_with_its_reason(service: Service) -> None:
    """A tick that could not count the labels started no run, and only the log said so."""
    often = {"cron": "*/5 * * * * *"}
    for name, schedule in (("often", often), ("labels", {**often, "new_labels": 1})):
        assert service.client.put(f"/v1/schedules/{name}", json=schedule).status_code == 200

    def said() -> dict[str, str]:
        return {each["name"]: each["said"] for each in service.client.get("/v1/schedules").json()}

    service.wait_for(lambda: said()["often"].startswith("started run often-"), PATIENCE_S)
    service.wait_for(lambda: said()["labels"].startswith("failed"), PATIENCE_S)
    assert "events_" in said()["labels"], "there is no lake, whose table it names"
    for name in ("often", "labels"):
        assert service.client.post(f"/v1/schedules/{name}/pause").status_code == 200
    last = "training_schedule_last_tick_timestamp_seconds"
    assert value(service, f'{last}{{outcome="started",schedule="often"}}')
    assert value(service, f'{last}{{outcome="failed",schedule="labels"}}')
    assert value(service, f'{last}{{outcome="failed",schedule="often"}}') is None
    assert said()["labels"].partition(",")[0] in service.client.get("/").text.replace("&#x27;", "'")
    service.wait_for(lambda: any(each["kind"] == "schedule_missed" for each in service.listener.got))
    (told, *_) = [each["text"] for each in service.listener.got if each["kind"] == "schedule_missed"]
    assert told.startswith("Schedule labels missed its tick of ")
    reasons = {each["reason"] for each in service.client.get("/v1/runs").json()}
    assert reasons == {"", "schedule often"}
    for name in ("often", "labels"):
        service.client.delete(f"/v1/schedules/{name}")
