from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training.registry.sound_versions import publish_sound
from training.__main__ import main
from training.registry.versions import Registry


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Two versions; the environment names the registry."""
    monkeypatch.setenv("MILLRACE_REGISTRY", str(tmp_path / "registry"))
    registry = Registry(tmp_path / "registry")
    publish_sound(registry)
    publish_sound(registry, 1, 0.75)
    return registry


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    """What a command says, and that it ends with this exit code."""

    def say(*arguments: str, code: int = 0) -> str:
        assert main(["registry", *arguments]) == code
        out, err = capsys.readouterr()
        return err if code and not out else out

    return say
