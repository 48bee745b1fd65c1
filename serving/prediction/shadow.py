"""Shadow scoring: what was answered is scored by the challenger, too, in a thread of its own. No answer waits for it.

The scores are counted and compared, and not returned. What waits is bounded; beyond that, instances are dropped and
counted. The prediction log holds what the models saw, so any version can be scored on it later, too.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.answer.written_answer import most_probable
from serving.bounded_queue import BoundedQueue
from serving.log import get_log
from serving.models.challenger_metrics import ChallengerMetrics
from serving.models.model import Model, one_number
from serving.models.run_guard import RunGuard
from shared_features.stored_features.feature_vectors import FeatureRows

_LOG = get_log("serving.shadow")
_MOST_ROWS = 8192
_ENDS_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class _Answered:
    view: str
    model: Model
    challenger: Model
    matrix: NDArray[np.float32]
    codes: NDArray[np.float64] | None
    scores: Sequence[Any]


class Shadow:
    """Of one process. within_s: how long a challenger may take for the instances of one request."""

    def __init__(self, metrics: ChallengerMetrics, within_s: float) -> None:
        self._metrics, self._within_s = metrics, within_s
        self._left: BoundedQueue[_Answered] = BoundedQueue(_MOST_ROWS)
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._guard, self._told = RunGuard(), set[tuple[str, int]]()

    def start(self) -> None:
        """Begin to score."""
        self._thread.start()

    def stop(self) -> None:
        """End without what is left."""
        self._left.end()
        self._thread.join(_ENDS_WITHIN_S)

    def take(
        self, view: str, model: Model, challenger: Model, rows: FeatureRows, start: int, scores: Sequence[Any]
    ) -> None:
        """Compare an answer of the model soon, whose rows are those from `start`, one per score. Takes no time."""
        stop = start + len(scores)
        codes = None if rows.codes is None else rows.codes[start:stop]
        answered = _Answered(view, model, challenger, rows.matrix[start:stop], codes, scores)
        if not self._left.put(answered, len(scores)):
            self._metrics.unscored(view, "dropped", len(scores))

    def _run(self) -> None:
        while not self._left.has_ended:
            self._left.wait()
            for answered in self._left.items():
                if self._left.has_ended:
                    return
                self._compare(answered)

    def _compare(self, answered: _Answered) -> None:
        view, model, challenger = answered.view, answered.model, answered.challenger
        if model.task != challenger.task:
            self._metrics.unscored(view, "other task", len(answered.scores))
            return
        try:
            with challenger.guarded(self._guard, self._within_s) as options:
                scores = challenger.score(challenger.seen(answered.matrix, answered.codes), options)
        except Exception as error:  # whatever the graph raises; the answer was given already
            self._fail(answered, error)
            return
        for ours, theirs in zip(answered.scores, scores, strict=True):
            if np.isfinite(one_number(theirs)):
                self._metrics.scored(
                    view, difference(model, ours, challenger, theirs), same_decision(model, ours, challenger, theirs)
                )
            else:
                self._metrics.unscored(view, "failed", 1)

    def _fail(self, answered: _Answered, error: Exception) -> None:
        challenger = answered.challenger
        self._metrics.unscored(answered.view, "failed", len(answered.scores))
        if (named := (challenger.name, challenger.version)) not in self._told:
            self._told.add(named)
            _LOG.error("a challenger failed to score", view=answered.view, model=challenger.name,
                       version=challenger.version, exc_info=error)  # fmt: skip


def difference(model: Model, ours: Any, challenger: Model, theirs: Any) -> float:
    """How far two scores of the same instance are apart, of models of one task. See the metric."""
    if model.task == "multiclass":
        one, other = (dict(zip(each.classes, p, strict=True)) for each, p in ((model, ours), (challenger, theirs)))
        return max(abs(float(one.get(name, 0.0)) - float(other.get(name, 0.0))) for name in {*one, *other})
    one_value, other_value = float(ours), float(theirs)
    apart = abs(one_value - other_value)
    return apart if model.task == "binary" or not apart else apart / max(abs(one_value), abs(other_value))


def same_decision(model: Model, ours: Any, challenger: Model, theirs: Any) -> bool | None:
    """Whether two models of one task decide the same for an instance; None where they decide nothing."""
    if model.task == "multiclass":
        return most_probable(model.classes, ours) == most_probable(challenger.classes, theirs)
    if model.threshold is None or challenger.threshold is None:
        return None
    return bool((ours >= model.threshold) == (theirs >= challenger.threshold))
