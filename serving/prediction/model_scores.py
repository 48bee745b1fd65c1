"""Scores of one view's models: those of a request, or why there are none, and which models are too slow for a batch."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from serving.errors import FailedModelError, SlowModelError
from serving.models.model import Model, one_number
from serving.models.run_guard import TIMES_LONGER, RunGuard

_SLOW_S = 0.005
"""A request whose model was measured to take longer is not scored with the others of its batch."""
_LONGEST_S = 0.025
"""No run is ended before."""
_WARY_S = 10.0
"""After two such runs within this time the models of the view count as slow for as long. One may be the machine's."""


class TellOnce(Protocol):
    """Logs a fault with its traceback, once."""

    def __call__(self, event: str, error: Exception, **facts: Any) -> None: ...


class ModelScores:
    """Of the models of one view. tell_once: where its faults are told."""

    def __init__(self, tell_once: TellOnce) -> None:
        self._tell_once = tell_once
        self._wary_until_s = 0.0
        self._ended_s = -_WARY_S

    def is_slow(self, model: Model, rows: int) -> bool:
        """Whether others must not wait while the model scores so many rows."""
        return model.row_s * rows > _SLOW_S or (self._wary_until_s > 0 and time.monotonic() < self._wary_until_s)

    def bounded(self, model: Model, rows: int, guard: RunGuard) -> AbstractContextManager[Any]:
        """Of a run of so many rows the options: it is ended where it takes much longer than was measured."""
        return model.guarded(guard, max(_LONGEST_S, TIMES_LONGER * model.row_s * rows))

    def took_longer(self, model: Model, error: SlowModelError) -> None:
        """A run was ended. Where it is the second one in a while, the models of the view count as slow."""
        now_s, before_s = time.monotonic(), self._ended_s
        self._ended_s = now_s
        if now_s - before_s < _WARY_S:
            self._wary_until_s = now_s + _WARY_S
        event = "scoring in a thread: a model took much longer than measured"
        self._tell_once(event, error, model=model.name, version=model.version)

    def together(self, model: Model, seen: NDArray[np.float32], options: Any) -> list[Any] | None:
        """Of the rows of several requests from one run; None where each of them must hear of a fault of its own."""
        try:
            scores = model.score(seen, options)
        except Exception:  # told when the request that it is the fault of is scored alone
            return None
        return scores if math.isfinite(sum(map(one_number, scores))) else None

    def of(
        self, model: Model, seen: NDArray[np.float32], options: Any
    ) -> list[Any] | FailedModelError | SlowModelError:
        """One per row, as `Model.score` gives them. SlowModelError: `options.terminate` was set meanwhile, whether that
        ended the run, or the last node of a graph or a walk of trees ran to its end.
        """
        named = f"Model {model.name} {model.version}"
        slow = SlowModelError(f"{named} takes too long for this request. Send fewer instances.")
        try:
            scores = model.score(seen, options)
        except Exception as error:  # whatever the graph raises for these rows; other requests of the batch are answered
            if options is not None and options.terminate:
                return slow
            self._tell_once("refusing a request: a model raised", error, model=model.name, version=model.version)
            return FailedModelError(f"{named} raised {type(error).__name__} for this request.")
        if options is not None and options.terminate:
            return slow
        numbers = list(map(one_number, scores))
        if math.isfinite(sum(numbers)):
            return scores
        row, score = next(((row, each) for row, each in enumerate(numbers) if not math.isfinite(each)), (0, math.inf))
        failed = FailedModelError(f"{named} gave {score} instead of a number for the instance $.instances[{row}].")
        self._tell_once("refusing a request: a model gave no number", failed, model=model.name, version=model.version)
        return failed
