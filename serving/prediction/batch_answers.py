"""The answers of a batch: from what the online store holds to the answer or the refusal of each request.

It computes, and waits for nothing. Requests of one batch share a matrix; each has its own model and its own outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from serving.answer.explained_rows import ExplainedRows
from serving.answer.explanation import Explanation
from serving.answer.written_answer import features_of, write_answer
from serving.answer.written_features import WrittenFeatures
from serving.connections.asking_client import AskingClient
from serving.errors import (
    SlowModelError,
)
from serving.features.group_view import GroupView
from serving.log import get_log
from serving.metrics import Metrics
from serving.models.model import Model
from serving.models.run_guard import RunGuard
from serving.online_store.online_store import Values
from serving.prediction.model_scores import ModelScores
from serving.prediction.refusals import Refusal, instant_too_early, problem_of_rows
from serving.prediction.shadow import Shadow
from serving.prediction.shared_run import SharedRun, shared_runs
from serving.prediction.slow_lane import Later
from serving.prediction.view_log import ViewLog
from serving.prediction_log.prediction_log import PredictionLog
from serving.request.request_body import PredictionRequest, RequestBody
from serving.tracing.stages import FEATURES, MODEL, NO_LAPS, WRITE, lap_of, laps_of
from shared_features.definitions import FeatureView
from shared_features.stored_features.feature_vectors import FeatureRows, FeatureVectors, ReadPlan

_LOG = get_log("serving")

Outcome = bytes | Refusal | Later
"""The last where the model would hold up all others: it is for a thread of its own."""


class Asked(msgspec.Struct, frozen=True):
    """One request, the time it came, and the model that answers it; None where it wants the features alone.

    challenger: scores the instances afterwards, too.
    """

    request: PredictionRequest
    as_of_us: int
    model: Model | None
    client: AskingClient
    challenger: Model | None = None

    @property
    def rows(self) -> int:
        """How many rows of the matrix are its own."""
        return len(self.request.instances)


class _ToScore(NamedTuple):
    """A request before its score: its first row of the batch, what its model sees, and the explanations it wants."""

    asked: Asked
    model: Model
    rows: FeatureRows
    start: int
    seen: NDArray[np.float32]
    why: list[Explanation] | None


class BatchAnswers:
    """Computes the answers of one view."""

    def __init__(
        self,
        view: FeatureView,
        body: RequestBody,
        vectors: FeatureVectors,
        metrics: Metrics,
        *,
        allow_degraded: bool,
        log: PredictionLog | None = None,
        shadow: Shadow | None = None,
    ) -> None:
        self._view = view.label
        self._replayed = "" if isinstance(view, GroupView) else view.label
        self._written = WrittenFeatures(view)
        self._names = tuple(column.name for column in view.columns)
        self._categories = [column for column, _ in view.categories]
        self._body, self._vectors, self._metrics = body, vectors, metrics
        self._explained = ExplainedRows(view)
        self._allow_degraded = allow_degraded
        self._told: set[tuple[Any, ...]] = set()
        self._scores = ModelScores(self.tell_once)
        self._log = None if log is None else ViewLog(log, view)
        self._shadow = shadow

    def plan(self, instances: Sequence[Any]) -> ReadPlan:
        """What has to be read for these instances."""
        return self._vectors.plan(self._body.columns(instances))

    def warm_up(self, instances: Sequence[Any]) -> None:
        """Run the code of a request once, so that it is compiled or loaded from the cache."""
        plan = self.plan(instances)
        nothing: list[Values] = [[None] * len(keys) for keys in plan.reads]
        self._vectors.compute(plan, nothing, np.zeros(len(instances), np.int64))

    def seconds(self, batch: Sequence[Asked]) -> float:
        """How long their models will take, as measured, without those that count as slow."""
        slow = self._scores.is_slow
        return sum(
            each.model.row_s * each.rows for each in batch if each.model is not None and not slow(each.model, each.rows)
        )

    def compute(
        self, batch: Sequence[Asked], plan: ReadPlan, values: Sequence[Values], guard: RunGuard
    ) -> list[Outcome]:
        """Of each request in order, from the values that the plan reads."""
        laps = laps_of(batch)
        rows = self._vectors.compute(plan, values, _instants(batch))
        laps.ended(FEATURES)
        return self._answers(batch, rows, plan, values, guard)

    def without_store(self, batch: Sequence[Asked], plan: ReadPlan, why: str, guard: RunGuard) -> list[Outcome]:
        """Of each request in order, where nothing could be read. why: as the answers say it."""
        return self._answers(batch, self._vectors.without_store(plan.columns, _instants(batch), why), plan, (), guard)

    def tell_once(self, event: str, error: Exception, **facts: Any) -> None:
        """Log a fault with its traceback, and not again for each request that meets the same fault."""
        fault = event, type(error), *facts.values()
        if fault not in self._told:
            self._told.add(fault)
            _LOG.error(event, view=self._view, exc_info=error, **facts)

    def _answers(
        self, batch: Sequence[Asked], rows: FeatureRows, plan: ReadPlan, values: Sequence[Values], guard: RunGuard
    ) -> list[Outcome]:
        answers: list[Outcome] = []
        start = 0
        counts = [each.rows for each in batch]
        laps = laps_of(batch)
        shared = shared_runs([each.model for each in batch], counts, rows.matrix, rows.codes, self._scores, guard)
        if laps is not NO_LAPS:
            laps.ended(MODEL, [run is not None for run in shared])
        for each, count, run in zip(batch, counts, shared, strict=True):
            stop = start + count
            answers.append(self._outcome(each, rows, start, stop, plan, values, guard, run))
            start = stop
        self._metrics.rows_read(rows.groups)
        return answers

    def _outcome(
        self,
        asked: Asked,
        rows: FeatureRows,
        start: int,
        stop: int,
        plan: ReadPlan,
        values: Sequence[Values],
        guard: RunGuard,
        shared: SharedRun | None,
    ) -> Outcome:
        """Of one request, whose rows are start..stop."""
        request, model = asked.request, asked.model
        refusal = None if rows.flawless else self._refusal(request, rows, start, stop)
        if refusal is not None:
            return refusal
        if model is None:
            return self._written.write(asked.as_of_us, rows, start, stop, request.event_time_us)
        codes = None if rows.codes is None else rows.codes[start:stop]
        seen = model.seen(rows.matrix[start:stop], codes) if shared is None else shared.seen
        unseen = {} if codes is None else self._unseen(seen, codes)
        why = (
            self._why(plan, values, rows, start, unseen, features_of(self._names, model, seen))
            if request.explain
            else None
        )
        to_score = _ToScore(asked, model, rows, start, seen, why)
        if shared is not None:
            return self._answer(to_score, shared.scores)
        later = partial(self._scored, to_score)
        if self._scores.is_slow(model, asked.rows):
            return later
        with self._scores.bounded(model, asked.rows, guard) as options:
            answer = later(options)
        if isinstance(answer, SlowModelError):
            self._scores.took_longer(model, answer)
            return later
        return answer

    def _refusal(self, request: PredictionRequest, rows: FeatureRows, start: int, stop: int) -> Refusal | None:
        early = instant_too_early(self._replayed, request, rows, start, stop)
        problem = problem_of_rows(rows, start, stop)
        if early is not None or problem is None:
            return early
        if not self._allow_degraded:
            return problem
        self._metrics.degraded(self._view)
        return None

    def _scored(self, to_score: _ToScore, options: Any) -> bytes | Refusal:
        """The answer to a request, from what its model sees. options: of ONNX Runtime, for its runs."""
        laps = lap_of(to_score.asked.client)
        scores = self._scores.of(to_score.model, to_score.seen, options)
        laps.ended(MODEL)
        return self._answer(to_score, scores) if isinstance(scores, list) else scores

    def _answer(self, scored: _ToScore, scores: list[Any]) -> bytes:
        asked, model, rows, start, seen, why = scored
        laps = lap_of(asked.client)
        if self._shadow is not None and asked.challenger is not None:
            self._shadow.take(self._view, model, asked.challenger, rows, start, scores)
        named_us = asked.request.event_time_us
        shown = features_of(self._names, model, seen) if asked.request.include_features else None
        number, prediction_id = (0, msgspec.UNSET) if self._log is None else self._log.next()
        answer = write_answer(
            self._view, model, asked.as_of_us, scores, rows, start, shown, why, prediction_id, named_us=named_us
        )
        if self._log is not None:
            self._log.take(number, asked.request, asked.client, model, seen, scores, answer)
        laps.ended(WRITE)
        return answer

    def _unseen(self, seen: NDArray[np.float32], codes: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
        """Category -> rows with a value that the model was not trained on, which scores as a missing one. Counted."""
        found = {}
        for at, column in enumerate(self._categories):
            unseen = np.isnan(seen[:, column]) & ~np.isnan(codes[:, at])
            if count := int(unseen.sum()):
                self._metrics.unseen_categories(self._view, self._names[column], count)
                found[self._names[column]] = unseen
        return found

    def _why(
        self,
        plan: ReadPlan,
        values: Sequence[Values],
        rows: FeatureRows,
        start: int,
        unseen: Mapping[str, NDArray[np.bool_]],
        known: Sequence[Mapping[str, Any]],
    ) -> list[Explanation]:
        return [
            self._explained.explanation(
                plan, values, rows, start + at, {name for name, found in unseen.items() if found[at]}, each
            )
            for at, each in enumerate(known)
        ]


def _instants(batch: Sequence[Asked]) -> NDArray[np.int64]:
    return np.array([instant for each in batch for instant in each.request.instants(each.as_of_us)], np.int64)
