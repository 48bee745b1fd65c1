"""`./run`, beside an environment that counts as set up: a copy of the script in a folder of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / "run"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The script in a project that needs no set-up, whose Python says what it was called with."""
    root = tmp_path / "project"
    (root / ".venv" / "bin").mkdir(parents=True)
    python = root / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$PYTHONPATH" "$*"\n')
    python.chmod(0o755)
    (root / "requirements.lock").write_text("a lock\n")
    (root / "pyproject.toml").write_text("a project\n")
    (root / ".venv" / ".set-up-from").write_text(f"{root}\na lock\na project\n")
    return Path(shutil.copy(RUN, root / "run"))


def python_path(run: Path, given: str | None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {} if given is None else {"PYTHONPATH": given}
    command = [str(run), "exec", "sh", "-c", "true"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=120)
    path, arguments = done.stdout.splitlines()[-2:]
    assert arguments == "-P -m deploy.command_line exec sh -c true"
    return path


@pytest.mark.parametrize("given", [None, ""])
def test_exec_finds_the_packages_of_the_project(run: Path, given: str | None) -> None:
    assert python_path(run, given) == str(run.parent)


def test_exec_keeps_the_python_path_of_its_user_behind_that_of_the_project(run: Path) -> None:
    """It may be where the definitions lie: the guide says to set it so."""
    assert python_path(run, "/my/shop:.") == f"{run.parent}:/my/shop:."
