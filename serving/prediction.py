"""Predictions of one view: concurrent requests share a round trip to the online store, and each gets its own answer.

While a round trip is under way, requests gather. When it is answered, the next round trip takes all that gathered.
A request that finds no round trip under way starts one at once. Nothing is computed for a client that has left, or that
has waited so long that the service is overloaded: the others would wait for it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.answers import write_answer
from serving.asking_client import AskingClient
from serving.earliest_instant import early_instant
from serving.errors import (
    BrokenViewError,
    CatchingUpError,
    ClockBehindError,
    EarlyInstantError,
    FailedModelError,
    InvalidRequestError,
    OnlineStoreError,
    OverloadedError,
    UnreadableStateError,
)
from serving.explained_rows import ExplainedRows
from serving.explanation import Explanation
from serving.feature_vector import FeatureRows, FeatureVectors, ReadPlan
from serving.log import get_log
from serving.metrics import Metrics
from serving.models import Model, one_number
from serving.online_store import OnlineStore, Values
from serving.request_body import PredictionRequest, RequestBody
from shared_features.definitions import FeatureView
from shared_features.errors import OnDemandError

_LOG = get_log("serving")
_MOST_ROWS = 1024
_ROWS_IN_LOOP = 32  # below, computing takes about a millisecond; above, the event loop must not wait for it

Refusal = CatchingUpError | ClockBehindError | EarlyInstantError | UnreadableStateError | FailedModelError


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: PredictionRequest
    as_of_us: int
    model: Model
    client: AskingClient
    answer: asyncio.Future[bytes]


class Predictor:
    """Answers the requests of one view; lives on one event loop."""

    def __init__(
        self,
        view: FeatureView,
        body: RequestBody,
        vectors: FeatureVectors,
        store: OnlineStore,
        metrics: Metrics,
        *,
        allow_degraded: bool,
        max_waiting: int,
        max_wait_s: float,
    ) -> None:
        self._view = view.label
        self._names = tuple(column.name for column in view.columns)
        self._body, self._vectors, self._store, self._metrics = body, vectors, store, metrics
        self._explained = ExplainedRows(view)
        self._allow_degraded = allow_degraded
        self._max_waiting, self._max_wait_s = max_waiting, max_wait_s
        self._pending: list[_Waiting] = []
        self._rows_waiting = 0
        self._flight: asyncio.Task[None] | None = None
        self._told: set[tuple[Any, ...]] = set()

    def check_load(self, client: AskingClient) -> None:
        """Raises OverloadedError where the answer would come too late: nothing has been done for the request yet."""
        oldest = self._pending[0].client if self._pending else client
        if client.has_waited(self._max_wait_s) or oldest.has_waited(self._max_wait_s):
            self._let_go_of_who_left()
            raise OverloadedError(self._too_long())

    def predict(
        self, request: PredictionRequest, as_of_us: int, model: Model, client: AskingClient
    ) -> asyncio.Future[bytes]:
        """The answer's JSON, soon. Raises OverloadedError; the future raises that and the other refusals."""
        rows = len(request.instances)
        if self._rows_waiting + rows > self._max_waiting:
            self._let_go_of_who_left()
        if self._rows_waiting + rows > self._max_waiting and self._pending:
            raise OverloadedError(f"{self._rows_waiting} instances are waiting already. Send the request again later.")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(request, as_of_us, model, client, loop.create_future())
        self._pending.append(waiting)
        self._rows_waiting += rows
        if self._flight is None:
            self._flight = loop.create_task(self._fly())
        return waiting.answer

    def warm_up(self, instances: Sequence[Any]) -> None:
        """Run the code of a request once, so that it is compiled or loaded from the cache."""
        columns = self._body.columns(instances)
        plan = self._vectors.plan(columns)
        nothing: list[Values] = [[None] * len(keys) for keys in plan.reads]
        self._vectors.compute(plan, nothing, np.zeros(len(instances), np.int64))

    async def _fly(self) -> None:
        try:
            while self._pending:
                self._let_go_of_who_left()
                batch, rows = self._take()
                if not batch:
                    break
                try:
                    await self._answer(batch, rows)
                except OnDemandError as error:
                    await self._answer_alone(batch, error)
                except Exception as error:  # a bug: every request of this batch fails, the next batch is answered
                    _fail(batch, error)
        finally:
            self._flight = None

    async def _answer_alone(self, batch: list[_Waiting], error: OnDemandError) -> None:
        """An on-demand function raised: only the requests whose own rows make it raise are refused."""
        if len(batch) == 1:
            self._tell_once("refusing a request: an on-demand function raised", error)
            _fail(batch, BrokenViewError(f"View {self._view}: {error}. Correct the function."))
            return
        for each in batch:
            try:
                await self._answer([each], len(each.request.instances))
            except OnDemandError as own:
                await self._answer_alone([each], own)

    def _too_long(self) -> str:
        return f"Requests wait for longer than {self._max_wait_s:g} seconds. Send the request again later."

    def _let_go_of_who_left(self) -> None:
        """Refuse the requests whose client has left, and those that have waited for too long."""
        staying = []
        for each in self._pending:
            if each.client.has_left:
                _fail([each], InvalidRequestError("The client closed the connection before the answer.", path="$"))
            elif each.client.has_waited(self._max_wait_s):
                _fail([each], OverloadedError(self._too_long()))
            else:
                staying.append(each)
        if len(staying) < len(self._pending):
            self._pending, self._rows_waiting = staying, sum(len(each.request.instances) for each in staying)

    def _take(self) -> tuple[list[_Waiting], int]:
        """The requests of the next round trip; at least one, where one is pending."""
        batch, rows = self._pending, self._rows_waiting
        if rows > _MOST_ROWS:
            rows = count = 0
            for waiting in self._pending:
                if count and rows + len(waiting.request.instances) > _MOST_ROWS:
                    break
                rows, count = rows + len(waiting.request.instances), count + 1
            batch, self._pending = self._pending[:count], self._pending[count:]
        else:
            self._pending = []
        self._rows_waiting -= rows
        return batch, rows

    async def _answer(self, batch: list[_Waiting], rows: int) -> None:
        plan = self._vectors.plan(self._body.columns([row for each in batch for row in each.request.instances]))
        began = time.perf_counter()
        unavailable: OnlineStoreError | None = None
        values: Sequence[Values] = ()
        try:
            values = await self._store.read(plan.reads)
        except OnlineStoreError as error:
            unavailable = error
        self._metrics.online_read(rows, time.perf_counter() - began)
        if unavailable is not None:
            self._give_up(batch, plan, unavailable)
        elif rows <= _ROWS_IN_LOOP and not any(each.request.explain for each in batch):
            _settle(batch, self._compute(batch, plan, values))
        else:
            loop = asyncio.get_running_loop()
            _settle(batch, await loop.run_in_executor(None, self._compute, batch, plan, values))

    def _give_up(self, batch: list[_Waiting], plan: ReadPlan, error: OnlineStoreError) -> None:
        """The store is unavailable. Requests that gathered meanwhile have waited for it too: they fail as well."""
        if self._allow_degraded:
            as_of_us = _instants(batch)
            rows = self._vectors.without_store(plan.columns, as_of_us, error.detail)
            _settle(batch, self._answers(batch, rows, plan, ()))
            return
        _fail(batch, error)
        _fail(self._pending, error)
        self._pending, self._rows_waiting = [], 0

    def _compute(self, batch: list[_Waiting], plan: ReadPlan, values: Sequence[Values]) -> list[bytes | Refusal]:
        return self._answers(batch, self._vectors.compute(plan, values, _instants(batch)), plan, values)

    def _answers(
        self, batch: list[_Waiting], rows: FeatureRows, plan: ReadPlan, values: Sequence[Values]
    ) -> list[bytes | Refusal]:
        answers: list[bytes | Refusal] = []
        start = 0
        for each in batch:
            stop = start + len(each.request.instances)
            answers.append(self._outcome(each, rows, start, stop, plan, values))
            start = stop
        self._metrics.rows_read(rows.groups)
        return answers

    def _outcome(
        self, waiting: _Waiting, rows: FeatureRows, start: int, stop: int, plan: ReadPlan, values: Sequence[Values]
    ) -> bytes | Refusal:
        """Of one request, whose rows are start..stop."""
        request, model = waiting.request, waiting.model
        problem, early = _problem(rows, start, stop), _early(self._view, request, rows, start, stop)
        if early is not None:
            return early
        if problem is not None and not self._allow_degraded:
            return problem
        if problem is not None:
            self._metrics.degraded(self._view)
        scores = self._scores(model, rows.matrix[start:stop])
        if isinstance(scores, FailedModelError):
            return scores
        names = self._names if request.include_features else None
        why = self._why(plan, values, rows, start, stop) if request.explain else None
        return write_answer(self._view, model, waiting.as_of_us, scores, rows, start, names, why)

    def _scores(self, model: Model, matrix: NDArray[np.float32]) -> list[Any] | FailedModelError:
        named = f"Model {model.name} {model.version}"
        try:
            scores = model.score(matrix)
        except Exception as error:  # whatever the graph raises for these rows; other requests of the batch are answered
            self._tell_once("refusing a request: a model raised", error, model=model.name, version=model.version)
            return FailedModelError(f"{named} raised {type(error).__name__} for this request.")
        numbers = list(map(one_number, scores))
        if math.isfinite(sum(numbers)):
            return scores
        row, score = next(((row, each) for row, each in enumerate(numbers) if not math.isfinite(each)), (0, math.inf))
        failed = FailedModelError(f"{named} gave {score} instead of a number for the instance $.instances[{row}].")
        self._tell_once("refusing a request: a model gave no number", failed, model=model.name, version=model.version)
        return failed

    def _tell_once(self, event: str, error: Exception, **facts: Any) -> None:
        """With its traceback, and not again for each request that meets the same fault."""
        fault = event, type(error), *facts.values()
        if fault not in self._told:
            self._told.add(fault)
            _LOG.error(event, view=self._view, exc_info=error, **facts)

    def _why(
        self, plan: ReadPlan, values: Sequence[Values], rows: FeatureRows, start: int, stop: int
    ) -> list[Explanation]:
        return [self._explained.explanation(plan, values, rows, row) for row in range(start, stop)]


def _problem(rows: FeatureRows, start: int, stop: int) -> Refusal | None:
    for group in rows.groups:
        for problem, unreadable in zip(group.problems[start:stop], group.unreadable[start:stop], strict=True):
            if problem is not None:
                return (UnreadableStateError if unreadable else CatchingUpError)(problem, group=group.name)
    return None


def _early(
    view: str, request: PredictionRequest, rows: FeatureRows, start: int, stop: int
) -> EarlyInstantError | ClockBehindError | None:
    for group in rows.groups:
        for row, exact_us in enumerate(group.exact_from_us[start:stop]):
            if exact_us is not None and group.problems[start + row] is None:
                return early_instant(view, request, row, group.group, int(rows.as_of_us[start + row]), exact_us)
    return None


def _instants(batch: list[_Waiting]) -> NDArray[np.int64]:
    return np.array([instant for each in batch for instant in each.request.instants(each.as_of_us)], np.int64)


def _settle(batch: Sequence[_Waiting], answers: Sequence[bytes | Exception]) -> None:
    for each, answer in zip(batch, answers, strict=True):
        if each.answer.done():  # its client has gone
            continue
        if isinstance(answer, bytes):
            each.answer.set_result(answer)
        else:
            each.answer.set_exception(answer)


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    _settle(batch, [error] * len(batch))
