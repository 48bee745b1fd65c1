"""Two brokers for all tests here; each test leaves both running."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.brokers import two_brokers
from tests.end_to_end.two_brokers import TwoBrokers


@pytest.fixture(scope="package")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoBrokers]:
    with two_brokers(tmp_path_factory.mktemp("two_brokers")) as brokers:
        yield brokers
