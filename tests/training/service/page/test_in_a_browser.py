"""The page in a real browser: each button and form does what it says, live, on a phone too, in light and dark."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import browsing
from tests.training.runs.records.test_run_slices import slices
from tests.training.service.conftest import Service
from training.errors import StepFailedError
from training.runs.plan.step_names import STEP_NAMES
from training.steps.run_journal import Journal, write_journal

PATIENCE_MS = 60_000
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def page(service: Service) -> Iterator[Page]:
    """A page whose script must not fail, and which must ask nobody but the service."""
    address, faults = str(service.client.base_url), list[str]()
    with browsing() as browser:
        context = browser.new_context(base_url=address, viewport=DESKTOP)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        found = context.new_page()
        found.on("pageerror", lambda error: faults.append(str(error)))
        found.on("console", lambda said: faults.append(said.text) if "Security Policy" in said.text else None)
        found.on("request", lambda asked: None if asked.url.startswith(address) else faults.append(asked.url))
        yield found
        assert faults == []


@pytest.mark.slow
def test_a_person_clicks_through_the_page(service: Service, page: Page) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    service.played.summary = {}
    first = _starts_cancels_and_resumes(service, page)
    second = _forks(page, service)
    _resumes_a_failed_run(service, page)
    _compares(service, page, first, second)
    _exports_and_imports(page, first)
    _schedules(page)
    for path in ("/", f"/runs/{first}", f"/compare?run={first}&run={second}"):
        _fits_a_phone_and_has_two_colours(page, path)


def _starts_cancels_and_resumes(service: Service, page: Page) -> str:
    page.goto("/")
    page.get_by_text("Start a retraining").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Parameters").first.fill("tops=7")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("unknown field `tops`")
    service.played.held["fit"] = threading.Event()
    page.get_by_label("Parameters").first.fill('top=7\nmodels=["logistic_regression"]')
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/runs/*")
    run_id = page.url.rpartition("/")[2]
    expect(page.locator("svg.graph g.running")).to_contain_text("fit")
    expect(page.locator("#facts")).to_contain_text('["logistic_regression"]')
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#facts .cancelled")).to_be_visible()
    service.played.held.pop("fit").set()
    page.get_by_role("button", name="Resume").click()
    page.wait_for_url(f"**/runs/{run_id}")
    expect(page.locator("#facts .succeeded")).to_be_visible()
    expect(page.locator("svg.graph g.done")).to_have_count(len(STEP_NAMES))
    return run_id


def _forks(page: Page, service: Service) -> str:
    origin = page.url.rpartition("/")[2]
    page.get_by_text("Fork: the same data").click()
    page.get_by_label("From step").select_option("evaluate")
    page.get_by_label("Parameters").fill("top=50")
    page.get_by_role("button", name="Fork", exact=True).click()
    page.wait_for_url(re.compile(f"/runs/(?!{origin})"))
    expect(page.locator("#facts")).to_contain_text(origin)
    expect(page.locator("#facts .succeeded")).to_be_visible()
    return page.url.rpartition("/")[2]


def _resumes_a_failed_run(service: Service, page: Page) -> None:
    service.played.errors["fit"] = StepFailedError("no memory <b>")
    run_id = str(service.client.post("/v1/runs", json={"template": "retrain", "parameters": {"top": 3}}).json()["id"])
    page.goto(f"/runs/{run_id}")
    expect(page.locator("#step-fit")).to_contain_text("no memory <b>")
    service.played.errors.clear()
    page.get_by_role("button", name="Resume").click()
    page.wait_for_url(f"**/runs/{run_id}-resumed")
    expect(page.locator("#facts .succeeded")).to_be_visible()


def _compares(service: Service, page: Page, first: str, second: str) -> None:
    for number, run_id in enumerate((first, second)):
        _write_results(_folder(service, run_id), 0.5 + number / 10)
    page.goto(f"/runs/{first}")
    page.get_by_text("Log of fit").click()
    expect(page.locator("#step-fit pre")).to_have_text("fitted")
    page.goto("/")
    for run_id in (first, second):
        page.get_by_label(f"compare {run_id}", exact=True).focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Compare the two selected").click()
    page.wait_for_url("**/compare?*")
    expect(page.locator("svg.plot")).to_have_count(3)
    row = page.locator("tr", has_text="logistic_regression average_precision")
    expect(row.locator("mark")).to_have_text(["0.5", "0.6"])
    expect(row).to_contain_text("+0.1")
    toys = page.locator("tr", has_text="toys")
    expect(toys.locator(".worst")).to_have_count(1)
    expect(page.locator("tr", has_text="food").locator(".worst")).to_have_count(1)
    expect(toys).to_contain_text("-0.1")


def _folder(service: Service, run_id: str) -> Path:
    return service.played.folders / service.runs.show(run_id).folder


def _write_results(folder: Path, quality: float) -> None:
    """What the steps of a real run leave, small."""
    files: dict[str, Any] = {
        "evaluate/metrics.json": {
            "chosen": "logistic_regression",
            "models": {"logistic_regression": {"average_precision": quality, "per_day": {"precision": [0.2, quality]}}},
            "slices": slices(food=(120, quality), toys=(80, 1.1 - quality)),
        },
        "evaluate/curves.json": {
            "logistic_regression": {"precision_recall": [[0, 1], [1, quality]], "roc": [[0, 0], [quality, 1], [1, 1]]}
        },
        "validate/validation.json": {"missing_share": {"amount": 0.0, "amount_mean_7d": quality}},
    }
    write_journal(folder, Journal({"view": {"label": "v:v1"}, "dataset": {"seed": 0}, "k": 7}, {"cut_us": 0}, 0, {}))
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    (folder / "fit.log").write_text("fitted")


def _exports_and_imports(page: Page, run_id: str) -> None:
    page.goto(f"/runs/{run_id}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export", exact=True).click()
    page.goto("/")
    page.get_by_text("Import a run").click()
    page.get_by_label("Its archive").set_input_files(download.value.path())
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url("**/runs/imported*")
    expect(page.locator("#facts .imported")).to_be_visible()
    expect(page.locator("svg.plot")).to_have_count(3)
    expect(page.get_by_role("button", name="Fork", exact=True)).to_have_count(0)
    page.goto("/")
    page.get_by_text("Import a run").click()
    page.get_by_label("Its archive").set_input_files(download.value.path())
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("was imported already")


def _schedules(page: Page) -> None:
    page.goto("/")
    page.get_by_text("Put a schedule").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("nightly")
    page.get_by_label("Cron line").fill("0 0 30 2 *")
    page.get_by_role("button", name="Put", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("never fires")
    page.get_by_label("Cron line").fill("0 3 * * *")
    page.get_by_role("button", name="Put", exact=True).click()
    row = page.locator("#schedules tr", has_text="nightly")
    expect(row).to_contain_text("03:00:00")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Resume").click()
    expect(row.get_by_role("button", name="Pause")).to_be_visible()
    row.get_by_role("button", name="Remove").click()
    expect(page.locator("#schedules")).to_contain_text("No schedule yet.")


def _fits_a_phone_and_has_two_colours(page: Page, path: str) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(path)
    over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert over <= 0, f"{path} is {over} pixels wider than a phone"
    grounds = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.add(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert len(grounds) == 2
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
