"""How much the tests try is asked for by one variable; what is left out is said, and CI runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT
from tests.depth import VARIABLE, cases, depth, searched

LONG = """
import pytest
from tests.depth import seeds
from hypothesis import given, strategies

@pytest.mark.deep
def test_long(): ...

@pytest.mark.parametrize("seed", seeds(quick=1, deep=3))
def test_seeds(seed): ...

@given(strategies.booleans())
def test_law(value): ...

def test_short(): ...
"""
SAID = "3 long tests and further cases were left out. They run with: TEST_DEPTH=deep ./run test -m deep"


@pytest.mark.parametrize(("asked", "number"), [(None, 3), ("", 3), ("quick", 3), ("deep", 500)])
def test_a_search_is_long_only_where_that_is_asked_for(monkeypatch, asked, number) -> None:
    if asked is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, asked)
    assert searched(quick=3, deep=500) == number


def test_a_depth_that_there_is_not_is_refused(monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "depe")
    with pytest.raises(ValueError, match="TEST_DEPTH is 'depe'"):
        depth()


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three long tests, a law and a short test, which run as the tests of this project do."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "conftest.py").write_text("from tests.conftest import *\n")
    (folder / "test_long.py").write_text(LONG)
    return folder


def run(folder: Path, depth: str, *arguments: str) -> str:
    environment = os.environ | {VARIABLE: depth, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), "-v"]
    command += ["-p", "no:cacheprovider", *arguments, str(folder)]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("processes", cases(["-n0", "-n2"], quick=["-n0"]))
def test_what_is_left_out_is_counted_and_the_command_for_it_is_said(few: Path, processes: str) -> None:
    said = run(few, "quick", processes)
    assert SAID in said.splitlines()[-3:]
    assert "3 passed" in said.splitlines()[-1]


def test_only_the_tests_that_were_asked_for_are_counted(few: Path) -> None:
    assert "left out" not in run(few, "quick", "-n0", "-k", "short")
    assert "2 long tests and further cases were left out" in run(few, "quick", "-n0", "-k", "seeds")


def test_ci_runs_every_test_once_the_long_ones_too(few: Path) -> None:
    """It asks for no folder and no marker, so that none is forgotten."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    asked = [number for number, line in enumerate(lines) if line.startswith("./run test")]
    assert [lines[number].partition("||")[0] for number in asked] == ["./run test "]
    assert any(line.startswith(f"export {VARIABLE}=deep") for line in lines[: asked[0]])
    said = run(few, "deep", "-n0")
    assert "6 passed" in said.splitlines()[-1]
    assert "left out" not in said


def test_only_the_examples_of_laws_differ_by_depth() -> None:
    """A longer search of another kind is a test of its own, marked deep: CI finds those, and laws."""
    files = [file for file in (ROOT / "tests").rglob("test_*.py") if file != Path(__file__)]
    lines = [line.strip() for file in files for line in file.read_text().splitlines() if "searched(" in line]
    lines = [line for line in lines if "max_examples=searched(" not in line and not line.startswith("def ")]
    assert lines == []
