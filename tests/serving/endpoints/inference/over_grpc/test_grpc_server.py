"""The server of gRPC: its certificate, how it ends, and several processes on one port."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from deploy.embedded.ports import free_port
from deploy.embedded.redis_server import RedisServer
from serving.app import create_app
from serving.endpoints.inference.over_grpc.messages import MESSAGES, SERVICE
from serving.settings import ServingSettings
from tests.fakes import InMemoryOnlineStore
from tests.self_made_certificates import FIRST, SECOND, SECOND_KEY, written
from tests.serving.conftest import INSTANCE, asking
from tests.serving.endpoints.inference.over_grpc.conftest import Clients
from tests.serving.endpoints.inference.over_grpc.test_inference_calls import typed, until
from tests.serving.running_service import running
from tests.serving.stored_states import NAMESPACE

ALONE = [("grpc.use_local_subchannel_pool", 1)]
"""A connection of its own, and not that of another channel to the same address."""
MESSAGE = typed([INSTANCE]).SerializeToString()


def test_calls_that_are_under_way_are_answered_before_it_ends(called: Any, store: InMemoryOnlineStore) -> None:
    async def work(clients: Clients) -> None:
        assert clients.app.grpc is not None
        store.gate = asyncio.Event()
        asked = len(store.asked)
        flying = asyncio.create_task(clients.send(MESSAGE))
        await until(lambda: len(store.asked) > asked)
        ending = asyncio.create_task(clients.app.grpc.stop())
        address = f"127.0.0.1:{clients.app.grpc.port}"
        for _ in range(1000):  # until it listens no more
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", clients.app.grpc.port)
            except OSError:
                break
            writer.close()
            await asyncio.sleep(0.01)
        async with grpc.aio.insecure_channel(address, ALONE) as late:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await late.unary_unary(f"/{SERVICE}/ServerLive")(b"", timeout=60)
            assert error.value.code() is grpc.StatusCode.UNAVAILABLE
        assert not flying.done()
        store.gate.set()
        assert (await flying)[0] == "OK"
        await ending

    called(work)


def test_its_certificate_is_that_of_https_and_changes_with_it(
    store: InMemoryOnlineStore, published: Path, tmp_path: Path
) -> None:
    files = written(tmp_path)
    given: dict[str, Any] = {
        "definitions": "tests.domains.machines",
        "redis_namespace": NAMESPACE,
        "registry": published,
        "serving_grpc_port": 0,
        "tls_certificate": files[0],
        "tls_key": files[1],
    }

    async def trusts(certificate: str, port: int) -> bool:
        credentials = grpc.ssl_channel_credentials(certificate.encode())
        async with grpc.aio.secure_channel(f"localhost:{port}", credentials, ALONE) as channel:
            try:
                await channel.unary_unary(f"/{SERVICE}/ServerLive")(b"", timeout=60)
            except grpc.aio.AioRpcError:
                return False
            return True

    async def work() -> None:
        app = create_app(ServingSettings(**given), store=store)
        async with asking(app):
            assert app.grpc is not None
            assert await trusts(FIRST, app.grpc.port)
            assert not await trusts(SECOND, app.grpc.port)
            written(tmp_path, SECOND, SECOND_KEY)
            deadline_s = time.monotonic() + 60
            while not await trusts(SECOND, app.grpc.port):
                assert time.monotonic() < deadline_s
                await asyncio.sleep(0.2)
            assert not await trusts(FIRST, app.grpc.port)

    asyncio.run(work())


def eventually(seen: Callable[[], bool], within_s: float = 120.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not seen():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


class Asking(threading.Thread):
    """A client that keeps its channel and asks until `enough` is set, or until nobody answers any more."""

    def __init__(self, address: str, enough: threading.Event) -> None:
        super().__init__(daemon=True)
        self._address, self._enough = address, enough
        self.answered, self.failed = 0, list[str]()

    def run(self) -> None:
        with grpc.insecure_channel(self._address, ALONE) as channel:
            infer = channel.unary_unary(f"/{SERVICE}/ModelInfer")
            while not self._enough.wait(0.05) and not self.failed:
                try:
                    infer(MESSAGE, timeout=60)
                    self.answered += 1
                except grpc.RpcError as error:
                    self.failed.append(f"{error.code()}: {error.details()}")


@pytest.mark.slow
@pytest.mark.deep  # starts a service of two workers
def test_workers_share_the_port_and_no_call_fails_while_they_drain(
    redis_server: RedisServer, published: Path, tmp_path: Path
) -> None:
    log, port, drain_s = tmp_path / "log", free_port(), 15
    options = ["--serving-workers=2", f"--serving-grpc-port={port}", f"--serving-drain-s={drain_s}"]
    options.append("--serving-deadline-ms=20000")
    with running(redis_server, published, log, *options) as (_, child):
        eventually(lambda: log.read_text().count("answering over gRPC") == 2)
        address, enough = f"127.0.0.1:{port}", threading.Event()
        clients = [Asking(address, enough) for _ in range(8)]
        for each in clients:
            each.start()
        eventually(lambda: all(each.answered > 3 for each in clients))
        os.kill(child.pid, signal.SIGTERM)

        def ready() -> bool:
            with grpc.insecure_channel(address, ALONE) as channel:
                told = channel.unary_unary(f"/{SERVICE}/ServerReady")(b"", timeout=60)
            return bool(MESSAGES["ServerReadyResponse"].FromString(told).ready)

        eventually(lambda: not ready())
        answered = [each.answered for each in clients]
        eventually(lambda: all(each.answered > before for each, before in zip(clients, answered, strict=True)))
        enough.set()  # the balancer sends nothing any more
        for each in clients:
            each.join(120)
            assert each.failed == []
        eventually(lambda: child.exit_code is not None)
        assert child.exit_code == 0
    said = log.read_text()
    assert "Traceback" not in said
    assert all(line.startswith("{") for line in said.splitlines() if line.strip()), said
