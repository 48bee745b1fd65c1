"""The overview: runs, schedules and models, with what can be started."""

from __future__ import annotations

import textwrap
from html import escape

from training.runs.plan.batch_score import BATCH_SCORE
from training.runs.plan.step_names import RETRAIN
from training.service.page.parts import (
    button,
    choice_field,
    file_field,
    form,
    instant,
    instant_us,
    live,
    numbers,
    parameters_field,
    plain,
    run_button,
    run_link,
    seconds,
    states,
    status,
    table,
    text_field,
)
from training.service.routes.answers import ModelAnswer, RunAnswer, ScheduleAnswer

_MOST_OF_AN_ERROR = 110


def overview(runs: list[RunAnswer], schedules: list[ScheduleAnswer], models: list[ModelAnswer]) -> str:
    start = _hidden("template", RETRAIN) + parameters_field()
    example = "model=order_return&#10;spine=orders.parquet&#10;output=predicted.parquet"
    score = _hidden("template", BATCH_SCORE) + parameters_field(example)
    put = (
        text_field("name", "Name", required=True)
        + text_field("cron", "Cron line: minute hour day month weekday", "0 3 * * *", required=True)
        + text_field("time_zone", "Time zone", "UTC", required=True)
        + text_field("new_labels", "Only after so many new labels", "0", kind="number")
        + choice_field("new_partition", "Only after a new day or hour", {"": "no", "day": "day", "hour": "hour"})
        + parameters_field()
    )
    return (
        "<h2>Runs</h2>"
        + form("Start a retraining", "POST", "/v1/runs", start, "Start", follows=True)
        + form("Score rows", "POST", "/v1/runs", score, "Start", follows=True)
        + form("Import a run", "POST", "/v1/runs/import", file_field("Its archive"), "Import", follows=True)
        + '<form id="compare" action="/compare"><button>Compare the two selected</button></form>'
        + live("runs", _runs(runs))
        + "<h2>Schedules</h2>"
        + form("Put a schedule", "PUT", "/v1/schedules/{name}", put, "Put")
        + live("schedules", _schedules(schedules))
        + "<h2>Models</h2>"
        + live("models", _models(models))
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{value}">'


def _runs(runs: list[RunAnswer]) -> str:
    rows = [
        (
            f'<input type="checkbox" name="run" value="{escape(each.id)}" form="compare" '
            f'aria-label="compare {escape(each.id)}">',
            run_link(each.id),
            f"{states(each)}<br><small>{escape(_short(each.error))}</small>",
            f"{instant(each.asked_at)}<br><small>{escape(each.reason)}</small>",
            seconds(each.seconds),
            numbers(each.summary.get("metrics", {})),
            plain(each.parameters),
            instant_us(each.summary.get("cut_us")),
            run_button(each),
        )
        for each in runs
    ]
    head = ("", "run", "status", "asked for, UTC", "took", "metrics", "parameters", "data up to, UTC", "")
    return table(head, rows, "No run yet.")


def _short(error: str) -> str:
    """The page of the run has all of it."""
    return textwrap.shorten(error, _MOST_OF_AN_ERROR, placeholder=" ...")


def _schedules(schedules: list[ScheduleAnswer]) -> str:
    rows = [
        (
            escape(each.name),
            f"<code>{escape(each.cron)}</code> {escape(each.time_zone)}"
            + (f", {escape(each.waits_for)}" if each.waits_for else ""),
            plain(each.parameters),
            instant(each.last_tick)
            if each.said
            else f"<small>none since it was put, {instant(each.last_tick)}</small>",
            escape(each.said),
            instant(each.next_tick) or "paused",
            _buttons(each),
        )
        for each in schedules
    ]
    return table(
        ("schedule", "cron", "parameters", "last tick", "what it did", "next tick", ""), rows, "No schedule yet."
    )


def _buttons(schedule: ScheduleAnswer) -> str:
    path, verb = f"/v1/schedules/{schedule.name}", "pause" if schedule.next_tick else "resume"
    return f"{button('POST', f'{path}/{verb}', verb.capitalize())} {button('DELETE', path, 'Remove')}"


def _models(models: list[ModelAnswer]) -> str:
    rows = [
        (
            f'<a href="/models/{escape(each.model)}/{each.version}">{escape(each.model)} {each.version}</a>',
            " ".join(status(name) for name in each.aliases),
            escape(each.estimator),
            numbers(each.metrics),
            instant(each.created_at),
            instant_us(each.cut_us),
        )
        for each in models
    ]
    head = ("model", "aliases", "estimator", "metrics", "made at, UTC", "data up to, UTC")
    return table(head, rows, "No model yet.")
