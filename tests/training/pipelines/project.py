"""A project of its own on the machines' lake: `features` with their definitions, `pipelines` by a test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def write_project(place: Path, monkeypatch: pytest.MonkeyPatch, name: str, pipelines: str) -> Path:
    """The package `name`, on the path. A name is used once in a process, because modules are imported once."""
    package = place / "projects" / name
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "features.py").write_text("from tests.domains.machines import *  # noqa: F403\n")
    (package / "pipelines.py").write_text(pipelines)
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setenv("PYTHONPATH", str(package.parent), prepend=os.pathsep)
    monkeypatch.setenv("MILLRACE_DEFINITIONS", f"{name}.features")
    return package
