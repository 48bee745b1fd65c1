"""Floors: the share of each package's lines that the tests of its parts run at least. They stand in pyproject.toml."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

_FILES_NAMED = 5


def read_floors(project: Path) -> dict[str, float]:
    """Package -> percent, from the pyproject.toml of the folder."""
    settings = tomllib.loads((project / "pyproject.toml").read_text())
    floors: dict[str, float] = settings["tool"]["millrace"]["line-floors"]
    return floors


def verdicts(report: Mapping[str, Any], floors: Mapping[str, float]) -> Iterator[tuple[bool, str]]:
    """For each package of coverage's JSON report: whether it holds its floor, and a line that says so."""
    ran, lines, missing = Counter[str](), Counter[str](), dict[str, Counter[str]]()
    for name, file in report["files"].items():
        package, found = PurePath(name).parts[0], file["summary"]
        ran[package] += found["covered_lines"]
        lines[package] += found["num_statements"]
        missing.setdefault(package, Counter())[name] = found["missing_lines"]
    for package, floor in floors.items():
        if not lines[package]:
            yield False, f"{package}: no line was measured. Its files are missing from the report"
            continue
        percent = 100 * ran[package] / lines[package]
        said = f"{package}: {percent:.1f} % of {lines[package]:,} lines ran, the floor is {floor} %"
        if percent >= floor:
            yield True, said
        else:
            most = ", ".join(f"{name} ({count})" for name, count in missing[package].most_common(_FILES_NAMED))
            short = f"{said}: {floor - percent:.1f} too few"
            yield False, f"{short}. Test what does not run. The files with the most lines that did not run: {most}"
