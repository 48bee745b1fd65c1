"""What a sample of events shows of the values of one field."""

from __future__ import annotations

import numpy as np

from shared_features.counted import counted
from shared_features.definitions.expectations.aspect import Aspect
from streaming.archive.expectations.arrived import Arrived, Reached
from streaming.archive.expectations.finding import Finding

_FEWEST_FOR_A_SHARE = 100
"""Of fewer events a share says little: one of ten that lacks a value is 10 %."""
_SHOWN = 3


class ValueCheck:
    """Of one aspect. Every event of the sample is a check."""

    def __init__(self, aspect: Aspect) -> None:
        self._aspect = aspect
        self._events = self._failing = 0
        self._examples: list[str] = []

    def see(self, stored: Arrived, sample: Arrived) -> None:
        column, events = self._aspect.column, sample.events
        there = events.valid.get(column)
        missing = np.zeros(len(sample), np.bool_) if there is None else ~there
        fails = np.flatnonzero(self._aspect.fails(events.columns[column], missing))
        self._events += len(sample)
        self._failing += len(fails)
        shown = sample.offsets[fails[: _SHOWN - len(self._examples)]]
        self._examples += [f"{sample.partition}:{offset}" for offset in shown.tolist()]

    def look(self, reached: Reached) -> Finding | None:
        if self._events < (_FEWEST_FOR_A_SHARE if self._aspect.allowed else 1):
            return None
        aspect, met = self._aspect, self._aspect.is_met(self._failing, self._events)
        found = f"{self._failing:,} of {counted(self._events, 'sampled event')} {aspect.which}"
        examples = () if met else tuple(self._examples)
        finding = Finding(
            aspect.name, aspect.expects, found, met, aspect.warn, self._events, self._failing, examples
        )  # fmt: skip
        self._events, self._failing, self._examples = 0, 0, []
        return finding
