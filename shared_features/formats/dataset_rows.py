"""Parts of the dataset manifest: where the rows of an exported dataset come from, and how they were divided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class BroughtSpine:
    """Rows that a user brought. digest: of their table. truth, lag_us: which events count by the instant of a row; the
    features of a row that is "logged" are those of the prediction log.

    label: the column of the table that is the label; "" where there is none. joined: whether it is the label of the
    view, as it was known at the cutoff, and not of the user's own.
    """

    rows: int
    digest: str
    truth: Literal["as-served", "event-time", "logged"]
    lag_us: int
    label: str = ""
    joined: bool = False


@dataclass(frozen=True)
class Division:
    """How rows without windows were divided: by the hash of an entity, by class, in folds of time, or as a column says.

    of: the entity or the column; "" stratifies by the label. folds: how many test folds there are; sliding, where a
    fold trains on the span before it alone and not on all that came before. gap_us: between the end of training and the
    start of a test fold. test_share: which part of the entities, or of each class, is for the test. train_labels: a
    row to train on has the label of the view that was known when the test began; false of an older release.
    """

    kind: Literal["entity", "stratified", "folds", "sliding-folds", "column"]
    of: str = ""
    folds: int = 0
    gap_us: int = 0
    test_share: float = 0.25
    seed: int = 0
    train_labels: bool = False
