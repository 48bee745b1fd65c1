"""The page that people look at: runs with their steps, models and schedules, written by the server from what is stored.

It needs no network and no build. Its script sends the requests of the buttons, and reloads while a run has not ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from training.registry.versions import Registry
from training.scheduler.run_states import CANCELLED, FAILED, QUEUED, RUNNING
from training.scheduler.runs import Runs
from training.scheduler.schedules import Schedules
from training.service.answers import ModelAnswer, RunAnswer, RunWithSteps, ScheduleAnswer, run_answer, schedule_answer
from training.service.model_routes import model_answers
from training.service.run_routes import shown

_FILES = {"runs_page.css": "text/css", "runs_page.js": "text/javascript"}
_RETRAIN = '{"template": "retrain"}'
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'"


def page_router(runs: Runs, schedules: Schedules, registry: Registry) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def overview() -> HTMLResponse:
        found = [run_answer(each, runs.summary(each)) for each in runs.newest()]
        ticks = [schedule_answer(each) for each in schedules.all()]
        return _html("Training runs", overview_html(found, ticks, model_answers(registry)), _is_moving(found))

    @router.get("/runs/{run_id}")
    def one(run_id: str) -> HTMLResponse:
        run = shown(runs, run_id)
        return _html(f"Run {run.id}", run_html(run), _is_moving([run]))

    @router.get("/page/{name}")
    def file(name: str) -> Response:
        if name not in _FILES:
            return Response(status_code=404)
        return Response(files("training.service").joinpath(name).read_bytes(), media_type=_FILES[name])

    return router


def overview_html(runs: list[RunAnswer], schedules: list[ScheduleAnswer], models: list[ModelAnswer]) -> str:
    start = f'<button data-verb="POST" data-path="/v1/runs" data-body=\'{_RETRAIN}\'>Start a retraining</button>'
    run_rows = [
        (f'<a href="/runs/{quote(each.id, safe="")}">{escape(each.id)}</a>', _status(each.status),
         _seconds(each.seconds), _numbers(each.summary.get("metrics", {})), _plain(each.parameters),
         _instant_us(each.summary.get("cut_us")), _button(each))
        for each in runs
    ]  # fmt: skip
    tick_rows = [
        (escape(each.name), f"<code>{escape(each.cron)}</code> {escape(each.time_zone)}", _plain(each.parameters),
         escape(each.next_tick or "paused"), _schedule_buttons(each))
        for each in schedules
    ]  # fmt: skip
    model_rows = [
        (f"{escape(each.model)} {each.version}", escape(", ".join(each.aliases)), escape(each.estimator),
         _numbers(each.metrics), escape(each.created_at), _instant_us(each.cut_us),
         f"<code>{escape(each.dataset_digest[:12])}</code>", f"<code>{escape(each.view_fingerprint[:12])}</code>")
        for each in models
    ]  # fmt: skip
    return (
        f"<h2>Runs</h2><p>{start}</p>"
        + _table(("run", "status", "took", "metrics", "parameters", "data up to", ""), run_rows, "No run yet.")
        + "<h2>Schedules</h2>"
        + _table(("schedule", "cron", "parameters", "next tick", ""), tick_rows, "No schedule yet.")
        + "<h2>Models</h2>"
        + _table(
            ("model", "aliases", "estimator", "metrics", "made at", "data up to", "dataset", "definitions"),
            model_rows,
            "No model yet.",
        )
    )


def run_html(run: RunWithSteps) -> str:
    rows = [
        (escape(each.name), _status(each.state), _seconds(each.seconds), escape(each.reason), escape(each.line))
        for each in run.steps
    ]
    facts = {
        "status": _status(run.status), "parameters": _plain(run.parameters), "asked for at": escape(run.asked_at[:19]),
        "took": _seconds(run.seconds), "forked from": escape(run.forked_from or ""), "error": escape(run.error),
        "data up to": _instant_us(run.summary.get("cut_us")), "metrics": _numbers(run.summary.get("metrics", {})),
        "gate": escape("; ".join(run.summary.get("reasons", []))),
        "code": _plain({name: digest[:12] for name, digest in run.summary.get("code", {}).items()}),
    }  # fmt: skip
    lines = "".join(f"<dt>{name}<dd>{text}" for name, text in facts.items() if text)
    steps = _table(("step", "state", "took", "why", "what it said"), rows, "")
    return f'<p><a href="/">All runs</a> {_button(run)}</p><dl>{lines}</dl><h2>Steps</h2>{steps}'


def _html(title: str, body: str, is_moving: bool) -> HTMLResponse:
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="/page/runs_page.css">'
        f'<script src="/page/runs_page.js" defer></script></head><body data-moving="{str(is_moving).lower()}">'
    )
    says = '<p id="says" role="status"></p>'
    foot = '<footer><a href="/docs">Paths and problems</a> <a href="/metrics">Metrics</a></footer>'
    text = f"{head}<main><h1>{escape(title)}</h1>{says}{body}</main>{foot}</body></html>"
    return HTMLResponse(text, headers={"content-security-policy": _POLICY, "cache-control": "no-store"})


def _is_moving(runs: Iterable[RunAnswer]) -> bool:
    return any(each.status in (QUEUED, RUNNING) for each in runs)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], empty: str) -> str:
    body = "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in rows)
    if not body:
        return f"<p>{empty}</p>"
    names = "".join(f'<th scope="col">{each}' for each in head)
    return f'<div class="wide" tabindex="0"><table><thead><tr>{names}</thead><tbody>{body}</tbody></table></div>'


def _button(run: RunAnswer) -> str:
    verb = {QUEUED: "cancel", RUNNING: "cancel", CANCELLED: "resume", FAILED: "resume"}.get(run.status)
    return "" if verb is None else _post(f"/v1/runs/{quote(run.id, safe='')}/{verb}", verb.capitalize())


def _schedule_buttons(schedule: ScheduleAnswer) -> str:
    path, verb = f"/v1/schedules/{schedule.name}", "pause" if schedule.next_tick else "resume"
    remove = f'<button data-verb="DELETE" data-path="{path}">Remove</button>'
    return f"{_post(f'{path}/{verb}', verb.capitalize())} {remove}"


def _post(path: str, label: str) -> str:
    return f'<button data-verb="POST" data-path="{escape(path)}">{label}</button>'


def _status(state: str) -> str:
    return f'<span class="{state}">{state}</span>'


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}&nbsp;s"


def _numbers(metrics: dict[str, Any]) -> str:
    return "<br>".join(f"{escape(name)} {value:.4g}" for name, value in metrics.items())


def _plain(values: dict[str, Any]) -> str:
    return "<br>".join(f"{escape(name)} {escape(json.dumps(value))}" for name, value in values.items())


def _instant_us(at_us: int | None) -> str:
    return "" if at_us is None else f"{datetime.fromtimestamp(at_us / 1e6, UTC):%Y-%m-%d %H:%M} UTC"
