"""The slices of a run: how good the chosen model is for parts of the test window, as facts that are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.models.comparison.slice_order import in_order

Slices = Mapping[str, Mapping[str, Any]]
"""Feature -> what `slice_metrics` found: metric, slices, worst, best, gap."""
_MOST_KEPT = 12


def fewer_slices(slices: Slices) -> dict[str, dict[str, Any]]:
    """What stays of them with the run for good: of each feature the twelve slices with most rows, worst and best."""
    return {feature: {**found, "slices": _fewer(found)} for feature, found in slices.items()}


def _fewer(found: Mapping[str, Any]) -> dict[str, Any]:
    slices = found["slices"]
    most = sorted(slices, key=lambda name: -slices[name]["rows"])[:_MOST_KEPT]
    kept = {*most, found["worst"], found["best"]}
    return {name: each for name, each in slices.items() if name in kept}


def slice_facts(slices: Slices) -> dict[str, Any]:
    """`FEATURE SLICE, METRIC` -> its value; `FEATURE, worst` -> the slice; `FEATURE, gap` -> between worst and best."""
    facts = dict[str, Any]()
    for feature, found in slices.items():
        metric = found["metric"]
        slices_of = found["slices"]
        facts |= {f"{feature} {name}, {metric}": slices_of[name][metric] for name in in_order(slices_of)}
        facts |= {f"{feature}, worst": found["worst"], f"{feature}, gap": found["gap"]}
    return facts


def slice_rows(slices: Slices) -> dict[str, int]:
    """`FEATURE SLICE` -> how many rows of the test window it has."""
    return {
        f"{feature} {name}": found["slices"][name]["rows"]
        for feature, found in slices.items()
        for name in in_order(found["slices"])
    }
