"""The windows of a model's training and test rows, by their lengths."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from shared_features.arguments import Checked
from shared_features.errors import DefinitionError
from shared_features.formats.dataset_manifest import DatasetParameters

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Split(metaclass=Checked):
    """Where a length is None, the data tell it. gap: from the end of the train window to the start of the test window.

    What a run says itself wins.
    """

    train: timedelta | None = None
    gap: timedelta | None = None
    test: timedelta | None = None

    def __post_init__(self) -> None:
        for name, length in (("train", self.train), ("gap", self.gap), ("test", self.test)):
            if length is not None and (length < timedelta(0) or (name != "gap" and not length)):
                least = "zero or more" if name == "gap" else "more than zero"
                raise DefinitionError(f"Split({name}=...) is {length / _DAY:g} days; give {least}, such as days(7)")

    def fill(self, asked: DatasetParameters) -> DatasetParameters:
        """With the lengths that a run does not say."""
        if asked.by_date:
            return asked
        return replace(
            asked,
            train_days=_first(asked.train_days, self.train),
            delay_days=_first(asked.delay_days, self.gap),
            test_days=_first(asked.test_days, self.test),
        )


def _first(days: float | None, length: timedelta | None) -> float | None:
    return days if days is not None or length is None else length / _DAY
