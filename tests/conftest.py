"""How every test runs: the same examples each time, no stopwatch on what numba is still compiling."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import settings

from tests.depth import left_out, said_of, searched
from tests.end_to_end.brokers import NOT_TESTED

settings.register_profile(
    "millrace", deadline=None, derandomize=True, print_blob=True, max_examples=searched(quick=40, deep=200)
)
# `./run test --hypothesis-profile=explore` looks for new counterexamples; what it finds becomes an @example.
settings.register_profile("explore", deadline=None, max_examples=1_000, print_blob=True)
# `./run coverage` counts the lines that run, which takes few examples.
settings.register_profile("lines", deadline=None, derandomize=True, max_examples=5)
settings.load_profile("millrace")

LEFT_OUT = pytest.StashKey[int]()


@pytest.hookimpl(trylast=True)  # of the tests that are asked for
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files with slow tests begin first: a long test that begins last leaves the other processes without work."""
    left = left_out(items)
    config.stash[LEFT_OUT] = len(left)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
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
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what it told. One that crashed told nothing, and its tests failed."""
    told = getattr(node, "workeroutput", {})
    NOT_TESTED.extend(told.get("not_tested", ()))
    node.config.stash[LEFT_OUT] = told.get("left_out", node.config.stash.get(LEFT_OUT, 0))  # each collected all tests


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What was not tested, loudly: a skip among hundreds of dots is silence."""
    if left := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(said_of(left), bold=True)
    for line in dict.fromkeys(NOT_TESTED):
        terminalreporter.write_line(f"!!!!!!!! NOT TESTED on {line}", red=True, bold=True)
