"""When boosting stops to add trees: where rows that it does not learn from are answered best."""

from __future__ import annotations

from dataclasses import dataclass

from shared_features.arguments import Checked
from shared_features.errors import DefinitionError


@dataclass(frozen=True)
class EarlyStopping(metaclass=Checked):
    """share: of the train window's rows, the latest, which tell how many rounds to take. patience: rounds without a
    better loss after which no further one is tried.

    Then the model is fitted with so many rounds on all rows of the train window.
    """

    share: float = 0.1
    patience: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.share <= 0.5:
            raise DefinitionError(f"EarlyStopping(share={self.share:g}): give more than 0 and at most 0.5, such as 0.1")
        if self.patience < 1:
            raise DefinitionError(f"EarlyStopping(patience={self.patience}): give 1 or more, such as 20")
