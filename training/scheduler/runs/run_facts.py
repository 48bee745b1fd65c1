"""The facts of a run in sections of names and values.

The page, REST and the command line all show these, so that they show the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from training.facts import Facts
from training.runs.records.run_report import RunReport
from training.scheduler.runs.run import Run


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
        "gate": {
            each["asked"]: f"{'pass' if each['passed'] else 'fail'}: {each['found']}"
            for each in summary.get("checks", [])
        },
        "data": {"complete up to": _instant_us(summary.get("cut_us")), **report.data},
        "metrics": metrics,
        "missing values in training": dict(report.features),
        "code": {step: digest[:12] for step, digest in summary.get("code", {}).items()},
    }


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
