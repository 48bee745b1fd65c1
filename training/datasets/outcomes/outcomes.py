"""Outcomes: the label of each row of a spine, and which source of labels gave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.datasets.rows.sorted_numbers import Places


@dataclass(frozen=True)
class Outcomes:
    """Of `n` rows. label: null where it is not known. sent: whether somebody sent it; else its delay is over.

    source: int8[n], the place of the source that gave it, in the order of precedence; -1 where none did.
    """

    label: pl.Series
    sent: NDArray[np.bool_]
    source: NDArray[np.int8]

    @property
    def known(self) -> NDArray[np.bool_]:
        return self.label.is_not_null().to_numpy()

    def take(self, rows: Places) -> Outcomes:
        return Outcomes(self.label[rows], self.sent[rows], self.source[rows])

    def replaced(self, rows: Places, by: Outcomes) -> Outcomes:
        """With those of some rows replaced."""
        places = np.arange(len(self.label))
        places[rows] = len(self.label) + np.arange(len(rows))
        return Outcomes(
            pl.concat([self.label, by.label])[places],
            np.concatenate([self.sent, by.sent])[places],
            np.concatenate([self.source, by.source])[places],
        )


def of_one_source(label: pl.Series, sent: NDArray[np.bool_]) -> Outcomes:
    """Where there is no other source."""
    return Outcomes(label, sent, np.where(label.is_not_null().to_numpy(), 0, -1).astype(np.int8))


def first_known(found: Sequence[Outcomes]) -> Outcomes:
    """Of each row the outcome by the first source that knows it. found: of each source, in order of precedence."""
    first, *others = found
    label, sent, source = first.label, first.sent, first.source
    for place, each in enumerate(others, 1):
        takes = label.is_null().to_numpy() & each.known
        label = each.label.zip_with(pl.Series(takes, dtype=pl.Boolean), label)
        sent = np.where(takes, each.sent, sent)
        source = np.where(takes, np.int8(place), source)
    return Outcomes(label, sent, source)
