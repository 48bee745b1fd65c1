"""Worlds change how the product does some things, in the whole process: afterwards it does them as before."""

from collections.abc import Iterator

import pytest

from tests.simulation.world import CHANGED


@pytest.fixture(autouse=True)
def _the_product_as_it_was() -> Iterator[None]:
    before = [(module, name, getattr(module, name)) for module, name in CHANGED]
    yield
    for module, name, value in before:
        setattr(module, name, value)
