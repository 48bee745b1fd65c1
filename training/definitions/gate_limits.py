"""What the gate asks of scores and of the graph, beside metrics, floors and slices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared_features.arguments import Checked
from shared_features.errors import DefinitionError


@dataclass(frozen=True)
class GateLimits(metaclass=Checked):
    """A version that misses a limit stays a challenger. None: of `graph_bytes`, `row_us` and `batch_us` nothing is
    asked; of the others the gate warns where they are far from the champion's.

    psi: the largest population stability index of the scores against the champion's on the same rows.
    rank_correlation: the least with them. changed: the largest share of rows with another decision or class.
    graph_bytes: of model.onnx. row_us, batch_us: processor time of one row and of 100 in ONNX Runtime, microseconds.
    size_ratio, time_ratio: how many times the champion's bytes and times the graph's may be.
    """

    psi: float | None = None
    rank_correlation: float | None = None
    changed: float | None = None
    graph_bytes: int | None = None
    row_us: float | None = None
    batch_us: float | None = None
    size_ratio: float | None = None
    time_ratio: float | None = None

    def __post_init__(self) -> None:
        for name in ("psi", "graph_bytes", "row_us", "batch_us", "size_ratio", "time_ratio"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise DefinitionError(f"GateLimits({name}={value:g}): give more than 0, or leave it out")
        if self.rank_correlation is not None and not -1 <= self.rank_correlation <= 1:
            raise DefinitionError(
                f"GateLimits(rank_correlation={self.rank_correlation:g}): give a number from -1 to 1, such as 0.9"
            )
        if self.changed is not None and not 0 <= self.changed < 1:
            raise DefinitionError(
                f"GateLimits(changed={self.changed:g}): give a share of the rows from 0 to less than 1, such as 0.05"
            )

    @property
    def beside_champion(self) -> bool:
        """Whether something is asked that only a champion can answer."""
        asked = (self.psi, self.rank_correlation, self.changed, self.size_ratio, self.time_ratio)
        return any(each is not None for each in asked)


def limit_faults(limits: GateLimits, task: str, threshold: float | None) -> Iterator[str]:
    """What does not fit the model: a limit of decisions where nothing is decided."""
    if limits.changed is None or task == "multiclass":
        return
    if task == "regression":
        yield "limits asks for changed decisions, and a value decides nothing; leave changed out"
    elif threshold is None:
        yield "limits asks for changed decisions, and without a threshold nothing is decided; give threshold=..."
