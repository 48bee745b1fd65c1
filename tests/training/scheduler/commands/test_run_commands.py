"""Two runs that were done elsewhere are compared on the command line, down to their slices."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.shared_features.formats.test_run_archive import ARCHIVE
from tests.training.runs.records.test_run_slices import slices
from training.__main__ import main
from training.runs.records.run_archive import write_archive
from training.steps.run_journal import Journal, write_journal


def imported(places: Path, name: str, **metrics: Any) -> None:
    """A run of this name, which was done elsewhere with these metrics."""
    folder = places / name
    (folder / "evaluate").mkdir(parents=True)
    found = {"chosen": "forest", "models": {"forest": {"f1": 0.5}}, **metrics}
    (folder / "evaluate" / "metrics.json").write_text(json.dumps(found))
    write_journal(folder, Journal({"view": {"label": "v:v1"}, "dataset": {}}, {"cut_us": 0}, 0, {}))
    files = {each: folder / each for each in ("run.json", "evaluate/metrics.json")}
    write_archive(places / f"{name}.tar.gz", replace(ARCHIVE, id=name), files)
    assert main(["runs", "import", str(places / f"{name}.tar.gz")]) == 0


def test_two_runs_are_compared_slice_by_slice(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(places, "a", slices=slices(food=(120, 0.5), toys=(80, 0.25)), importance={"amount": 0.25})
    imported(places, "b", slices=slices(food=(120, 0.5), toys=(80, 0.625)), importance={"amount": 0.5})
    capsys.readouterr()
    assert main(["runs", "compare", "imported:a", "imported:b"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^category toys, f1 +0.25 +0.625 +\+0.375$", said, re.MULTILINE)
    assert re.search(r"^category, worst +toys +food$", said, re.MULTILINE)
    assert re.search(r"^category toys +80 +80$", said, re.MULTILINE)
    assert re.search(r"^amount +0.25 +0.5 +\+0.25$", said, re.MULTILINE)
    assert main(["runs", "compare", "imported:a", "imported:b", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {
        "section": "slices",
        "name": "category toys, f1",
        "first": 0.25,
        "second": 0.625,
        "difference": 0.375,
    } in rows


def test_slices_that_are_none_are_refused_with_their_archive(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError):
        imported(places, "a", slices={"category": {"metric": "f1", "slices": {"food": 7}}})
    assert "its reports cannot be read" in capsys.readouterr().err
