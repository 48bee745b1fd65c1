"""The paths of the page. Its script sends the requests of buttons and forms, and asks again for what has not ended."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from training.errors import RequestError, UnknownNameError
from training.facts import Facts
from training.registry.model_card.model_card import MODEL_CARD_HTML
from training.registry.version_model_card import model_card_of
from training.registry.versions import Registry
from training.runs.plan.retraining import STEPS
from training.runs.records.run_report import RunReport
from training.runs.records.run_slices import Slices
from training.scheduler.runs.run_facts import facts_of, known_slices
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.schedules import Schedules
from training.service.page.comparison import comparison
from training.service.page.model import model_page
from training.service.page.overview import overview
from training.service.page.parts import document, is_moving
from training.service.page.run import run_page
from training.service.routes.answers import run_answer, schedule_answer
from training.service.routes.model_routes import model_answers
from training.service.routes.run_routes import shown

_FILES = {"page.css": "text/css", "page.js": "text/javascript"}
_MODEL_CARD_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_NEEDS = {step.name: step.needs for step in STEPS}


def page_router(runs: Runs, schedules: Schedules, registry: Registry) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def every() -> HTMLResponse:
        found = [run_answer(each, runs.summary(each)) for each in runs.listed()]
        ticks = [schedule_answer(each) for each in schedules.all()]
        # A schedule may start a run at any time.
        moving = is_moving(found) or any(each.next_tick for each in ticks)
        return document("Training runs", overview(found, ticks, model_answers(registry)), is_moving=moving)

    @router.get("/runs/{run_id}")
    def one(run_id: str) -> HTMLResponse:
        run, logs = shown(runs, run_id), {}
        for step in run.steps:
            logs[step.name] = runs.log(run_id, step.name)
        text = run_page(run, _facts(runs, run_id), runs.report(run_id), logs, runs.plan(run_id) or _NEEDS)
        return document(f"Run {run.id}", text, is_moving=is_moving([run]))

    @router.get("/compare")
    def two(run: Annotated[list[str], Query(description="Two runs.")] = []) -> HTMLResponse:  # noqa: B006  # never written
        if len(run) != 2:
            raise RequestError(f"Two runs are compared; {len(run)} were selected. Go back and select two.", "run")
        first, second = sorted(run, key=lambda each: runs.show(each).asked_at)
        facts = (_facts(runs, first), _facts(runs, second))
        reports = (runs.report(first), runs.report(second))
        slices = (_slices(runs, first, reports[0]), _slices(runs, second, reports[1]))
        return document("Two runs", comparison((first, second), facts, reports, slices))

    @router.get("/models/{model}/{version}")
    def version(model: str, version: int) -> HTMLResponse:
        found = next((each for each in model_answers(registry) if (each.model, each.version) == (model, version)), None)
        if found is None:
            raise _no_version(model, version)
        of = [each.id for each in runs.newest() if _published(runs.summary(each)) == (model, version)]
        return document(f"{model} {version}", model_page(found, of))

    @router.get("/models/{model}/{version}/model-card")
    def model_card(model: str, version: int) -> HTMLResponse:
        """A page of its own, in the style that it brings along."""
        if model not in registry.models() or version not in registry.versions(model):
            raise _no_version(model, version)
        return HTMLResponse(
            model_card_of(registry, model, version)[MODEL_CARD_HTML],
            headers={"content-security-policy": _MODEL_CARD_POLICY, "cache-control": "no-store"},
        )

    @router.get("/page/{name}")
    def file(name: str) -> Response:
        if name not in _FILES:
            return Response(status_code=404)
        return Response(files("training.service.page").joinpath(name).read_bytes(), media_type=_FILES[name])

    return router


def _no_version(model: str, version: int) -> UnknownNameError:
    return UnknownNameError(f"There is no version {version} of a model {model!r}. The page / lists them.")


def _facts(runs: Runs, run_id: str) -> Facts:
    run = runs.show(run_id)
    return facts_of(run, runs.summary(run), runs.report(run_id))


def _slices(runs: Runs, run_id: str, report: RunReport) -> Slices:
    return known_slices(runs.summary(runs.show(run_id)), report)


def _published(summary: object) -> tuple[object, object]:
    found = summary if isinstance(summary, dict) else {}
    return found.get("model"), found.get("version")
