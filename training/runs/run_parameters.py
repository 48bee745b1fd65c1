"""What a training run is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared_features.definitions import FeatureView
from shared_features.formats.dataset_manifest import DatasetParameters
from training.models.candidates import CANDIDATES
from training.models.certificate import TOLERANCE
from training.registry.gate import DEFAULT_FLOORS, DEFAULT_TOLERANCE


@dataclass(frozen=True)
class RunParameters:
    """What a run is asked for, beside the dataset's parameters. k: entities looked at per day."""

    view: FeatureView
    dataset: DatasetParameters = field(default_factory=DatasetParameters)
    models: tuple[str, ...] = tuple(CANDIDATES)
    k: int = 100
    parity_tolerance: float = TOLERANCE
    floors: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_FLOORS))
    gate_tolerance: float = DEFAULT_TOLERANCE

    @property
    def seed(self) -> int:
        return self.dataset.seed
