"""The names of the steps of retraining, in their order; importable without any library."""

from __future__ import annotations

STEP_NAMES = ("dataset", "validate", "leaks", "fit", "evaluate", "export", "certify", "publish", "promote")
"""Of `retraining.STEPS`."""
