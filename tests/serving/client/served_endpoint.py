"""The whole application behind a socket of this process, which answers some requests otherwise first."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.app import create_app
from serving.settings import ServingSettings
from tests.fakes import InMemoryOnlineStore
from tests.serving.conftest import machine_states
from tests.serving.stored_states import NAMESPACE


class InterruptedApp:
    """The application. first: (status, Retry-After) of the next answers. asked: when requests came, monotonic."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.first: deque[tuple[int, str | None]] = deque()
        self.asked: list[float] = []
        self.clients: set[tuple[str, int]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.asked.append(time.monotonic())
            self.clients.add(tuple(scope["client"]))
            if self.first:
                status, after = self.first.popleft()
                headers = [(b"retry-after", after.encode())] if after else []
                await receive()
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": b'{"detail": "Later."}'})
                return
        await self._app(scope, receive, send)


@contextmanager
def served(registry: Path) -> Iterator[tuple[str, InterruptedApp]]:
    """Address and application, for the domain of machines."""
    given: dict[str, Any] = {
        "definitions": "tests.domains.machines",
        "redis_namespace": NAMESPACE,
        "registry": registry,
    }
    app = InterruptedApp(create_app(ServingSettings(**given), store=InMemoryOnlineStore(machine_states())))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        until_s = time.monotonic() + 60
        while not server.started:
            if time.monotonic() > until_s or not thread.is_alive():
                raise TimeoutError("The application did not start within 60 seconds. See its log above.")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", app
    finally:
        server.should_exit = True
        thread.join(60)
        listening.close()
