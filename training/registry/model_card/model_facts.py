"""What a model card is written from, and how facts stand in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared_features.formats.dataset_manifest import DatasetManifest
from shared_features.formats.model_manifest import ModelManifest
from training.facts import shown
from training.registry.model_card.document_text import Table


@dataclass(frozen=True)
class ModelFacts:
    """What a model card is written from.

    metrics: of `metrics.json`. curves: candidate -> curve -> points. missing: feature -> share of missing values in the
    train window. floors: the worst values that may become champion. expectations: of `validation.json`.
    trained_elsewhere: by another framework, of which no run saw the training. unproven: why neither on-demand functions
    nor what serving reads could be tried; empty where they were. order_doubts: of `order_doubts`.
    """

    manifest: ModelManifest
    dataset: DatasetManifest
    metrics: Mapping[str, Any]
    floors: Mapping[str, float]
    curves: Mapping[str, Any] = field(default_factory=dict)
    missing: Mapping[str, float] = field(default_factory=dict)
    owner: str = ""
    description: str = ""
    made_by: str = ""
    expectations: Sequence[Mapping[str, Any]] = ()
    trained_elsewhere: bool = False
    unproven: str = ""
    order_doubts: Sequence[str] = ()


def fact_table(rows: Mapping[str, Any]) -> Table:
    """Names and values, without those that are empty."""
    return Table(("", ""), [(name, shown(value)) for name, value in rows.items() if shown(value)])
