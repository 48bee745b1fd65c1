"""The endpoints of features without a model: of a view, and of a feature group."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from serving.endpoints.predict_endpoint import PredictEndpoint
from serving.endpoints.served_view import ServedView, bare_name
from serving.errors import RefusedRequestError, UnknownGroupError
from serving.request.body_faults import shortened
from serving.request.query_body import query_body
from serving.request.request_body import PredictionRequest
from serving.request.request_type import instance_fields
from shared_features.access.api_keys import READ


class FeaturesEndpoint(PredictEndpoint):
    """`GET` and `POST /v1/views/{view}:features`: the version of a view that answers now, or the one that is named."""

    needs = READ
    name = "features"

    def _count(self, view: str, status: int, seconds: float, problem: str) -> None:
        self._metrics.features_answered(view, status, seconds, problem)

    def _model(self, served: ServedView, request: PredictionRequest, named: str | None) -> tuple[None, None]:
        return None, None

    def _body(self, scope: Scope, raw: bytes, served: ServedView) -> bytes:
        if scope["method"] == "POST":
            return raw
        return query_body(scope["query_string"], instance_fields(served.view))


class ReadEndpoint(FeaturesEndpoint):
    """`GET` and `POST /v1/groups/{group}:read`: the newest version of a group, or the one that is named."""

    name = "read"

    def _answering(self, name: str) -> None:
        return None  # no model decides which version answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.predict(scope["path_params"]["group"], scope, receive, send)

    def _unknown(self, name: str) -> RefusedRequestError:
        known = sorted({bare_name(each.view) for each in self._served.values()})
        return UnknownGroupError(
            f"Unknown feature group {shortened(name)!r}. Send the request to one of {', '.join(known)}.", groups=known
        )
