"""The application: wiring and lifespan only."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from serving.connections.drain import STATE_KEY, Drain
from serving.endpoints.access import Access
from serving.endpoints.docs_page import docs_router
from serving.endpoints.features_endpoint import FeaturesEndpoint, ReadEndpoint
from serving.endpoints.health import Health, health_router
from serving.endpoints.inference.infer_endpoint import InferEndpoint
from serving.endpoints.inference.inference_routes import inference_routes
from serving.endpoints.inference.inference_server import InferenceServer
from serving.endpoints.metrics_endpoint import metrics_router
from serving.endpoints.openapi import openapi_document
from serving.endpoints.predict_endpoint import Clock, PredictEndpoint
from serving.endpoints.served_view import ServedView, by_name, why_broken
from serving.endpoints.unrouted_answers import error_problem, http_problem
from serving.errors import RefusedRequestError
from serving.features.group_outage import GroupOutages
from serving.features.group_view import GroupView, group_views
from serving.features.live_features import LiveFeatures
from serving.features.stored_freshness import StoredFreshness
from serving.log import configure_log, get_log
from serving.metrics import Metrics
from serving.models.challenger_metrics import ChallengerMetrics
from serving.models.model import Models
from serving.models.model_choice import ModelChoice
from serving.models.served_models import challenger_models, champion_models
from serving.online_store.online_store import OnlineStore
from serving.online_store.redis_online_store import RedisOnlineStore
from serving.prediction.predictor import Predictor
from serving.prediction.shadow import Shadow
from serving.prediction_log.opened_log import open_log
from serving.prediction_log.prediction_log import PredictionLog
from serving.request.accepted_values import example_request
from serving.request.predict_path import FEATURES_PATH, PREDICT_END, PREDICT_PATH, PREDICT_START, READ_PATH
from serving.request.request_body import RequestBody
from serving.settings import ServingSettings, load_settings
from serving.tracing.opened_tracing import open_tracing
from serving.uncounted import settled_regularly
from shared_features.access.callers import callers_of
from shared_features.compilation.compilation import compile_in_turn
from shared_features.definitions import FeatureView, load_definitions
from shared_features.stored_features.feature_vectors import FeatureVectors

if TYPE_CHECKING:
    from serving.endpoints.inference.over_grpc.grpc_server import GrpcServer


def system_clock_us() -> int:
    """Now, in microseconds since the epoch."""
    return time.time_ns() // 1000


class ServingApp(FastAPI):
    """FastAPI with a shorter path for predictions.

    The endpoint answers its own errors and reads only path and body, so it needs no layer between here and a route.
    These layers would take a fifth of the time of a request. All other requests take the usual path.
    """

    endpoint: PredictEndpoint
    grpc: GrpcServer | None = None
    """Beside it, where it is switched on."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            path: str = scope["path"]
            if path.startswith(PREDICT_START) and path.endswith(PREDICT_END):
                await self.endpoint.predict(path[len(PREDICT_START) : -len(PREDICT_END)], scope, receive, send)
                return
        await super().__call__(scope, receive, send)


def create_app(
    settings: ServingSettings,
    *,
    store: OnlineStore | None = None,
    models: Models | None = None,
    clock: Clock = system_clock_us,
) -> ServingApp:
    """The service. The caller starts and stops a store or models that it passes."""
    catalogue = load_definitions(settings.definitions)
    metrics = Metrics([view.label for view in catalogue.views], sorted({group.part_name for group in catalogue.groups}))
    own_store = None if store else RedisOnlineStore(settings.redis_url, settings.serving_deadline_ms / 1000)
    store_used = store or own_store
    if store_used is None:
        raise TypeError("A store is either passed or built here.")
    callers = callers_of(settings, get_log("serving").warning)
    access = Access(callers)
    tracing = open_tracing(settings, metrics.dropped_spans)
    outages = GroupOutages()
    most, log = settings.serving_max_instances, open_log(settings, metrics)
    compared = ChallengerMetrics(metrics.registry)
    shadow = Shadow(compared, settings.serving_model_deadline_ms / 1000)
    served = [_serve(view, settings, store_used, metrics, outages, log, shadow) for view in catalogue.views]
    features = [replace(each, body=RequestBody(each.view, most, only_features=True)) for each in served]
    groups = [_serve(view, settings, store_used, metrics, outages) for view in group_views(catalogue.groups)]
    drain = Drain(settings.serving_drain_s)
    every_shard = [shard for each in served for shard in each.vectors.shards]
    freshness = StoredFreshness(store_used, every_shard, clock, metrics)
    live = LiveFeatures(store_used, {each.view.label: each.vectors.shards for each in served})
    own_models = None if models else champion_models(settings, catalogue.views, metrics, live)
    models_used = models or own_models
    if models_used is None:
        raise TypeError("Models are either passed or built here.")
    challengers = challenger_models(settings, catalogue.views, metrics, compared, live)
    choice = ModelChoice(
        models_used,
        challengers,
        share=settings.challenger_share,
        champion=settings.model_alias,
        challenger=settings.challenger_alias,
    )

    @asynccontextmanager
    async def lifespan(app: ServingApp) -> AsyncIterator[dict[str, Any]]:
        async with settled_regularly(metrics.settle), AsyncExitStack() as ending:
            for each in (sound for sound in (*features, *groups) if not sound.broken):
                each.predictor.warm_up([each.body.decode(_body_of(each.view)).instances[0]])
            if callers is not None:
                callers.start()
                ending.callback(callers.stop)
            if tracing is not None:
                ending.push_async_callback(asyncio.to_thread, tracing.stop)
            if log is not None:
                log.start()
                ending.push_async_callback(asyncio.to_thread, log.stop)
            if own_store is not None:
                await own_store.start()
                ending.push_async_callback(own_store.stop)
            live.start()
            if own_models is not None:  # in a thread: they ask the store, which answers on this thread
                ending.push_async_callback(asyncio.to_thread, own_models.stop)
                await asyncio.to_thread(own_models.start)
            if challengers is not None:
                shadow.start()
                ending.push_async_callback(asyncio.to_thread, shadow.stop)
                ending.push_async_callback(asyncio.to_thread, challengers.stop)
                await asyncio.to_thread(challengers.start)
            if app.grpc is not None:  # what starts last ends first, with all that it needs
                await app.grpc.start()
                ending.push_async_callback(app.grpc.stop)
            # What is there now stays: a collection that goes through all of it lets every request wait for 0.1 s.
            gc.collect()
            gc.freeze()
            ending.callback(gc.unfreeze)
            drain.start()
            yield {STATE_KEY: drain}

    document = openapi_document(catalogue.views, most, [each.view for each in groups], keys=access.asks_for_keys)
    app = ServingApp(
        title="Millrace serving",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name the host that the client sent
        lifespan=lifespan,
    )
    app.openapi = lambda: document  # type: ignore[method-assign]  # the documented way to supply a document
    app.add_exception_handler(HTTPException, http_problem)
    for kind in (RefusedRequestError, Exception):
        app.add_exception_handler(kind, error_problem)
    parts = choice, metrics, clock, settings.serving_receive_s, access, tracing
    app.endpoint = PredictEndpoint(by_name(served), *parts)
    read = FeaturesEndpoint(by_name(features), *parts), ReadEndpoint(by_name(groups), *parts)
    app.router.routes.append(Route(PREDICT_PATH, app.endpoint, methods=["POST"]))  # refuses other methods
    for path, endpoint in zip((FEATURES_PATH, READ_PATH), read, strict=True):
        app.router.routes.append(Route(path, endpoint, methods=["GET", "POST"]))
    health = Health(served, store_used, choice, drain, allow_degraded=settings.allow_degraded)
    for router in (
        health_router(health),
        metrics_router(metrics, freshness.measure, access),
        docs_router(app.title),
    ):
        app.include_router(router)
    server, infer = InferenceServer(by_name(served), choice, health), InferEndpoint(by_name(served), *parts)
    app.router.routes += inference_routes(server, infer)
    app.grpc = None if settings.serving_grpc_port is None else _grpc_server(settings, server, infer)
    return app


def build() -> FastAPI:
    """The application as a uvicorn worker builds it, from the settings of its environment."""
    settings = load_settings()
    configure_log(settings)
    compile_in_turn(get_log("kernel").info)
    return create_app(settings)


def _serve(
    view: FeatureView,
    settings: ServingSettings,
    store: OnlineStore,
    metrics: Metrics,
    outages: GroupOutages,
    log: PredictionLog | None = None,
    shadow: Shadow | None = None,
) -> ServedView:
    body = RequestBody(view, settings.serving_max_instances, only_features=isinstance(view, GroupView))
    vectors = FeatureVectors(view, settings.redis_namespace, outages.of)
    predictor = Predictor(
        view,
        body,
        vectors,
        store,
        metrics,
        allow_degraded=settings.allow_degraded,
        max_waiting=settings.serving_max_waiting,
        max_wait_s=settings.serving_max_wait_ms / 1000,
        model_within_s=settings.serving_model_deadline_ms / 1000,
        log=log,
        shadow=shadow,
    )
    most_bytes = ServedView.most_bytes_of(settings.serving_max_instances)
    return ServedView(view, body, vectors, predictor, most_bytes, why_broken(view))


def _grpc_server(settings: ServingSettings, server: InferenceServer, infer: InferEndpoint) -> GrpcServer:
    from serving.endpoints.inference.over_grpc.grpc_server import GrpcServer
    from serving.endpoints.inference.over_grpc.inference_calls import InferenceCalls

    return GrpcServer(settings, InferenceCalls(server, infer, settings.serving_receive_s))


def _body_of(view: FeatureView) -> bytes:
    return msgspec.json.encode(example_request(view, only_features=True))
