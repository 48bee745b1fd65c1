"""An orderly end: a balancer learns of it first, no request fails meanwhile, and nobody keeps the port."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import httpx
import msgspec
import pytest

from deploy.embedded.redis_server import RedisServer
from serving.connections.drain import Drain
from tests.domains.machines import BREAKDOWN
from tests.serving.published_models import publish
from tests.serving.running_service import BODY, is_up, running
from training.registry.aliases import Aliases
from training.registry.versions import Registry

DRAIN_S = 15
PATH = "/v1/views/breakdown:predict"


def until(done: Callable[[], bool], within_s: float = 120.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline_s, f"not within {within_s:g} s"
        time.sleep(0.1)


class Asking(threading.Thread):
    """A client that keeps its connection, and asks until `enough` is set."""

    def __init__(self, client: httpx.Client, enough: threading.Event) -> None:
        super().__init__(daemon=True)
        self._connection = HTTPConnection(client.base_url.host, client.base_url.port, timeout=120.0)
        self._enough = enough
        self.answered, self.told_to_close, self.failed = 0, 0, list[str]()
        self.versions = list[int]()

    def run(self) -> None:
        try:
            self._ask()
        finally:
            self._connection.close()

    def _ask(self) -> None:
        while not self._enough.wait(0.05) and not self.failed:
            try:
                self._connection.request("POST", PATH, msgspec.json.encode(BODY))
                answer = self._connection.getresponse()
                body = answer.read()
            except OSError as error:
                self.failed.append(repr(error))
                return
            if answer.status != 200:
                self.failed.append(str(answer.status))
                return
            if (version := msgspec.json.decode(body)["model"]["version"]) not in self.versions[-1:]:
                self.versions.append(version)
            self.answered += 1
            self.told_to_close += answer.getheader("connection") == "close"  # http.client then connects again


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=[pytest.mark.slow, pytest.mark.deep])])
def test_after_sigterm_readiness_turns_while_every_request_is_answered(
    redis_server: RedisServer, published: Path, tmp_path: Path, workers: int
) -> None:
    """Kept connections were reset, and new ones refused, before any balancer could know."""
    options = "--serving-workers", str(workers), "--serving-drain-s", str(DRAIN_S), "--serving-deadline-ms", "20000"
    with running(redis_server, published, tmp_path / "log", *options) as (client, child):
        enough = threading.Event()
        asking = [Asking(client, enough) for _ in range(4)]
        for each in asking:
            each.start()
        until(lambda: all(each.answered for each in asking))
        os.kill(child.pid, signal.SIGTERM)
        with httpx.Client(base_url=client.base_url, timeout=120.0) as balancer:
            until(lambda: balancer.get("/health/ready").status_code == 503)
            assert balancer.get("/health/live").status_code == 200
        until(lambda: all(each.told_to_close for each in asking))
        enough.set()  # the balancer sends nothing any more
        for each in asking:
            each.join()
            assert each.failed == []
        until(lambda: child.exit_code is not None)
        assert child.exit_code == 0
        assert not is_up(client)


@pytest.mark.slow
@pytest.mark.deep  # starts a service of two workers three times
def test_sighup_replaces_the_workers_and_a_killed_parent_leaves_no_worker(
    redis_server: RedisServer, published: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with running(redis_server, published, log, "--serving-workers", "2") as (client, child):
        first = workers_of(child.pid)
        assert len(first) == 2
        os.kill(child.pid, signal.SIGHUP)
        until(lambda: not workers_of(child.pid) & first and len(workers_of(child.pid)) == 2, 300.0)
        until(lambda: is_up(client), 300.0)  # a new worker may still be importing
        os.kill(child.pid, signal.SIGKILL)
        until(lambda: is_free(client.base_url.port))
        assert "because its parent process has died" in log.read_text()


@pytest.mark.slow
@pytest.mark.deep  # starts four workers
def test_no_request_fails_while_workers_are_replaced_and_models_promoted_and_rolled_back(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    registry = tmp_path / "registry"
    for seed in range(2):
        publish(registry, BREAKDOWN, seed, promote=False)
    aliases = Aliases(Registry(registry))
    aliases.promote("breakdown", 1)
    options = ["--serving-workers=2", "--serving-drain-s=3", "--serving-deadline-ms=20000", "--model-poll-s=0.2"]
    with running(redis_server, registry, tmp_path / "log", *options) as (client, child):
        enough = threading.Event()
        asking = [Asking(client, enough) for _ in range(4)]
        for each in asking:
            each.start()
        until(lambda: all(each.versions for each in asking))
        first = workers_of(child.pid)
        os.kill(child.pid, signal.SIGHUP)
        aliases.promote("breakdown", 2, why="while the workers are replaced")
        until(lambda: not workers_of(child.pid) & first and len(workers_of(child.pid)) == 2, 300.0)
        until(lambda: all(each.versions[-1:] == [2] or each.failed for each in asking))
        aliases.roll_back("breakdown", why="while they answer")
        until(lambda: all(each.versions[-1:] == [1] or each.failed for each in asking))
        answered = [each.answered for each in asking]
        until(lambda: all(each.answered > before for each, before in zip(asking, answered, strict=True)))
        enough.set()
        for each in asking:
            each.join()
            assert each.failed == []
            assert 2 in each.versions
            assert each.told_to_close


def workers_of(parent: int) -> set[int]:
    """The processes that answer: children of the service without its resource tracker."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(each) for each in children if b"spawn_main" in _command(each)}


def _command(pid: str) -> bytes:
    """Nothing of a process that has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def is_free(port: int | None) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port or 0))
        except OSError:
            return False
        return True


def test_a_signal_after_the_loop_has_closed_reaches_whoever_had_it_before() -> None:
    """A program that served in its main thread and then did something else could not be ended in order."""
    reached: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: reached.append(number))
    try:
        asyncio.run(begin_a_drain())
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert reached == [signal.SIGTERM]


async def begin_a_drain() -> None:
    Drain(lasts_s=60.0).start()


def test_an_application_in_a_thread_leaves_the_signals_to_the_main_thread() -> None:
    """It did not start where an earlier program of the process had left a handler."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    failed: list[Exception] = []

    def begin() -> None:
        try:
            asyncio.run(begin_a_drain())
        except Exception as error:
            failed.append(error)

    try:
        handler = signal.getsignal(signal.SIGTERM)
        thread = threading.Thread(target=begin)
        thread.start()
        thread.join()
        assert failed == []
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)
