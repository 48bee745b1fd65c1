import numpy as np
import pytest

from training.models import candidates
from training.models.candidates import fit_model
from training.models.certificate import certify
from training.models.graph.onnx_export import export_onnx


@pytest.mark.parametrize("name", ["hist_gradient_boosting"])  # of a forest, skl2onnx rounds them itself
def test_without_rounded_thresholds_the_certificate_fails(name, monkeypatch):
    """The bug it is there for: ONNX keeps a threshold as its nearest float32, which can be the value above it."""
    monkeypatch.setattr(candidates, "round_thresholds", lambda pipeline: None)
    random = np.random.default_rng(0)
    steps = np.arange(64).astype(np.int32) + np.float32(1000).view(np.int32)
    near = np.ascontiguousarray(random.choice(steps, (4_000, 1))).view(np.float32)  # all floats beside each other
    label = (near[:, 0].view(np.int32) % 2 == 0).astype(float)
    pipeline, _ = fit_model(name, near, label, 0)
    found = certify(pipeline, export_onnx(pipeline, 1), near, 0, 0)
    assert not found.passed
    monkeypatch.undo()
    pipeline, _ = fit_model(name, near, label, 0)
    assert certify(pipeline, export_onnx(pipeline, 1), near, 0, 0).passed
