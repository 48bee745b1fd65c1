"""A service over a scheduler whose steps are played: one per test module."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.ports import free_port
from training.scheduler import durable_run
from training.scheduler.engine import launched
from training.scheduler.runs import Runs
from training.service.app import create_app
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
        return {"done": "run", "reason": "no earlier run has it", "seconds": 0.5, "line": f"{name} said so"}

    def __enter__(self) -> PlayedProcess:
        return self

    def __exit__(self, *error: object) -> None:
        pass


@dataclass
class Service:
    client: httpx.Client
    runs: Runs
    played: Played


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    place = tmp_path_factory.mktemp("service")
    played = Played(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MILLRACE_TRAINING_RUNS", str(place / "runs"))
        patch.setenv("MILLRACE_REGISTRY", str(place / "registry"))
        patch.setenv("MILLRACE_RUNS_PORT", str(free_port()))
        patch.setattr(durable_run, "StepProcess", played.process)
        settings = load_settings()
        with (
            launched(settings) as runs,
            serving_http(settings, lambda: create_app(settings, runs)) as address,
            httpx.Client(base_url=str(address), timeout=30.0, trust_env=False) as client,
        ):
            yield Service(client, runs, played)
            for each in played.held.values():
                each.set()
