"""The report of a run: its parameters, data, metrics, features, slices and curves, as far as its folder has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from shared_features.formats.model_manifest import GraphCost
from training.errors import StepError
from training.runs.records.run_folder import CURVES_FILE
from training.runs.records.run_slices import Slices
from training.steps.run_journal import read_journal


@dataclass(frozen=True)
class RunReport:
    """Empty where the folder is gone. parameters: all of them, those that were not given too. data: rows and digest,
    and what became of the expectations.

    models: candidate -> its metrics. features: feature -> share of missing values in the train window. importance:
    feature -> by how much the chosen model is worse without it. slices: feature -> `slice_metrics` of the chosen model.
    curves: candidate -> curve -> points. graph: what the exported graph costs; None before it is
    known. stability: of its scores beside the champion's (`ScoreStability`).
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    chosen: str = ""
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    features: Mapping[str, float] = field(default_factory=dict)
    importance: Mapping[str, float] = field(default_factory=dict)
    slices: Slices = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, list[list[float]]]] = field(default_factory=dict)
    graph: GraphCost | None = None
    stability: Mapping[str, Any] = field(default_factory=dict)


def read_report(run: Path | None) -> RunReport:
    """What the run has found so far."""
    if run is None:
        return RunReport()
    try:
        asked = dict(read_journal(run).asked)
    except StepError:
        return RunReport()
    dataset, metrics = _read(run / "dataset" / "dataset.json"), _read(run / "evaluate" / "metrics.json")
    validation = _read(run / "validate" / "validation.json")
    return RunReport(
        {"view": asked.pop("view")["label"], **asked.pop("dataset", {}), **asked},
        {**(_data(dataset) if dataset else {}), **_expected(validation)},
        metrics.get("chosen", ""),
        metrics.get("models", {}),
        validation.get("missing_share", {}),
        dict(sorted(metrics.get("importance", {}).items(), key=lambda each: -each[1])),
        metrics.get("slices", {}),
        _read(run / "evaluate" / CURVES_FILE),
        read_cost(run),
        _read(run / "promote" / "promotion.json").get("stability") or {},
    )


def _data(dataset: Mapping[str, Any]) -> dict[str, Any]:
    rows, binary = dataset["rows"], dataset.get("task", "binary") == "binary"
    counts = {}
    for window in ("train", "gap", "test"):
        for kind, number in rows[window].items():
            if isinstance(number, int) and (binary or kind != "positive"):
                counts[f"{window} rows, {kind.replace('_', ' ')}"] = number
        for name, number in zip(dataset.get("classes", ()), rows[window].get("by_class", ()), strict=True):
            counts[f"{window} rows, {name}"] = number
    known = {"digest": dataset["digest"][:16], "features": len(dataset["features"])}
    return {**known, "entity": dataset.get("entity"), **counts}


def _expected(validation: Mapping[str, Any]) -> dict[str, Any]:
    """Empty where nothing was expected, and in runs from before there were expectations."""
    outcomes = validation.get("expectations", [])
    if not outcomes:
        return {}
    missed = [f"{each['expects']}: {each['found']}" for each in outcomes if not each["met"]]
    return {"expectations met": f"{len(outcomes) - len(missed)} of {len(outcomes)}", "expectations not met": missed}


def read_cost(run: Path) -> GraphCost | None:
    """What the exported graph costs; None where it is not certified yet, and in runs from before it was measured."""
    cost = _read(run / "certify" / "certificate.json").get("cost")
    return None if cost is None else msgspec.convert(cost, GraphCost)


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return found
