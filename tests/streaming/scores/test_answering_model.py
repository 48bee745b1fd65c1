"""Which version scores: the one that the alias names, and the one before while that cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from streaming.scores.answering_model import AnsweringModel, Lacks
from tests.domains.machines import BREAKDOWN
from tests.serving.published_models import publish


def answering(registry: Path, lacks: Lacks = lambda view: None) -> AnsweringModel:
    return AnsweringModel((BREAKDOWN,), registry / "breakdown", "champion", 0.0, lacks)


def version(model: AnsweringModel) -> int | None:
    current = model.current()
    return None if current is None else current.manifest.version


def test_the_version_that_the_alias_names_scores_as_soon_as_it_is_published(tmp_path: Path) -> None:
    model = answering(tmp_path)
    assert version(model) is None
    publish(tmp_path, BREAKDOWN)
    assert version(model) == 1
    publish(tmp_path, BREAKDOWN, 1, promote=False)
    assert version(model) == 1
    (tmp_path / "breakdown" / "aliases" / "champion").write_text("2\n")
    assert version(model) == 2


@pytest.mark.parametrize("damage", ["model.onnx", "manifest.json", "alias"])
def test_a_version_that_cannot_be_loaded_is_told_once_and_the_previous_one_scores(tmp_path: Path, damage: str) -> None:
    publish(tmp_path, BREAKDOWN)
    model = answering(tmp_path)
    assert version(model) == 1
    publish(tmp_path, BREAKDOWN, 1)
    alias = tmp_path / "breakdown" / "aliases" / "champion"
    file = alias if damage == "alias" else tmp_path / "breakdown" / "2" / damage
    file.chmod(0o644)
    file.write_bytes(b"two")
    with capture_logs() as lines:
        assert [version(model) for _ in range(3)] == [1, 1, 1]
    assert [line["event"] for line in lines] == ["refused a model version"]
