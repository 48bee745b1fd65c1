"""How every test runs: the same examples each time, no stopwatch on what numba is still compiling."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import settings

from tests.depth import searched
from tests.end_to_end.brokers import NOT_TESTED

settings.register_profile(
    "millrace", deadline=None, derandomize=True, print_blob=True, max_examples=searched(quick=40, deep=200)
)
# `./run test --hypothesis-profile=explore` looks for new counterexamples; what it finds becomes an @example.
settings.register_profile("explore", deadline=None, max_examples=1_000, print_blob=True)
# `./run coverage` counts the lines that run, which takes few examples.
settings.register_profile("lines", deadline=None, derandomize=True, max_examples=5)
settings.load_profile("millrace")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests begin first: a long test that begins last leaves the other processes without work."""
    slow = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("kafka")}
    items.sort(key=lambda item: item.path not in slow)  # stable: within a file and among files the order stays


@pytest.fixture(autouse=True)
def _log_as_at_first() -> Iterator[None]:
    """A test that runs a program in this process sets up its log, on a stream that is closed when the test ends."""
    yield
    structlog.reset_defaults()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes that run the tests tells the one that reports."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["not_tested"] = NOT_TESTED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what it told. One that crashed told nothing, and its tests failed."""
    NOT_TESTED.extend(getattr(node, "workeroutput", {}).get("not_tested", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was not tested, loudly: a skip among hundreds of dots is silence."""
    for line in dict.fromkeys(NOT_TESTED):
        terminalreporter.write_line(f"!!!!!!!! NOT TESTED on {line}", red=True, bold=True)
