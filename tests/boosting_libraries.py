"""XGBoost, LightGBM and CatBoost for the tests that need them: 700 MB, and no part of the locked environment."""

from __future__ import annotations

from pathlib import Path

from tests.libraries_apart import libraries_apart


def boosting_libraries() -> Path:
    """The folder that is to be on the path. Skips the test where they cannot be installed."""
    of_a_graphics_card = ("nvidia-",)
    return libraries_apart("boosting.lock", "XGBoost, LightGBM and CatBoost", of_a_graphics_card)
