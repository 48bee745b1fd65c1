"""A parent with several workers, asked to stop while it does something else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from uvicorn.config import STARTUP_FAILURE

from deploy.embedded.redis_server import RedisServer
from tests.serving.accepted_connections import until_all_is_read
from tests.serving.connections.test_drain import DRAIN_S, until, workers_of
from tests.serving.running_service import ROOT, is_up, predict, running

DRAINS = "draining: still answering"


@contextmanager
def stopped(pids: set[int]) -> Iterator[None]:
    """Processes that take no connection, no signal but SIGKILL, and do not end meanwhile."""
    for each in pids:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in pids:
            os.kill(each, signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.deep  # starts a service of two workers
def test_sigterm_while_workers_are_replaced_ends_all_and_replaces_no_more(
    redis_server: RedisServer, published: Path, tmp_path: Path
) -> None:
    """SIGTERM waited until each worker was replaced, which takes longer than a container gets before it is killed."""
    log = tmp_path / "log"
    with running(redis_server, published, log, "--serving-workers", "2") as (_, child):
        until(lambda: log.read_text().count("switched to model") == 2)
        os.kill(child.pid, signal.SIGHUP)
        until(lambda: len(workers_of(child.pid)) == 3)
        os.kill(child.pid, signal.SIGTERM)
        until(lambda: child.exit_code is not None)
        assert child.exit_code == 0
        assert log.read_text().count("switched to model") == 2


@pytest.mark.slow
@pytest.mark.deep  # starts three workers
def test_sigterm_loses_no_request_of_a_worker_that_was_about_to_replace_another(
    redis_server: RedisServer, published: Path, tmp_path: Path
) -> None:
    """The new worker already answered. It was killed, and its requests with it."""
    log, options = tmp_path / "log", ["--serving-workers=2", f"--serving-drain-s={DRAIN_S}"]
    with running(redis_server, published, log, *options) as (client, child):
        until(lambda: log.read_text().count("switched to model") == 2)
        old, answers = workers_of(child.pid), list[httpx.Response | httpx.TransportError]()

        def ask() -> None:
            try:
                with httpx.Client(base_url=client.base_url, timeout=120.0) as other:
                    answers.append(predict(other)[0])
            except httpx.TransportError as error:
                answers.append(error)

        os.kill(child.pid, signal.SIGHUP)
        until(lambda: len(workers_of(child.pid)) == 3)
        asking = threading.Thread(target=ask)
        with stopped(old):
            with stopped({child.pid}):  # it does not hear that the new worker is ready
                until(lambda: answers_on_a_new_connection(client))
                before = connections(client.base_url.port)
                redis_server.pause()
                asking.start()
                until(lambda: connections(client.base_url.port) > before)
                until_all_is_read(client.base_url.port)
                os.kill(child.pid, signal.SIGTERM)
            try:
                until(lambda: DRAINS in log.read_text() or bool(answers))
            finally:
                redis_server.resume()
        asking.join()
        assert [each.status_code if isinstance(each, httpx.Response) else repr(each) for each in answers] == [200]
        until(lambda: child.exit_code is not None)
        assert child.exit_code == 0
        assert log.read_text().count("switched to model") == 3


@pytest.mark.slow
@pytest.mark.deep  # starts three workers
def test_sigterm_lets_all_workers_drain_together_while_one_is_replaced(
    redis_server: RedisServer, published: Path, tmp_path: Path
) -> None:
    """The parent waited for the end of the one, and only then told the others."""
    log, options = tmp_path / "log", ["--serving-workers=2", f"--serving-drain-s={DRAIN_S}"]
    with running(redis_server, published, log, *options) as (_, child):
        until(lambda: log.read_text().count("switched to model") == 2)
        old = workers_of(child.pid)
        os.kill(child.pid, signal.SIGHUP)
        until(lambda: DRAINS in log.read_text())
        with stopped(old):  # the one that drains does not end meanwhile
            os.kill(child.pid, signal.SIGTERM)
            until(lambda: log.read_text().count(DRAINS) == 2)  # of the new worker; an old one is stopped
        until(lambda: child.exit_code is not None)
        assert child.exit_code == 0
        assert log.read_text().count(DRAINS) == 3
        assert log.read_text().count("switched to model") == 3


async def cannot_start(scope: object, receive: object, send: object) -> None:
    """An application whose lifespan fails."""
    raise OSError("no space left on device")


_SERVED = """
from uvicorn import Config
from serving.connections.worker_processes import answer_until_asked_to_stop

application = "tests.serving.connections.test_worker_processes:cannot_start"
answer_until_asked_to_stop(Config(application, port=0, workers={}, lifespan="on", timeout_worker_healthcheck=600))
"""


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_cannot_start_ends_with_the_same_code_by_one_worker_and_by_several(workers: int) -> None:
    """A parent of several ended with 0, and who starts a service again where it failed left it alone."""
    ended = subprocess.run(
        [sys.executable, "-c", _SERVED.format(workers)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert "no space left on device" in ended.stderr
    assert ended.returncode == STARTUP_FAILURE


def answers_on_a_new_connection(client: httpx.Client) -> bool:
    with httpx.Client(base_url=client.base_url, timeout=120.0) as other:
        return is_up(other)


def connections(port: int | None) -> int:
    """How many clients are connected to the port, as the kernel tells."""
    lines = [each.split() for each in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(local.partition(":")[2], 16) == port and state == "01" for _, local, _, state, *_ in lines)
