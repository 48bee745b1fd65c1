"""What the tests of the traffic share."""

import pytest

from tests.deploy.demo.traffic.generated import generated_world


@pytest.fixture(scope="package")
def world():
    """A month of 200 customers; nobody changes it."""
    return generated_world()
