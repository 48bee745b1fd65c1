"""The log of predictions: the request path leaves an answer here, and a thread of its own does the rest.

The request path never waits. What is left here is bounded. Beyond that an answer is counted as dropped, and its number
is a hole in the log.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from serving.bounded_queue import BoundedQueue
from serving.log import get_log
from serving.prediction_log.log_metrics import LogMetrics
from shared_features.formats.prediction_log import (
    LONGEST_RECORD,
    LoggedPrediction,
    encode_matrix,
    encode_numbers,
    encode_record,
    record_id,
)

_LOG = get_log("serving.prediction_log")
_MOST_BYTES = 64 << 20
_LOOK_S, _LOOK_AT_REST_S = 0.1, 30.0
_ENDS_WITHIN_S = 10.0


class Delivery(Protocol):
    """Where records go. Used by the thread of the log alone."""

    def send(self, key: bytes, record: bytes) -> None:
        """Take a record, whatever happens."""

    def work(self, within_s: float) -> None:
        """Do what is to be done besides, within this time."""

    @property
    def under_way(self) -> int:
        """How many records are not delivered yet."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""

    def close(self) -> None:
        """Keep what could not be delivered."""


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """What the request path leaves. seen: float32[rows, features]. since_s: its head, by `time.monotonic`."""

    counter: int
    view_fingerprint: str
    model_digest: str
    request: bytes
    answer: bytes
    seen: NDArray[np.float32]
    scores: list[Any]
    since_s: float
    caller: str

    @property
    def length(self) -> int:
        """About how many bytes are kept for it."""
        return 512 + len(self.request) + len(self.answer) + self.seen.nbytes


class _Model(msgspec.Struct):
    name: str
    version: int


class _Prediction(msgspec.Struct):
    as_of_us: int | None = None


class _Answer(msgspec.Struct):
    view: str
    model: _Model
    as_of_us: int
    predictions: list[_Prediction]
    degraded: bool
    receipt: msgspec.Raw


class PredictionLog:
    """Of one process. `instance` and a counter name each answer."""

    def __init__(self, instance: str, delivery: Delivery, metrics: LogMetrics) -> None:
        self.instance, self._delivery, self._metrics = instance, delivery, metrics
        self._key, self._release = instance.encode(), importlib.metadata.version("millrace")
        self._counter = itertools.count()
        self._decode = msgspec.json.Decoder(_Answer).decode
        self._left: BoundedQueue[tuple[AnsweredRequest, int, float]] = BoundedQueue(_MOST_BYTES)
        self._thread = threading.Thread(target=self._run, name="prediction log", daemon=True)

    @staticmethod
    def new_instance() -> str:
        """A name that no other process has."""
        return secrets.token_hex(8)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send what is left, or keep it on the spool."""
        self._left.end()
        self._thread.join(_ENDS_WITHIN_S)
        if self._thread.is_alive():
            _LOG.warning("ending before all predictions were logged", left=len(self._left))

    def next_number(self) -> int:
        """Of the next answer."""
        return next(self._counter)

    def take(self, answered: AnsweredRequest) -> None:
        """Log an answer soon. Takes no time, and raises nothing."""
        if not self._left.put((answered, time.time_ns() // 1000, time.monotonic()), answered.length):
            self._metrics.dropped("queue")

    def _run(self) -> None:
        self._work(0.0)
        while not self._left.has_ended:
            if not self._left.wait(_LOOK_AT_REST_S if self._delivery.is_done else _LOOK_S):
                self._work(_LOOK_S)
                continue
            self._send()
            self._work(0.0)
        self._send()
        self._delivery.close()

    def _send(self) -> None:
        for answered, at_us, at_s in self._left.items():
            try:
                record = self._record(answered, at_us, at_s)
                if len(record) > LONGEST_RECORD:
                    self._metrics.dropped("too large")
                else:
                    self._delivery.send(self._key, record)
            except Exception as error:  # a bug must not end the log of all later answers
                self._metrics.dropped("error")
                _LOG.error("failed to log a prediction", exc_info=error)
        self._metrics.waiting(self._delivery.under_way)

    def _work(self, within_s: float) -> None:
        try:
            self._delivery.work(within_s)
        except Exception as error:
            _LOG.error("failed to send logged predictions, trying again", exc_info=error)
            time.sleep(_LOOK_S)
        self._metrics.waiting(len(self._left) + self._delivery.under_way)

    def _record(self, answered: AnsweredRequest, at_us: int, at_s: float) -> bytes:
        said = self._decode(answered.answer)
        return encode_record(
            LoggedPrediction(
                id=record_id(self.instance, answered.counter),
                at_us=at_us,
                instance=self.instance,
                counter=answered.counter,
                view=said.view,
                view_fingerprint=answered.view_fingerprint,
                model=said.model.name,
                model_version=said.model.version,
                model_digest=answered.model_digest,
                as_of_us=said.as_of_us,
                instants=encode_numbers([each.as_of_us or said.as_of_us for each in said.predictions]),
                request=answered.request.decode(),
                features=encode_matrix(answered.seen),
                scores=encode_numbers(answered.scores),
                receipt=bytes(said.receipt).decode(),
                degraded=said.degraded,
                latency_us=round((at_s - answered.since_s) * 1e6),
                caller=answered.caller,
                release=self._release,
            )
        )
