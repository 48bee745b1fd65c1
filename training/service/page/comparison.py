"""The page of two runs side by side: every fact of both, what differs marked, and their plots in one."""

from __future__ import annotations

from html import escape

from training.facts import FactRow, Facts, shown, side_by_side
from training.plot import plot
from training.runs.records.run_report import RunReport
from training.service.page.parts import run_link, table
from training.service.page.run import curve_plots, per_day


def comparison(names: tuple[str, str], facts: tuple[Facts, Facts], reports: tuple[RunReport, RunReport]) -> str:
    rows = side_by_side(*facts)
    sections = "".join(_section(title, names, [row for row in rows if row.section == title]) for title in facts[0])
    chosen = {
        name: report.curves[report.chosen]
        for name, report in zip(names, reports, strict=True)
        if report.chosen in report.curves
    }
    days = {
        name: per_day({report.chosen: report.models[report.chosen]}).get(report.chosen, [])
        for name, report in zip(names, reports, strict=True)
        if report.chosen in report.models
    }
    drawn = curve_plots(chosen) + plot(
        "Precision of the top entities, each day", "day of the test window", "precision", days
    )
    plots = f'<h2>Plots of the chosen models</h2><div class="plots">{drawn}</div>' if drawn else ""
    return plots + sections


def _section(title: str, names: tuple[str, str], rows: list[FactRow]) -> str:
    cells = [
        (escape(row.name), _value(row, row.first), _value(row, row.second), _difference(row))
        for row in rows
        if shown(row.first) or shown(row.second)
    ]
    if not cells:
        return ""
    head = f"<h2>{escape(title.capitalize())}</h2>"
    if title == "run":
        head += f"<p>First: {run_link(names[0])}. Second: {run_link(names[1])}. What differs is marked.</p>"
    return head + table(("name", "first", "second", "difference"), cells)


def _value(row: FactRow, value: object) -> str:
    text = escape(shown(value))
    return text if row.same else f"<mark>{text or 'none'}</mark>"


def _difference(row: FactRow) -> str:
    return "" if not row.difference else f"{row.difference:+.4g}"
