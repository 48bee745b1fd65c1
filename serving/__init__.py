"""Answers requests with predictions: online features from Redis, on-demand functions, a model from the registry.

What it offers is a client of a running endpoint.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.client.answers import Answer, Prediction
    from serving.client.endpoint import AsyncEndpoint, Endpoint
    from serving.errors import EndpointAwayError, RefusedByEndpointError
else:
    from shared_features.lazy_names import lazy_names

    __getattr__, __dir__ = lazy_names(
        "serving",
        {
            "serving.client.answers": "Answer Prediction",
            "serving.client.endpoint": "AsyncEndpoint Endpoint",
            "serving.errors": "EndpointAwayError RefusedByEndpointError",
        },
    )

__all__ = ["Answer", "AsyncEndpoint", "Endpoint", "EndpointAwayError", "Prediction", "RefusedByEndpointError"]
