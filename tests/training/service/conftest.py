"""A service over a scheduler whose steps are played: one per test module."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.ports import free_port
from training.scheduler.engine import launched
from training.scheduler.news import webhook
from training.scheduler.runs.runs import Runs
from training.scheduler.workflow import durable_run
from training.service.app import create_app
from training.service.watch import watching
from training.service.web_server import serving_http
from training.settings import load_settings


@dataclass
class Played:
    """What the steps do. errors: step -> the error that it raises. held: steps that wait until they are let go."""

    folders: Path
    errors: dict[str, Exception] = field(default_factory=dict)
    held: dict[str, threading.Event] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, list[str]] = field(default_factory=dict)

    def process(self, look: Any) -> PlayedProcess:
        return PlayedProcess(self, look)


class PlayedProcess:
    def __init__(self, played: Played, look: Any) -> None:
        self._played, self._look = played, look

    def ask(self, request: dict[str, Any], limit_s: float) -> Any:
        played, name = self._played, request.get("step", request["do"])
        played.asked.append(request)
        while name in played.held and not played.held[name].wait(0.05):
            self._look()
        if name in played.errors:
            raise played.errors[name]
        if name == "begin":
            folder = played.folders / request["name"]
            folder.mkdir(exist_ok=True)
            return str(folder)
        if name == "end":
            return played.summary
        if name == "plan":
            return played.plan
        return {"done": "run", "reason": "no earlier run has it", "seconds": 0.5, "line": f"{name} said so"}

    def __enter__(self) -> PlayedProcess:
        return self

    def __exit__(self, *error: object) -> None:
        pass


@dataclass
class Listener:
    """A real HTTP server that webhooks are sent to. refusals: how many requests it answers by 500 first.

    asked: when each request came, by `time.monotonic`, and what it was about; got: those that were answered by 200.
    """

    refusals: int = 0
    refused: int = 0
    got: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[float, str]] = field(default_factory=list)

    @contextmanager
    def listening(self, port: int = 0) -> Iterator[str]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                listener.asked.append((time.monotonic(), body["text"]))
                if listener.refused < listener.refusals:
                    listener.refused += 1
                    self.send_error(500)
                    return
                listener.got.append(body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}/hook"
            server.shutdown()
            thread.join()


@dataclass
class Service:
    client: httpx.Client
    runs: Runs
    played: Played
    listener: Listener

    @staticmethod
    def wait_for(until: Callable[[], bool], patience_s: float = 60.0) -> None:
        deadline = time.monotonic() + patience_s
        while not until():
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    place = tmp_path_factory.mktemp("service")
    played = Played(place)
    listener = Listener()
    with pytest.MonkeyPatch.context() as patch, listener.listening() as hook:
        patch.setenv("MILLRACE_TRAINING_RUNS", str(place / "runs"))
        patch.setenv("MILLRACE_REGISTRY", str(place / "registry"))
        patch.setenv("MILLRACE_RUNS_PORT", str(free_port()))
        patch.setenv("MILLRACE_RUNS_WEBHOOK", hook)
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setattr(webhook, "FIRST_WAIT_S", 0.05)
        patch.setattr(durable_run, "StepProcess", played.process)
        settings = load_settings()
        with (
            launched(settings) as runs,
            watching(settings, runs, look_s=0.2),
            serving_http(settings, lambda keys: create_app(settings, runs, keys)) as address,
            httpx.Client(base_url=str(address), timeout=30.0, trust_env=False) as client,
        ):
            yield Service(client, runs, played, listener)
            for each in played.held.values():
                each.set()
