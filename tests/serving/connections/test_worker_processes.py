"""A parent with several workers, asked to stop while it does something else."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from deploy.embedded.redis_server import RedisServer
from tests.serving.connections.test_drain import until, workers_of
from tests.serving.running_service import running


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
