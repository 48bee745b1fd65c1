import logging
from pathlib import Path

import pytest

from tests.domains.machines import BREAKDOWN
from tests.training.lake import write_lake
from tests.training.machine_streams import end_us, machine_streams


@pytest.fixture(scope="session", autouse=True)
def dbos_log() -> None:
    """DBOS would log to the standard error of the first test that starts it, which is closed after that test."""
    logger = logging.getLogger("dbos")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False


@pytest.fixture(scope="session")
def machine_lake(tmp_path_factory) -> Path:
    """Twelve days of machines, complete up to their end plus two hours. Read only."""
    lake: Path = tmp_path_factory.mktemp("lake")
    write_lake(lake, BREAKDOWN, machine_streams(), end_us() + 2 * 3_600_000_000)
    return lake


@pytest.fixture
def places(machine_lake, tmp_path, monkeypatch):
    """Settings by environment, as a user gives them, for the machines' definitions."""
    monkeypatch.setenv("MILLRACE_DEFINITIONS", "tests.domains.machines")
    monkeypatch.setenv("MILLRACE_LAKE", str(machine_lake))
    monkeypatch.setenv("MILLRACE_REGISTRY", str(tmp_path / "registry"))
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("MILLRACE_RUNS_PORT", "0")  # tests run side by side; a test of the port chooses one
    return tmp_path
