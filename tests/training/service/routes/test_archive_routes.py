"""A run leaves the service as a file, and comes into one: listed, shown and compared, and otherwise left alone."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import threading
from pathlib import Path

from tests.training.service.conftest import Service
from training.steps.run_journal import Journal, write_journal

JOURNAL = Journal({"view": {"label": "v:v1"}, "dataset": {"seed": 0}, "k": 7}, {"cut_us": 0}, 0, {})


def ended_run(service: Service, key: str) -> str:
    answer = service.client.post("/v1/runs", json={"template": "retrain"}, headers={"Idempotency-Key": key})
    run_id = str(answer.json()["id"])
    service.wait_for(lambda: service.runs.status(run_id) == "succeeded")
    folder = service.played.folders / service.runs.show(run_id).folder
    write_results(folder)
    return run_id


def write_results(folder: Path) -> None:
    write_journal(folder, JOURNAL)
    metrics = {"chosen": "forest", "models": {"forest": {"average_precision": 0.5}}}
    for name, content in {
        "evaluate/metrics.json": json.dumps(metrics),
        "dataset/rows.parquet": "rows",
        "fit.log": "x",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)


def names(content: bytes) -> set[str]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return set(tar.getnames())


def test_a_run_is_exported_imported_and_compared_and_is_not_done_here(service: Service) -> None:
    run_id = ended_run(service, "to be exported")
    described = service.client.get(f"/v1/runs/{run_id}/archive")
    assert described.headers["content-type"] == "application/gzip"
    assert f'filename="{run_id}.tar.gz"' in described.headers["content-disposition"]
    assert names(described.content) == {"archive.json", "run.json", "evaluate/metrics.json", "fit.log"}
    whole = service.client.get(f"/v1/runs/{run_id}/archive/with-data").content
    assert names(whole) == names(described.content) | {"dataset/rows.parquet"}

    added = service.client.post("/v1/runs/import", content=whole)
    assert added.status_code == 201, added.text
    assert (added.json()["id"], added.json()["imported"]) == (f"imported:{run_id}", True)
    path = added.headers["location"]
    own = service.client.get(f"/v1/runs/{run_id}").json()
    assert service.client.get(path).json() == {**own, "id": f"imported:{run_id}", "imported": True}
    listed = [each["id"] for each in service.client.get("/v1/runs").json()]
    assert {run_id, f"imported:{run_id}"} <= set(listed)
    assert service.client.get(f"{path}/logs/fit").text == "x"
    rows = service.client.get(f"/v1/runs/{run_id}/compare/imported:{run_id}").json()
    assert [each["first"] for each in rows if each["name"] == "forest average_precision"] == [0.5]
    assert [each["name"] for each in rows if each["first"] != each["second"]] == ["imported"]
    assert service.client.get(f"{path}/archive/with-data").content == whole
    page = service.client.get(path.removeprefix("/v1")).text
    assert '<span class="state imported">imported</span>' in page
    assert "Steps: dataset done, validate done" in page
    assert page.count('class="edge"') >= 7
    assert "Fork" not in page

    again = service.client.post("/v1/runs/import", content=described.content)
    assert (again.status_code, "was imported already" in again.json()["detail"]) == (409, True)
    for verb, body in (("resume", None), ("fork", {"step": "fit"}), ("cancel", None)):
        assert service.client.post(f"{path}/{verb}", json=body).status_code == 409, verb
    assert f'training_runs{{status="succeeded"}} {len(service.runs.newest())}.0' in service.client.get("/metrics").text


def test_a_run_takes_the_card_of_its_version_along(service: Service) -> None:
    version = service.played.folders / "registry" / "m" / "1"
    version.mkdir(parents=True)
    for name in ("manifest.json", "card.md", "card.html"):
        (version / name).write_text(name)
    service.played.summary = {"model": "m", "version": 1, "promoted": True, "reasons": [], "metrics": {}}
    try:
        path = f"/v1/runs/{ended_run(service, 'with a card')}"
        file = service.client.get(f"{path}/archive").content
    finally:
        service.played.summary = {}
        shutil.rmtree(version.parent)
    assert {"model-manifest.json", "model-card.md", "model-card.html"} < names(file)
    imported = service.client.post("/v1/runs/import", content=file).headers["location"]
    assert service.client.get(f"{imported}/archive").content == file, "the registry of the other place is not needed"


def test_what_is_no_archive_is_refused_and_leaves_nothing(service: Service) -> None:
    answer = service.client.post("/v1/runs/import", content=b"x" * 5000)
    assert answer.status_code == 422
    assert "The body is cut off, damaged or not an archive of a run" in answer.json()["detail"]
    assert service.client.get("/v1/runs/imported:none").status_code == 404
    assert not list((service.played.folders / "runs" / "imported-runs").glob("new-*"))


def test_a_run_that_goes_on_is_not_exported(service: Service) -> None:
    service.played.held["fit"] = threading.Event()
    run_id = service.client.post("/v1/runs", json={"template": "retrain", "parameters": {"top": 77}}).json()["id"]
    answer = service.client.get(f"/v1/runs/{run_id}/archive")
    assert (answer.status_code, "Export it when it has ended" in answer.json()["detail"]) == (409, True)
    service.played.held.pop("fit").set()
    service.wait_for(lambda: service.runs.status(run_id) == "succeeded")
