"""The page of two runs side by side: every fact of both, what differs marked, their slices, and their plots."""

from __future__ import annotations

from html import escape
from itertools import groupby

from training.facts import FactRow, Facts, shown
from training.models.metrics.curve_plots import own_plots, score_plots
from training.runs.records.run_report import RunReport
from training.runs.records.run_slices import Slices
from training.scheduler.runs.run_facts import SLICE_ROWS, SLICES, compared
from training.service.page.parts import run_link, table
from training.service.page.run import day_plot, per_day
from training.service.page.slice_tables import slice_tables

_HEAD = ("name", "first", "second", "difference")


def comparison(
    names: tuple[str, str],
    facts: tuple[Facts, Facts],
    reports: tuple[RunReport, RunReport],
    slices: tuple[Slices, Slices],
) -> str:
    sections = ""
    for title, rows in groupby(compared(*facts), key=lambda row: row.section):
        if title == SLICES:
            sections += slice_tables(*slices)
        elif title != SLICE_ROWS:
            sections += _section(title, list(rows))
    which = f"<p>First: {run_link(names[0])}. Second: {run_link(names[1])}. What differs is marked.</p>"
    return which + _plots(names, reports) + sections


def _plots(names: tuple[str, str], reports: tuple[RunReport, RunReport]) -> str:
    """Those of the chosen models: what can be drawn in one is, the rest stands side by side."""
    both = list(zip(names, reports, strict=True))
    chosen = {name: report.curves[report.chosen] for name, report in both if report.chosen in report.curves}
    days = {
        name: per_day({report.chosen: report.models[report.chosen]}).get(report.chosen, [])
        for name, report in both
        if report.chosen in report.models
    }
    residuals = [each for name, curves in chosen.items() for each in own_plots(curves, f" of {name}")]
    drawn = "".join([*score_plots(chosen), day_plot(days), *residuals[::2], *residuals[1::2]])
    return f'<h2>Plots of the chosen models</h2><div class="plots">{drawn}</div>' if drawn else ""


def _section(title: str, rows: list[FactRow]) -> str:
    cells = [
        (escape(row.name), _value(row, row.first), _value(row, row.second), _difference(row))
        for row in rows
        if shown(row.first) or shown(row.second)
    ]
    drawn, head = table(_HEAD, cells, kind="compared"), escape(title.capitalize())
    if not cells:
        return ""
    if all(row.same for row in rows):
        return f"<details><summary>{head}: nothing differs</summary>{drawn}</details>"
    return f"<h2>{head}</h2>{drawn}"


def _value(row: FactRow, value: object) -> str:
    text = escape(shown(value))
    return text if row.same else f"<mark>{text or 'none'}</mark>"


def _difference(row: FactRow) -> str:
    return "" if not row.difference else f"{row.difference:+.4g}"
