"""The lane of slow models: a request whose model takes long is scored in a thread, and nobody else waits for it.

Each request has a deadline. It is answered then, whatever the model does: a graph ends its run between two nodes, and
only a node that takes longer itself keeps its thread until it is done.

Measured for a lone request: 11 us to a thread of this queue and from it, 112 us by the executor of the event loop.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import onnxruntime

from serving.connections.asking_client import AskingClient
from serving.errors import ClientLeftError, RefusedRequestError, SlowModelError

_THREADS = 4

Later = Callable[[Any], "bytes | RefusedRequestError"]
"""The answer of a request, or its refusal, from a run of the model with these options of ONNX Runtime."""


@dataclass(frozen=True, slots=True)
class _Job:
    later: Later
    rows: int
    answer: asyncio.Future[bytes]
    client: AskingClient
    options: Any = field(default_factory=onnxruntime.RunOptions)


class SlowLane:
    """Of one view. `rows`: how many instances wait in it, or are being scored. Lives on one event loop."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._threads = 0
        self.rows = 0

    def take(self, later: Later, rows: int, answer: asyncio.Future[bytes], client: AskingClient) -> None:
        """Score a request soon. Its answer is there within the deadline, or refused with SlowModelError."""
        job, loop = _Job(later, rows, answer, client), asyncio.get_running_loop()
        timer = loop.call_later(self._within_s, self._expire, job)
        answer.add_done_callback(lambda _: timer.cancel())
        self.rows += rows
        self._jobs.put(job)
        if self._threads < _THREADS:
            self._threads += 1
            # Not those of a pool: the process would wait at its end for a run that cannot be ended.
            threading.Thread(target=self._work, args=(loop,), name="slow model", daemon=True).start()

    def _expire(self, job: _Job) -> None:
        job.options.terminate = True
        if not job.answer.done():
            job.answer.set_exception(
                SlowModelError(
                    f"The model was not done within {self._within_s:g} seconds. The request has {job.rows} instances. "
                    "Send fewer, or send the request again later."
                )
            )

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            job = self._jobs.get()
            answer: bytes | Exception | None = None
            if not (job.answer.done() or job.client.has_left):
                try:
                    answer = job.later(job.options)
                except Exception as error:  # a bug: this request fails, the next one is answered
                    answer = error
            try:
                loop.call_soon_threadsafe(self._done, job, answer)
            except RuntimeError:  # the loop has ended
                return

    def _done(self, job: _Job, answer: bytes | Exception | None) -> None:
        self.rows -= job.rows
        if job.answer.done():
            return
        if isinstance(answer, bytes):
            job.answer.set_result(answer)
        else:
            left = ClientLeftError("The client closed the connection before the answer.")
            job.answer.set_exception(answer or left)
