"""The facts of a run in sections of names and values, and those of two runs side by side.

The page, REST and the command line all show these, so that they show the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from training.runs.records.run_report import RunReport
from training.scheduler.runs.run import Run

Facts = dict[str, dict[str, Any]]
"""Section -> name -> number, text or list; None where it is not known."""


@dataclass(frozen=True)
class FactRow:
    """One fact of two runs. difference: second less first where both are numbers, else None."""

    section: str
    name: str
    first: Any
    second: Any

    @property
    def same(self) -> bool:
        return bool(self.first == self.second)

    @property
    def difference(self) -> float | None:
        values = (self.first, self.second)
        if all(isinstance(each, int | float) and not isinstance(each, bool) for each in values):
            return float(self.second) - float(self.first)
        return None


def facts_of(run: Run, summary: Mapping[str, Any], report: RunReport) -> Facts:
    """Everything that is known of a run, also while it goes and after it failed."""
    metrics = {
        f"{model} {name}": value
        for model, found in report.models.items()
        for name, value in found.items()
        if isinstance(value, int | float) or value is None
    }
    if not report.models:  # its folder is gone, its summary stays
        metrics = {
            f"{summary.get('chosen', 'model')} {name}": each for name, each in summary.get("metrics", {}).items()
        }
    return {
        "run": _of_run(run, summary),
        "parameters": dict(report.parameters or run.parameters),
        "data": {"complete up to": _instant_us(summary.get("cut_us")), **report.data},
        "metrics": metrics,
        "missing values in training": dict(report.features),
        "code": {step: digest[:12] for step, digest in summary.get("code", {}).items()},
    }


def side_by_side(first: Facts, second: Facts) -> list[FactRow]:
    """Every fact of either, section by section. A fact that one lacks is None there."""
    rows = []
    for section in first:
        names = dict.fromkeys([*first[section], *second[section]])
        rows += [FactRow(section, name, first[section].get(name), second[section].get(name)) for name in names]
    return rows


def shown(value: Any) -> str:
    """A value as a person reads it."""
    if value is None or value == [] or value == {}:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    return str(value)


def _of_run(run: Run, summary: Mapping[str, Any]) -> dict[str, Any]:
    took = None if run.began_at_ms is None or run.ended_at_ms is None else (run.ended_at_ms - run.began_at_ms) / 1000
    view = summary.get("view") or {}
    return {
        "status": run.status,
        "asked for at": f"{run.asked_at[:19]}Z",
        "took, seconds": took,
        "error": run.error,
        "imported": run.imported or None,
        "forked from": run.origin,
        "view": view.get("label"),
        "definitions": (view.get("fingerprint") or "")[:12],
        "chosen": summary.get("chosen"),
        "version": summary.get("version"),
        "promoted": summary.get("promoted"),
        "gate": "; ".join(summary.get("reasons", [])),
    }


def _instant_us(at_us: int | None) -> str | None:
    return None if at_us is None else f"{datetime.fromtimestamp(at_us / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC"
