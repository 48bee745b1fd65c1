"""Predictions of one view: concurrent requests share a round trip to the online store, and each gets its own answer.

While a round trip is under way, requests gather. When it is answered, the next round trip takes all that gathered,
and those that come within a moment. While the rows of one are computed in a thread, another is made if enough wait.
A request that finds no round trip under way starts one at once. Nothing is computed for a client that has left, or that
has waited so long that the service is overloaded: the others would wait for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from serving.connections.asking_client import AskingClient
from serving.errors import BrokenViewError, OnlineStoreError, OverloadedError
from serving.metrics import Metrics
from serving.models.model import Model
from serving.models.run_guard import RunGuard
from serving.online_store.online_store import OnlineStore, Values
from serving.prediction.batch_answers import Asked, BatchAnswers, Outcome
from serving.prediction.shadow import Shadow
from serving.prediction.slow_lane import SlowLane
from serving.prediction.waiting_requests import ENOUGH_ROWS, Waiting, WaitingRequests, fail
from serving.prediction_log.prediction_log import PredictionLog
from serving.request.request_body import PredictionRequest, RequestBody
from serving.tracing.stages import READ, laps_of
from shared_features.definitions import FeatureView
from shared_features.errors import OnDemandError
from shared_features.stored_features.feature_vectors import FeatureVectors

_AT_ONCE = 3
"""Round trips of many rows at once: half of the time to compute one is in compiled code, others need not wait for that.
Batches of a hundred come to 23,000 rows/s one by one, to 30,600 with two at once, to 34,000 with three, on two cores.
"""
_MODELS_IN_LOOP_S = 0.002  # of all models of a batch together, as measured


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
        model_within_s: float,
        log: PredictionLog | None = None,
        shadow: Shadow | None = None,
    ) -> None:
        self._view = view.label
        self._store, self._metrics = store, metrics
        self._answers = BatchAnswers(
            view, body, vectors, metrics, allow_degraded=allow_degraded, log=log, shadow=shadow
        )
        self._allow_degraded = allow_degraded
        self._max_waiting, self._pending = max_waiting, WaitingRequests(max_wait_s)
        self._flights: set[asyncio.Task[None]] = set()
        self._in_loop, self._guards = RunGuard(), [RunGuard() for _ in range(_AT_ONCE)]
        self._slow = SlowLane(model_within_s)

    def check_load(self, client: AskingClient) -> None:
        """Raises OverloadedError where the answer would come too late: nothing has been done for the request yet."""
        self._pending.check_load(client)

    def predict(
        self,
        request: PredictionRequest,
        as_of_us: int,
        model: Model | None,
        client: AskingClient,
        challenger: Model | None = None,
    ) -> asyncio.Future[bytes]:
        """The answer's JSON, soon; of features alone without a model. challenger: is compared with the model later.

        Raises OverloadedError; the future raises that and the other refusals.
        """
        asked = Asked(request, as_of_us, model, client, challenger)
        if self._rows_here + asked.rows > self._max_waiting:
            self._pending.let_go_of_who_left()
        if self._rows_here + asked.rows > self._max_waiting and self._rows_here:
            raise OverloadedError(f"{self._rows_here} instances are waiting already. Send the request again later.")
        loop = asyncio.get_running_loop()
        waiting = Waiting(asked, client, loop.create_future())
        self._pending.add(waiting)
        self._start()
        return waiting.answer

    def warm_up(self, instances: Sequence[Any]) -> None:
        """Run the code of a request once, so that it is compiled or loaded from the cache."""
        self._answers.warm_up(instances)

    @property
    def _rows_here(self) -> int:
        return self._pending.rows + self._slow.rows

    def _start(self) -> None:
        """Begin a round trip where none is under way, or all are computed in threads and enough rows wait."""
        under_way = len(self._flights)
        in_threads = _AT_ONCE - len(self._guards)
        if not under_way or (in_threads == under_way < _AT_ONCE and self._pending.rows >= ENOUGH_ROWS):
            self._flights.add(asyncio.get_running_loop().create_task(self._fly()))

    async def _fly(self) -> None:
        try:
            while self._pending:
                self._pending.let_go_of_who_left()
                batch, rows = self._pending.take()
                if not batch:
                    break
                try:
                    await self._answer(batch, rows)
                except OnDemandError as error:
                    await self._answer_alone(batch, error)
                except Exception as error:  # a bug: every request of this batch fails, the next batch is answered
                    fail(batch, error)
                await self._pending.gather()
        finally:
            self._flights.discard(cast(asyncio.Task[None], asyncio.current_task()))

    async def _answer_alone(self, batch: list[Waiting], error: OnDemandError) -> None:
        """An on-demand function raised: only the requests whose own rows make it raise are refused."""
        if len(batch) == 1:
            self._answers.tell_once("refusing a request: an on-demand function raised", error)
            fail(batch, BrokenViewError(f"View {self._view}: {error}. Correct the function."))
            return
        for each in batch:
            try:
                await self._answer([each], each.asked.rows)
            except OnDemandError as own:
                await self._answer_alone([each], own)

    async def _answer(self, batch: list[Waiting], rows: int) -> None:
        asked = [each.asked for each in batch]
        plan = self._answers.plan([row for each in asked for row in each.request.instances])
        laps = laps_of(asked)
        began = time.perf_counter()
        unavailable: OnlineStoreError | None = None
        values: Sequence[Values] = ()
        try:
            values = await self._store.read(plan.reads)
        except OnlineStoreError as error:
            unavailable = error
        self._metrics.online_read(rows, time.perf_counter() - began)
        laps.ended(READ)
        compute: Callable[[RunGuard], list[Outcome]]
        if unavailable is None:
            compute = partial(self._answers.compute, asked, plan, values)
        elif self._allow_degraded:
            compute = partial(self._answers.without_store, asked, plan, unavailable.detail)
        else:
            self._give_up(batch, unavailable)
            return
        if (
            rows <= ENOUGH_ROWS
            and self._answers.seconds(asked) <= _MODELS_IN_LOOP_S
            and not any(each.request.explain for each in asked)
        ):
            self._settle(batch, compute(self._in_loop))
        else:
            self._settle(batch, await self._in_a_thread(compute))

    async def _in_a_thread(self, compute: Callable[[RunGuard], list[Outcome]]) -> list[Outcome]:
        guard = self._guards.pop()
        computing = asyncio.get_running_loop().run_in_executor(None, compute, guard)
        self._start()
        try:
            return await computing
        finally:
            self._guards.append(guard)

    def _give_up(self, batch: list[Waiting], error: OnlineStoreError) -> None:
        """The store is unavailable. Requests that gathered meanwhile have waited for it too: they fail as well."""
        fail(batch, error)
        self._pending.fail_all(error)

    def _settle(self, batch: Sequence[Waiting], answers: Sequence[Outcome]) -> None:
        for each, answer in zip(batch, answers, strict=True):
            if each.answer.done():  # its client has gone
                continue
            if isinstance(answer, bytes):
                each.answer.set_result(answer)
            elif isinstance(answer, Exception):
                each.answer.set_exception(answer)
            else:
                self._slow.take(answer, each.asked.rows, each.answer, each.client)
