"""The application in this process with gRPC, and clients of it on the same event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from tritonclient.grpc.aio import InferenceServerClient

from serving.app import ServingApp, create_app
from serving.endpoints.inference.over_grpc.messages import SERVICE
from serving.settings import ServingSettings
from tests.fakes import InMemoryOnlineStore, PushedClock
from tests.serving.conftest import asking
from tests.serving.stored_states import NAMESPACE


@dataclass(frozen=True)
class Clients:
    """triton: of the protocol. http: of everything else. channel: for bytes as they are."""

    triton: InferenceServerClient
    http: httpx.AsyncClient
    channel: grpc.aio.Channel
    app: ServingApp

    def counted(self, **labels: str) -> float:
        """Answers with these labels. The page of metrics would ask the store, which a test may hold back."""
        metrics = self.app.endpoint._metrics
        metrics.settle()
        samples = [sample for metric in metrics.registry.collect() for sample in metric.samples]
        found = [each for each in samples if each.name == "serving_requests_total"]
        return sum(each.value for each in found if labels.items() <= each.labels.items())

    @property
    def rows_waiting(self) -> int:
        """Instances that gather while the store is asked."""
        served = self.app.endpoint.served("breakdown")
        return 0 if served is None else served.predictor._pending.rows

    async def send(self, message: bytes, method: str = "ModelInfer", **options: Any) -> tuple[str, str, dict[str, Any]]:
        """Status, details and metadata of the answer; of a refusal, or "OK" and nothing."""
        try:
            await self.channel.unary_unary(f"/{SERVICE}/{method}")(message, timeout=60, **options)
        except grpc.aio.AioRpcError as error:
            return error.code().name, error.details() or "", dict(error.trailing_metadata())
        return "OK", "", {}


@pytest.fixture
def called(store: InMemoryOnlineStore, clock: PushedClock, published: Path) -> Callable[..., Any]:
    """`called(work, setting=...)`: what `await work(clients)` gives."""

    @asynccontextmanager
    async def clients(**changed: Any) -> AsyncIterator[Clients]:
        given: dict[str, Any] = {
            "definitions": "tests.domains.machines",
            "redis_namespace": NAMESPACE,
            "registry": published,
            "serving_max_wait_ms": 60_000,
            "serving_grpc_port": 0,
        }
        app = create_app(ServingSettings(**(given | changed)), store=store, clock=clock)
        async with asking(app) as http:
            assert app.grpc is not None
            address = f"127.0.0.1:{app.grpc.port}"
            options = [("grpc.max_send_message_length", -1)]
            async with InferenceServerClient(address) as triton, grpc.aio.insecure_channel(address, options) as channel:
                yield Clients(triton, http, channel, app)

    def ask(work: Callable[[Clients], Awaitable[Any]], **changed: Any) -> Any:
        async def once() -> Any:
            async with clients(**changed) as found:
                return await work(found)

        return asyncio.run(once())

    return ask
