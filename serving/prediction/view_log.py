"""The prediction log as the answers of one view leave them there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.connections.asking_client import AskingClient
from serving.models.model import Model
from serving.prediction_log.prediction_log import AnsweredRequest, PredictionLog
from serving.request.request_body import PredictionRequest
from shared_features.definitions import FeatureView
from shared_features.formats.prediction_log import record_id


class ViewLog:
    """Of one view."""

    def __init__(self, log: PredictionLog, view: FeatureView) -> None:
        self._log, self._fingerprint = log, view.fingerprint

    def next(self) -> tuple[int, str]:
        """The number and the id of the next answer."""
        number = self._log.next_number()
        return number, record_id(self._log.instance, number)

    def take(
        self,
        number: int,
        request: PredictionRequest,
        client: AskingClient,
        model: Model,
        seen: NDArray[np.float32],
        scores: list[Any],
        answer: bytes,
    ) -> None:
        """Log the answer to a request, which has this number."""
        self._log.take(
            AnsweredRequest(
                number,
                self._fingerprint,
                model.digest,
                request.raw,
                answer,
                seen,
                scores,
                client.since_s,
                client.caller,
            )
        )
