from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared_features.definitions import load_definitions
from shared_features.errors import ManifestMismatchError
from tests.domains.machines import BREAKDOWN
from tests.serving.published_models import logarithm, publish
from training.errors import RegistryError
from training.inference.published_model import open_model
from training.registry.versions import Registry


def test_a_graph_that_is_not_the_published_file_is_refused(tmp_path: Path) -> None:
    publish(tmp_path, BREAKDOWN)
    (tmp_path / "breakdown" / "1" / "model.onnx").write_bytes(logarithm())
    with pytest.raises(ManifestMismatchError, match="registry verify breakdown 1` says what differs"):
        open_model(Registry(tmp_path), load_definitions("tests.domains.machines"), "breakdown")


def test_definitions_without_the_view_of_the_model_are_refused(tmp_path: Path) -> None:
    publish(tmp_path, BREAKDOWN)
    with pytest.raises(RegistryError, match=r"was trained on view 'breakdown', which the definitions do not have"):
        open_model(Registry(tmp_path), load_definitions("tests.domains.web_shop"), "breakdown")


def test_a_row_without_a_number_is_null(tmp_path: Path) -> None:
    """The endpoint refuses it; a batch keeps the others."""
    publish(tmp_path, BREAKDOWN, graph=logarithm(), threshold=0.5)
    model = open_model(Registry(tmp_path), load_definitions("tests.domains.machines"), "breakdown")
    matrix = np.ones((3, len(BREAKDOWN.columns)), np.float32)
    matrix[:, 0] = (4.0, -1.0, 1.0)
    score, decision = model.predict(matrix, np.empty((0, 0)))
    assert score.to_list() == [pytest.approx(np.log(4.0)), None, 0.0]
    assert decision.to_list() == [True, None, False]
