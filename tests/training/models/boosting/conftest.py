import os
import sys

import pytest

from tests.boosting_libraries import boosting_libraries


@pytest.fixture
def libraries(monkeypatch):
    """XGBoost, LightGBM and CatBoost can be imported, by child processes too. Skips loudly where they cannot."""
    folder = str(boosting_libraries())
    if folder not in sys.path:
        sys.path.append(folder)  # and stays: a library is imported once in a process
    monkeypatch.setenv("PYTHONPATH", folder, prepend=os.pathsep)
