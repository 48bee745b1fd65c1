"""Whether a binary model is hardly better than chance, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ROC_AUC, _GAIN = 0.55, 0.3
"""Chance is 0.5, and the base rate. A gain is part of the rarer outcome: of rare positives, 1.3 times the base rate."""


def hardly_better(name: str, metrics: Mapping[str, Any], base_rate: float) -> str:
    """A sentence about the model, or empty. metrics: of a binary model. base_rate: the share of positive test rows.

    >>> hardly_better("boosting", {"roc_auc": 0.7, "average_precision": 0.05}, 0.02)
    ''
    >>> hardly_better("boosting", {"roc_auc": 0.53, "average_precision": 0.022}, 0.02)
    'boosting is hardly better than chance: roc_auc 0.530 (chance: 0.5), average_precision 0.022 (base rate: 0.020)'
    """
    of_candidates = metrics.get("roc_auc_of_candidates")
    auc_name = "roc_auc" if of_candidates is None else "roc_auc_of_candidates"
    auc, precision = metrics[auc_name], metrics["average_precision"]
    if auc >= _ROC_AUC and precision >= base_rate + _GAIN * min(base_rate, 1 - base_rate):
        return ""
    return (
        f"{name} is hardly better than chance: {auc_name} {auc:.3f} (chance: 0.5), "
        f"average_precision {precision:.3f} (base rate: {base_rate:.3f})"
    )
