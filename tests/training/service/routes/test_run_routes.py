"""Runs by REST: started once per key, shown with live steps, cancelled, resumed, forked; refusals name the field."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from typing import Any

import pytest

from tests.docs.pages import pages
from tests.training.service.conftest import Service
from training.errors import StepFailedError
from training.runs.plan.step_names import STEP_NAMES

PATIENCE_S = 240.0
FIT = STEP_NAMES.index("fit")


def started(service: Service, parameters: dict[str, Any], key: str) -> str:
    answer = service.client.post(
        "/v1/runs", json={"template": "retrain", "parameters": parameters}, headers={"Idempotency-Key": key}
    )
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/runs/{answer.json()['id']}"
    return str(answer.json()["id"])


def reached(service: Service, run_id: str, until: Any) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        run: dict[str, Any] = service.client.get(f"/v1/runs/{run_id}").json()
        if until(run):
            return run
        assert time.monotonic() < deadline, run
        time.sleep(0.05)


def ended(service: Service, run_id: str) -> dict[str, Any]:
    return reached(service, run_id, lambda run: run["status"] in ("succeeded", "failed", "cancelled"))


def states(run: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["state"] for step in run["steps"]}


def test_two_requests_with_one_key_are_one_run_and_another_body_is_refused(service: Service) -> None:
    run_id = started(service, {"top": 5}, "monday")
    assert started(service, {"top": 5}, "monday") == run_id
    other = service.client.post("/v1/runs", json={"template": "retrain"}, headers={"Idempotency-Key": "monday"})
    assert other.status_code == 409
    assert "with other parameters. Use a new key." in other.json()["detail"]
    service.played.summary = {"metrics": {"average_precision": 0.5}, "cut_us": 7}
    run = ended(service, run_id)
    assert run["status"] == "succeeded"
    assert run["seconds"] >= 0
    assert [step["name"] for step in run["steps"]] == list(STEP_NAMES)
    assert run["steps"][FIT] == {
        "name": "fit",
        "state": "done",
        "reason": "no earlier run has it",
        "seconds": 0.5,
        "line": "fit said so",
    }
    (listed,) = [each for each in service.client.get("/v1/runs").json() if each["id"] == run_id]
    assert listed["parameters"] == {"top": 5}
    assert "steps" not in listed


def test_a_run_of_a_pipeline_has_its_steps_in_answers_logs_graph_and_forks(service: Service) -> None:
    service.played.plan = {"dataset": [], "check": ["dataset"], "mail": ["check"]}
    parameters = {"pipeline": "nightly", "steps": {"check": {"least": 5}}}
    run = ended(service, started(service, parameters, "of a pipeline"))
    assert states(run) == {"dataset": "done", "check": "done", "mail": "done"}
    (begun,) = [each for each in service.played.asked if each["do"] == "begin" and each["parameters"] == parameters]
    assert begun["template"] == "retrain"
    assert service.client.get(f"/v1/runs/{run['id']}/logs/check").status_code == 200
    unknown = service.client.get(f"/v1/runs/{run['id']}/logs/fit")
    assert (unknown.status_code, "There are: dataset, check, mail." in unknown.json()["detail"]) == (404, True)
    page = service.client.get(f"/runs/{run['id']}").text
    assert "Steps: dataset done, check done, mail done" in page
    assert page.count('class="edge"') == 2
    forked = service.client.post(f"/v1/runs/{run['id']}/fork", json={"step": "check", "parameters": {}})
    assert forked.status_code == 202
    assert states(ended(service, forked.json()["id"])) == states(run)
    wrong = service.client.post(f"/v1/runs/{run['id']}/fork", json={"step": "fit", "parameters": {}})
    assert "There is no step 'fit'. There are: dataset, check, mail." in wrong.json()["detail"]
    wrong = service.client.post("/v1/runs", json={"template": "retrain", "parameters": {"steps": {"check": 5}}})
    assert wrong.json()["path"].startswith("$.parameters.steps")


def test_a_run_is_watched_while_it_goes_cancelled_and_resumed(service: Service) -> None:
    service.played.held["fit"] = threading.Event()
    run_id = started(service, {}, "watched")
    run = reached(service, run_id, lambda run: states(run)["fit"] == "running")
    assert run["status"] == "running"
    assert list(states(run).values()) == [*["done"] * FIT, "running", *["waiting"] * (len(STEP_NAMES) - FIT - 1)]
    assert run["steps"][FIT]["seconds"] >= 0
    early = service.client.post(f"/v1/runs/{run_id}/resume")
    assert (early.status_code, early.json()["type"]) == (409, "/docs#conflict")
    assert service.client.post(f"/v1/runs/{run_id}/cancel").status_code == 202
    run = reached(service, run_id, lambda run: run["status"] == "cancelled")
    assert states(run)["fit"] == "cancelled"
    service.played.held.pop("fit").set()
    assert service.client.post(f"/v1/runs/{run_id}/resume").status_code == 202
    assert ended(service, run_id)["status"] == "succeeded"
    assert service.client.post(f"/v1/runs/{run_id}/cancel").status_code == 409


def test_the_hook_of_a_monitor_starts_one_run_and_tells_why(service: Service) -> None:
    (page,) = [each for each in pages() if each.name == "docs/retraining.md"]
    shell, *_ = [each for each in page.blocks() if each.text.endswith("routes/test_run_routes.py")]
    service.played.held["dataset"] = threading.Event()
    first = started(service, {"top": 7}, "is being done")
    reached(service, first, lambda run: run["status"] == "running")
    code = shell.code.replace("127.0.0.1:8088", service.client.base_url.netloc.decode())
    answers = [
        json.loads(subprocess.run(["bash", "-euo", "pipefail", "-c", each], check=True, capture_output=True).stdout)
        for each in (code, code.replace("drift-2026-11-29", "drift-2026-11-30"))
    ]
    drifted = answers[0]["id"]
    assert [each["id"] for each in answers] == [drifted] * 2
    assert drifted != first
    service.played.held.pop("dataset").set()
    assert ended(service, drifted)["reason"] == "amount_mean_7d drifted: PSI 0.31"
    assert "amount_mean_7d drifted: PSI 0.31" in service.client.get(f"/runs/{drifted}").text
    long = service.client.post("/v1/runs", json={"template": "retrain", "reason": "x" * 501})
    assert (long.status_code, long.json()["path"]) == (422, "$.reason")


def test_the_lines_of_the_page_score_rows_once_and_beside_a_retraining(service: Service) -> None:
    (page,) = [each for each in pages() if each.name == "docs/retraining.md"]
    found = [each for each in page.blocks() if each.text.endswith("routes/test_run_routes.py")]
    _, shell, python = (each.code.replace("127.0.0.1:8088", service.client.base_url.netloc.decode()) for each in found)
    scored = {"model": "order_return", "version": 3, "output": "predicted.parquet", "rows": 400}
    service.played.summary = {"scored": scored}
    service.played.held["fit"] = threading.Event()
    retraining = started(service, {"top": 11}, "beside a scoring")
    reached(service, retraining, lambda run: states(run)["fit"] == "running")
    names: dict[str, Any] = {}
    exec(python, names)
    said = subprocess.run(["bash", "-euo", "pipefail", "-c", shell], check=True, capture_output=True).stdout
    assert json.loads(said)["id"] == names["run"]["id"], "one key is one run"
    run = ended(service, names["run"]["id"])
    assert (run["status"], run["template"], states(run)) == ("succeeded", "batch-score", {"score": "done"})
    assert run["summary"]["scored"] == scored
    assert service.client.get(f"/v1/runs/{run['id']}/logs/score").status_code == 200
    assert "order_return 3</a>: 400 rows in predicted.parquet" in service.client.get(f"/runs/{run['id']}").text
    assert service.client.get(f"/v1/runs/{retraining}").json()["status"] == "running"
    service.played.held.pop("fit").set()
    ended(service, retraining)
    service.played.held["score"] = threading.Event()
    again = service.client.post("/v1/runs", json={"template": "batch-score", "parameters": run["parameters"]}).json()
    reached(service, again["id"], lambda run: states(run) == {"score": "running"})
    assert service.client.post(f"/v1/runs/{again['id']}/cancel").status_code == 202
    assert ended(service, again["id"])["status"] == "cancelled"
    service.played.held.pop("score").set()
    service.played.summary = {}
    body = service.client.get("/openapi.json").json()["components"]["schemas"]["StartBody"]["properties"]["parameters"]
    assert [each["required"] for each in body["anyOf"]] == [[], ["model", "output"]]


def test_a_failed_step_says_why(service: Service) -> None:
    service.played.errors["validate"] = StepFailedError("the windows hold one class")
    run = ended(service, started(service, {}, "fails"))
    service.played.errors.clear()
    assert run["status"] == "failed"
    assert "the windows hold one class" in run["error"]
    assert run["steps"][1]["state"] == "failed"
    assert "the windows hold one class" in run["steps"][1]["reason"]
    assert set(list(states(run).values())[2:]) == {"waiting"}
    assert run["gate"] is None


def test_a_failed_run_is_resumed_once_on_its_data_and_tells_of_a_refused_gate(service: Service) -> None:
    service.played.errors["fit"] = StepFailedError("no memory")
    failed = ended(service, started(service, {"top": 9}, "fails to fit"))
    service.played.errors.clear()
    service.played.summary = {"model": "m", "version": 2, "promoted": False, "reasons": ["0.1 is below 0.2"]}
    service.played.asked.clear()
    answer = service.client.post(f"/v1/runs/{failed['id']}/resume")
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/runs/{failed['id']}-resumed"
    assert service.client.post(f"/v1/runs/{failed['id']}/resume").json()["id"] == answer.json()["id"]
    run = ended(service, answer.json()["id"])
    assert (run["status"], run["forked_from"], run["parameters"]) == ("succeeded", failed["id"], {"top": 9})
    (begun,) = [each for each in service.played.asked if each["do"] == "begin"]
    assert begun["fork"]["step"] == "fit"
    assert (run["gate"], run["summary"]["reasons"]) == ("refused", ["0.1 is below 0.2"])


def test_a_fork_reads_the_data_of_its_origin_and_changes_later_parameters_only(service: Service) -> None:
    origin = started(service, {"train_days": 6}, "origin")
    ended(service, origin)
    body = {"step": "fit", "parameters": {"models": ["random_forest"]}}
    answer = service.client.post(f"/v1/runs/{origin}/fork", json=body, headers={"Idempotency-Key": "fork"})
    assert answer.status_code == 202, answer.text
    run = ended(service, answer.json()["id"])
    assert (run["status"], run["forked_from"]) == ("succeeded", origin)
    assert run["parameters"] == {"train_days": 6, "models": ["random_forest"]}
    (begun,) = [each for each in service.played.asked if each.get("fork", {}).get("run") == origin]
    assert begun["fork"]["step"] == "fit"
    body["parameters"] = {"train_days": 7}
    refused = service.client.post(f"/v1/runs/{origin}/fork", json=body)
    assert refused.status_code == 422
    assert refused.json()["path"] == "$.parameters.train_days"
    assert refused.json()["detail"].endswith("Fork from 'dataset'.")
    misspelt = service.client.post(f"/v1/runs/{origin}/fork", json={"step": "fitt"}).json()
    assert (misspelt["path"], misspelt["detail"][-20:]) == ("$.step", " Did you mean 'fit'?")


@pytest.mark.parametrize(
    ("body", "path", "said"),
    [
        ({"template": "retrian"}, "$.template", "There are: retrain, batch-score. Did you mean 'retrain'?"),
        ({"template": "retrain", "parameters": {"top": "5"}}, "$.parameters.top", "Expected `int`, got `str`"),
        ({"template": "retrain", "parameters": {"tops": 5}}, "$.parameters.tops", "unknown field `tops`"),
        ({"template": "retrain", "parameters": {"models": ["forest"]}}, "$.parameters.models", "Give some of hist_"),
        ({"template": "batch-score", "parameters": {"model": "m", "output": "../x"}}, "$.parameters.output", "`..`"),
        ({"template": "batch-score", "parameters": {"output": "x"}}, "$.parameters", "required field `model`"),
        ({"template": "retrain", "parameters": 5}, "$.parameters", "$.parameters is 5. Input should be a valid dict"),
        ({"templat": "retrain"}, "$.templat", "There is no field 'templat'. Fields: template, parameters, reason,"),
        ({}, "$.template", "Field 'template' is missing. Give it: What to run: `retrain` or `batch-score`."),
        ([], None, "Input should be"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(service: Service, body: Any, path: Any, said: str) -> None:
    answer = service.client.post("/v1/runs", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert said in problem["detail"]
    assert (problem["type"], problem["status"]) == ("/docs#invalid-request", 422)
    assert path is None or problem["path"] == path


def test_what_does_not_exist_is_not_found(service: Service) -> None:
    answer = service.client.get("/v1/runs/none")
    assert (answer.status_code, answer.json()["type"]) == (404, "/docs#unknown-name")
    assert service.client.get("/v1/nothing").json()["type"] == "/docs#unknown-route"
    assert service.client.delete("/v1/runs").status_code == 405
    assert service.client.get("/v1/runs?limit=0").json()["path"] == "limit"


def test_the_document_describes_every_path_and_field(service: Service) -> None:
    document = service.client.get("/openapi.json").json()
    for verbs in document["paths"].values():
        for operation in verbs.values():
            assert operation["summary"]
            assert {"401", "403", "422"} <= set(operation["responses"])
    for name, schema in document["components"]["schemas"].items():
        if name in ("HTTPValidationError", "ValidationError"):
            continue
        for field, described in schema["properties"].items():
            assert described.get("description"), f"{name}.{field}"


def test_the_type_of_a_problem_leads_to_a_row_of_the_page(service: Service) -> None:
    kind = service.client.get("/v1/runs/none").json()["type"]
    page, _, anchor = kind.partition("#")
    answer = service.client.get(page)
    assert answer.status_code == 200
    assert f'id="{anchor}"' in answer.text
