"""How every test runs: the same examples each time, no stopwatch on what numba is still compiling."""

import pytest
from hypothesis import settings

from tests.end_to_end.brokers import NOT_TESTED

settings.register_profile("millrace", deadline=None, derandomize=True, print_blob=True)
# `./run test --hypothesis-profile=explore` looks for new counterexamples; what it finds becomes an @example.
settings.register_profile("explore", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile("millrace")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was not tested, loudly: a skip among hundreds of dots is silence."""
    for line in dict.fromkeys(NOT_TESTED):
        terminalreporter.write_line(f"!!!!!!!! NOT TESTED on {line}", red=True, bold=True)
