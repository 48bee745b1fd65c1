"""What a training run is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

import msgspec

from shared_features.definitions import FeatureView
from shared_features.formats.dataset_manifest import DatasetParameters
from training.models.model_constants import MODELS, TOLERANCE
from training.registry.gate import DEFAULT_FLOORS, DEFAULT_TOLERANCE


@dataclass(frozen=True)
class RunParameters:
    """What a run is asked for, beside the dataset's parameters. k: entities looked at per day."""

    view: FeatureView
    dataset: DatasetParameters = field(default_factory=DatasetParameters)
    models: tuple[str, ...] = MODELS
    k: int = 100
    parity_tolerance: float = TOLERANCE
    floors: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_FLOORS))
    gate_tolerance: float = DEFAULT_TOLERANCE

    @property
    def seed(self) -> int:
        return self.dataset.seed

    @property
    def plain(self) -> dict[str, Any]:
        """Everything but the view, as plain data; `from_plain` reads it."""
        found: dict[str, Any] = msgspec.to_builtins(
            {each.name: getattr(self, each.name) for each in fields(self) if each.name != "view"}
        )
        return found

    @classmethod
    def from_plain(cls, view: FeatureView, plain: Mapping[str, Any]) -> RunParameters:
        kinds = get_type_hints(cls)
        return cls(view, **{name: msgspec.convert(value, kinds[name]) for name, value in plain.items()})
