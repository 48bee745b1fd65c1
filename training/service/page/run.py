"""The page of a run: its facts, its step graph, each step with its reason and log, its plots, and its fork."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from training.facts import Facts, shown
from training.models.metrics.curve_plots import own_plots, score_plots
from training.plot import plot
from training.runs.records.run_report import RunReport
from training.scheduler.workflow.run_states import ENDED
from training.service.page.parts import (
    facts,
    form,
    instant,
    live,
    parameters_field,
    plain,
    run_button,
    run_link,
    run_path,
    seconds,
    states,
    status,
    table,
)
from training.service.page.step_graph import step_graph
from training.service.routes.answers import RunWithSteps, StepAnswer


def run_page(
    run: RunWithSteps, known: Facts, report: RunReport, logs: Mapping[str, str], needs: Mapping[str, Sequence[str]]
) -> str:
    """logs: step -> what it printed. needs: step -> the steps whose results it takes."""
    model, version = run.summary.get("model"), run.summary.get("version")
    version_link = f'<a href="/models/{escape(model)}/{version}">{escape(model)} {version}</a>' if model else ""
    origin = run.forked_from or ""
    if run.imported:  # its model and its origin are where it was done
        version_link = escape(f"{model} {version}, of another registry") if model else ""
    head = facts(
        {
            "status": states(run),
            "error": escape(run.error),
            "gate": escape("; ".join(run.summary.get("reasons", []))),
            "model": version_link,
            "scored by": _scored(run),
            "asked for": instant(run.asked_at),
            "because": escape(run.reason),
            "took": seconds(run.seconds),
            "parameters": plain(run.parameters),
            "forked from": escape(origin) if run.imported or not origin else run_link(origin),
            "archive": _archive(run),
        }
    )
    steps = "".join(_step(each, logs.get(each.name, "")) for each in run.steps)
    details = "".join(_section(title, rows) for title, rows in known.items() if title != "run")
    return (
        live("facts", f"<p>{run_button(run, follows=True)}</p>{head}")
        + ("" if run.imported else _fork(run))
        + "<h2>Steps</h2>"
        + live("steps", f'<div class="steps">{step_graph(run.steps, needs)}<ol>{steps}</ol></div>')
        + live("plots", _plots(report))
        + live("details", f"<h2>Details</h2>{details}")
    )


def day_plot(days: Mapping[str, list[list[float]]]) -> str:
    """days: `per_day`, or that of the chosen model of each run."""
    return plot("Precision of the top entities, each day", "day of the test window", "precision", days)


def per_day(models: Mapping[str, Mapping[str, object]]) -> dict[str, list[list[float]]]:
    """Model -> precision of the top entities on each day of the test window."""
    found: dict[str, list[list[float]]] = {}
    for name, metrics in models.items():
        days = metrics.get("per_day")
        if isinstance(days, Mapping):
            found[name] = [[float(day), float(value)] for day, value in enumerate(days["precision"])]
    return found


def _plots(report: RunReport) -> str:
    figures = [
        *score_plots(report.curves),
        day_plot(per_day(report.models)),
        *own_plots(report.curves.get(report.chosen, {})),
    ]
    drawn = "".join(figures)
    return f'<h2>Plots</h2><div class="plots">{drawn}</div>' if drawn else ""


def _step(step: StepAnswer, log: str) -> str:
    printed = f"<details><summary>Log of {escape(step.name)}</summary><pre>{escape(log)}</pre></details>" if log else ""
    said = "".join(f"<p>{escape(each)}</p>" for each in (step.line,) if each)
    why = f'<p class="why">{escape(step.reason)}</p>' if step.reason else ""
    return (
        f'<li id="step-{escape(step.name)}"><h3>{escape(step.name)} {status(step.state)} '
        f"<small>{seconds(step.seconds)}</small></h3>{said}{why}{printed}"
    )


def _section(title: str, rows: Mapping[str, object]) -> str:
    cells = [(escape(name), escape(shown(value))) for name, value in rows.items() if shown(value)]
    if not cells:
        return ""
    return f"<details><summary>{escape(title.capitalize())}</summary>{table(('name', 'value'), cells)}</details>"


def _scored(run: RunWithSteps) -> str:
    """The version whose predictions it wrote, how many, and the file."""
    found = run.summary.get("scored")
    if not found:
        return ""
    named = f"{escape(found['model'])} {found['version']}"
    link = named if run.imported else f'<a href="/models/{escape(found["model"])}/{found["version"]}">{named}</a>'
    return f"{link}: {found['rows']:,} rows in {escape(found['output'])}"


def _archive(run: RunWithSteps) -> str:
    """The links to its file."""
    if run.status not in ENDED:
        return ""
    path = f"/v1/runs/{run_path(run.id)}/archive"
    return f'<a href="{path}" download>Export</a> <a href="{path}/with-data" download>Export with data</a>'


def _fork(run: RunWithSteps) -> str:
    names = "".join(f"<option>{escape(each.name)}</option>" for each in run.steps)
    fields = f'<label>From step<select name="step">{names}</select></label>{parameters_field()}'
    path = f"/v1/runs/{run_path(run.id)}/fork"
    return form("Fork: the same data, other parameters from a step on", "POST", path, fields, "Fork", follows=True)
