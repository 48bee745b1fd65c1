"""A registry that hangs, as a share does whose server is away: a read of its alias never returns. So does a pipe."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from serving.errors import NoModelError
from serving.models import registry_watch
from serving.models.registry_models import RegistryModels
from tests.domains.machines import BREAKDOWN
from tests.serving.published_models import publish
from tests.serving.running_service import running


def until(done, within_s=120.0):
    deadline_s = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline_s, f"not within {within_s:g} s"
        time.sleep(0.05)


@contextlib.contextmanager
def hanging(alias: Path) -> Iterator[None]:
    """Whoever reads the alias hangs until the block ends."""
    said, beside = alias.read_text(), alias.with_name("beside")
    os.mkfifo(beside)
    beside.replace(alias)  # at once: whoever looks at any moment finds the one or the other
    try:
        yield
    finally:
        writer = None
        with contextlib.suppress(OSError):  # nobody reads it any more
            writer = os.open(alias, os.O_WRONLY | os.O_NONBLOCK)
        beside.write_text(said)
        beside.replace(alias)
        if writer is not None:
            os.close(writer)


@pytest.fixture
def short(monkeypatch):
    """What it waits for a registry that hangs."""
    for name in ("_ANSWERS_WITHIN_S", "_SILENT_AFTER_S", "_ENDS_WITHIN_S"):
        monkeypatch.setattr(registry_watch, name, 0.2)


def test_a_registry_that_hangs_holds_back_neither_start_nor_stop_and_is_named(tmp_path, short):
    publish(tmp_path, BREAKDOWN)
    models = RegistryModels(tmp_path, [BREAKDOWN], "champion", 0.05)
    with capture_logs() as lines:
        with hanging(tmp_path / "breakdown" / "aliases" / "champion"):
            models.start()
            until(lambda: models.waiting() != [])
            (said,) = models.waiting()
            assert said.startswith("The model registry has not answered for")
            with pytest.raises(NoModelError, match="The model registry has not answered"):
                models.current(BREAKDOWN)
        until(lambda: models.answering("breakdown") is not None)  # it answers again
        assert models.current(BREAKDOWN).version == 1
        with hanging(tmp_path / "breakdown" / "aliases" / "champion"):
            until(lambda: models.waiting() != [])
            assert models.current(BREAKDOWN).version == 1
            models.stop()
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == [
        "starting without the model registry, which does not answer",
        "leaving the model registry, which does not answer",
    ]


def test_sigterm_ends_a_service_whose_registry_hangs(redis_server, tmp_path):
    """It has what the model needs, so that its start waits for nothing."""
    registry = tmp_path / "registry"
    publish(registry, BREAKDOWN)
    alias = registry / "breakdown" / "aliases" / "champion"
    with (
        running(redis_server, registry, tmp_path / "log", "--model-poll-s", "0.05") as (_, child),
        hanging(alias),
        read_by_another(alias),
    ):
        os.kill(child.pid, signal.SIGTERM)
        until(lambda: child.exit_code is not None)
        assert child.exit_code == 0


@contextlib.contextmanager
def read_by_another(alias: Path) -> Iterator[None]:
    """From when somebody has begun to read the alias that hangs. He reads it until the block ends."""
    opened: list[int] = []

    def is_read() -> bool:
        with contextlib.suppress(OSError):  # nobody reads it yet
            opened.append(os.open(alias, os.O_WRONLY | os.O_NONBLOCK))
        return bool(opened)

    until(is_read)
    try:
        yield
    finally:
        os.close(*opened)
