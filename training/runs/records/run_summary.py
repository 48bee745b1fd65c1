"""The summary of a run: what is worth knowing of it after its folder is gone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.errors import StepError
from training.runs.records.run_folder import read_json
from training.runs.records.run_report import read_cost
from training.runs.records.run_slices import fewer_slices
from training.steps.run_journal import read_journal


def summarize(run: Path) -> dict[str, Any]:
    """Plain data: what the run has found so far. Empty where the folder is gone.

    view: its label and fingerprint. cut_us: the watermark up to which its data are complete. code: step -> digest of
    the code that made its result. metrics: of the best candidate. slices: `fewer_slices` of it. graph, stability: as
    `RunReport` has them. model, version, promoted, reasons, checks: what the steps `publish` and `promote` did.
    scored: what a batch scoring wrote, and by which version.
    """
    try:
        journal = read_journal(run)
    except StepError:
        return {}
    code = {name: entry.parts["code"] for name, entry in journal.steps.items() if entry.parts}
    found: dict[str, Any] = {"view": journal.asked["view"], "code": code}
    if "cut_us" in journal.data:  # a batch scoring of the rows of a file pins none
        found["cut_us"] = journal.data["cut_us"]
    if scored := _read(run / "score" / "scored.json"):
        found["scored"] = scored
    if metrics := _read(run / "evaluate" / "metrics.json"):
        best = metrics["models"][metrics["chosen"]]
        numbers = {name: value for name, value in best.items() if isinstance(value, int | float)}
        found |= {"chosen": metrics["chosen"], "metrics": numbers}
        if slices := metrics.get("slices"):
            found["slices"] = fewer_slices(slices)
    if cost := read_cost(run):
        found["graph"] = asdict(cost)
    found |= _read(run / "publish" / "published.json")
    if decided := _read(run / "promote" / "promotion.json"):
        found |= {name: decided[name] for name in ("champion_before", "promoted", "reasons")}
        found["checks"] = decided.get("checks", [])
        found["stability"] = decided.get("stability") or {}
    return found


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_json(file)
    except FileNotFoundError:
        return {}
