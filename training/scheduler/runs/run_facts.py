"""The facts of a run in sections of names and values.

The page, REST and the command line all show these, so that they show the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared_features.formats.model_manifest import GraphCost
from training.facts import FactRow, Facts, graph_facts, side_by_side, stability_facts
from training.registry.gate.check import verdict_of
from training.runs.records.run_report import RunReport
from training.runs.records.run_slices import Slices, slice_facts, slice_rows
from training.scheduler.runs.run import Run

SLICES, SLICE_ROWS, FEATURES = "slices", "rows of slices", "features that only one has"
_MISSING = "missing values in training"


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
    slices = known_slices(summary, report)
    return {
        "run": _of_run(run, summary),
        "parameters": dict(report.parameters or run.parameters),
        "gate": {each["asked"]: f"{verdict_of(each).lower()}: {each['found']}" for each in summary.get("checks", [])},
        "scores beside the champion's": stability_facts(report.stability or summary.get("stability", {})),
        "graph": graph_facts(report.graph or _cost(summary)),
        "data": {"complete up to": _instant_us(summary.get("cut_us")), **report.data},
        "scored": {name.replace("_", " "): value for name, value in summary.get("scored", {}).items()},
        "metrics of the chosen model": dict(summary.get("metrics", {})),
        "metrics": metrics,
        SLICES: slice_facts(slices),
        SLICE_ROWS: slice_rows(slices),
        _MISSING: dict(report.features),
        "importance of features": dict(report.importance),
        "code": {step: digest[:12] for step, digest in summary.get("code", {}).items()},
    }


def _cost(summary: Mapping[str, Any]) -> GraphCost | None:
    return msgspec.convert(summary["graph"], GraphCost) if "graph" in summary else None


def known_slices(summary: Mapping[str, Any], report: RunReport) -> Slices:
    """All of them, or those that stay where the folder is gone."""
    found: Slices = report.slices or summary.get("slices", {})
    return found


def compared(first: Facts, second: Facts) -> list[FactRow]:
    """Every fact of two runs, and the features that only one of them has, where the features of both are known."""
    rows, (ours, theirs) = side_by_side(first, second), (each[_MISSING] for each in (first, second))
    differ = [name for name in {**ours, **theirs} if (name in ours) != (name in theirs)] if ours and theirs else []
    return rows + [FactRow(FEATURES, name, name in ours or None, name in theirs or None) for name in differ]


def _of_run(run: Run, summary: Mapping[str, Any]) -> dict[str, Any]:
    took = None if run.began_at_ms is None or run.ended_at_ms is None else (run.ended_at_ms - run.began_at_ms) / 1000
    view = summary.get("view") or {}
    return {
        "status": run.status,
        "asked for at": f"{run.asked_at[:19]}Z",
        "because": run.reason,
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
