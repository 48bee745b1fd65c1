"""What models, their graphs and their certificates have in common; importable without scikit-learn."""

from __future__ import annotations

INPUT_NAME = "features"

TOLERANCE = 1e-5
"""On a probability, and on a value as a part of the spread of the labels. Float32 sums over some hundred trees or
features differ by 1e-7 to 1e-6; a row on the wrong side of a single split by 1e-4 and more. This lies between."""

_SUMS = (
    "float32 sums over some hundred trees or features differ by 1e-7 to 1e-6, a row on the wrong side of a single "
    "split by 1e-4 and more"
)
REASONS = {
    "binary": f"of the probability: {_SUMS}",
    "multiclass": f"of each probability: {_SUMS}",
    "regression": f"of the value, as a part of the spread of the labels, less eight roundings to a float32: {_SUMS}",
}
"""Why a difference up to the tolerance is allowed, by the task. The manifest says it."""

CORRECTED = "; of the probability before its correction, and of what the correction makes of the graph's own"
"""What is added where probabilities are corrected."""
